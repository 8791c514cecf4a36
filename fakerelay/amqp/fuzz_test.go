package amqp

import (
	"bytes"
	"context"
	"encoding/hex"
	"net"
	"testing"
	"time"
)

// What decodes must encode again, and then decode to the same.
func FuzzUnmarshal(f *testing.F) {
	for _, v := range vectors {
		b, _ := hex.DecodeString(v.hex)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := Unmarshal(in)
		if err != nil {
			return
		}
		b, err := Marshal(v)
		if err != nil {
			t.Fatalf("%#v does not encode: %v", v, err)
		}
		back, err := Unmarshal(b)
		if err != nil {
			t.Fatalf("%x, of %x, does not decode: %v", b, in, err)
		}
		if again, err := Marshal(back); err != nil || !bytes.Equal(again, b) { // bytes, since NaN is not itself
			t.Fatalf("%x becomes %x, %v", b, again, err)
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte{0x00, 0x53, 0x70, 0x45, 0x00, 0x53, 0x75, 0xa0, 0x01, 0x00})
	f.Fuzz(func(t *testing.T, in []byte) {
		var m, back Message
		if m.UnmarshalBinary(in) != nil {
			return
		}
		b, err := m.MarshalBinary()
		if err != nil {
			t.Fatalf("%+v does not encode: %v", m, err)
		}
		if err := back.UnmarshalBinary(b); err != nil {
			t.Fatalf("%x, of %x, does not decode: %v", b, in, err)
		}
		if again, err := back.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x becomes %x, %v", b, again, err)
		}
	})
}

// Whatever a peer sends, the server neither panics nor hangs, and leaves nothing behind.
func FuzzServer(f *testing.F) {
	frames := func(steps ...composite) (b []byte) {
		b = []byte(headerAMQP)
		for _, step := range steps {
			b, _ = appendFrame(b, frameAMQP, 0, step, nullValue)
		}
		return b
	}
	open, begin := &Open{ContainerID: "f", MaxFrameSize: 512}, &Begin{IncomingWindow: 9, HandleMax: 9}
	in := &Attach{Name: "i", Role: RoleSender, Target: &Target{}, InitialDeliveryCount: ptr(uint32(0))}
	out := &Attach{Name: "o", Handle: 1, Role: RoleReceiver, Source: &Source{}, Target: &Target{}}
	id := uint32(0)
	f.Add(frames(open, begin, in, &Transfer{DeliveryID: &id, DeliveryTag: []byte{1}}, &Detach{Closed: true}, &End{}, &Close{}))
	f.Add(frames(open, begin, out, &Flow{Handle: ptr(uint32(1)), LinkCredit: ptr(uint32(5)), IncomingWindow: 9, Drain: true, Echo: true},
		&Disposition{Role: RoleReceiver, Last: ptr(uint32(9)), State: Accepted{}}))
	f.Add([]byte(headerSASL))
	f.Fuzz(func(t *testing.T, in []byte) {
		client, server := net.Pipe()
		c := NewConn(server, Config{CloseTimeout: time.Millisecond, MaxMessageSize: 1 << 10}, Handler{Attach: func(r *AttachRequest) {
			if r.Attach.Role == RoleSender {
				r.AcceptReceiver(ReceiverOptions{Credit: 3})
				return
			}
			if s, err := r.AcceptSender(SenderOptions{}); err == nil {
				s.Send(Outgoing{Payload: nullValue})
			}
		}})
		served := make(chan error, 1)
		go func() { served <- c.Serve(context.Background()) }()
		read := make(chan struct{})
		go func() { // what the server says is read and not looked at
			defer close(read)
			var b [4096]byte
			for {
				if _, err := client.Read(b[:]); err != nil {
					return
				}
			}
		}()
		client.Write(in)
		client.Close()
		<-read
		<-served
		if len(c.sessions) != 0 || c.links != 0 || c.partial != 0 || len(c.events) != 0 {
			t.Errorf("left behind: %d sessions, %d links, %d bytes, %d events", len(c.sessions), c.links, c.partial, len(c.events))
		}
	})
}

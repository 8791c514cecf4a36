package amqp

import (
	"encoding/hex"
	"errors"
	"testing"
	"time"
)

// What a peer may not do, and the condition it is told.
func TestViolations(t *testing.T) {
	attach := func(handle uint32) *Attach {
		return &Attach{Name: "in", Handle: handle, Role: RoleSender, Source: &Source{}, Target: &Target{Address: "q"}, InitialDeliveryCount: ptr(uint32(0))}
	}
	first := func(id uint32) *Transfer { return &Transfer{DeliveryID: &id, DeliveryTag: []byte{1}, More: true} }
	tests := []struct {
		name    string
		steps   func(p *rawPeer)
		reply   composite // of which type
		because Symbol
	}{
		{"begin on a used channel", func(p *rawPeer) { p.send(0, &Begin{HandleMax: 1}) }, &Close{}, CondNotAllowed},
		{"begin above channel-max", func(p *rawPeer) { p.send(6, &Begin{HandleMax: 1}) }, &Close{}, CondFramingError},
		{"begin as an answer", func(p *rawPeer) { p.send(1, &Begin{RemoteChannel: ptr(uint16(1))}) }, &Close{}, CondNotAllowed},
		{"flow on a channel without session", func(p *rawPeer) { p.send(1, &Flow{}) }, &Close{}, CondNotAllowed},
		{"second open", func(p *rawPeer) { p.send(0, &Open{ContainerID: "x"}) }, &Close{}, CondNotAllowed},
		{"attach above handle-max", func(p *rawPeer) { p.send(0, attach(256)) }, &Close{}, CondFramingError},
		{"attach without a name", func(p *rawPeer) { p.write(frameOf("005312c00403404340")) }, &Close{}, CondDecodeError},
		{"not a performative", func(p *rawPeer) { p.write(frameOf("a10161")) }, &Close{}, CondDecodeError},
		{"unknown performative", func(p *rawPeer) { p.write(frameOf("00537945")) }, &Close{}, CondDecodeError},
		{"SASL frame", func(p *rawPeer) { p.write([]byte{0, 0, 0, 8, 2, 1, 0, 0}) }, &Close{}, CondFramingError},
		{"frame shorter than its header", func(p *rawPeer) { p.write([]byte{0, 0, 0, 7, 2, 0, 0, 0}) }, &Close{}, CondFramingError},
		{"data before the header's end", func(p *rawPeer) { p.write([]byte{0, 0, 0, 8, 1, 0, 0, 0}) }, &Close{}, CondFramingError},
		{"data after the frame's end", func(p *rawPeer) { p.write([]byte{0, 0, 0, 8, 3, 0, 0, 0}) }, &Close{}, CondFramingError},
		{"frame above max-frame-size", func(p *rawPeer) { p.write([]byte{0, 1, 0, 1, 2, 0, 0, 0}) }, &Close{}, CondFramingError},
		{"attach on a used handle", func(p *rawPeer) { p.sending(0); p.send(0, attach(0)) }, &End{}, CondHandleInUse},
		{"transfer on an unknown handle", func(p *rawPeer) { p.send(0, first(0)) }, &End{}, CondUnattachedHandle},
		{"flow on an unknown handle", func(p *rawPeer) { p.send(0, grant(1)) }, &End{}, CondUnattachedHandle},
		{"detach of an unknown handle", func(p *rawPeer) { p.send(0, &Detach{}) }, &End{}, CondUnattachedHandle},
		{"transfer without credit", func(p *rawPeer) {
			p.sending(0)
			for id := range uint32(11) { // pre-settled ones would be topped up
				p.send(0, &Transfer{DeliveryID: &id, DeliveryTag: []byte{1}}, 0x00, 0x53, 0x77, 0x40)
			}
		}, &Detach{}, CondTransferLimitExceeded},
		{"transfer without delivery-id", func(p *rawPeer) { p.sending(0); p.send(0, &Transfer{DeliveryTag: []byte{1}}) }, &Detach{}, CondInvalidField},
		{"transfer without delivery-tag", func(p *rawPeer) { p.sending(0); p.send(0, &Transfer{DeliveryID: ptr(uint32(0))}) }, &Detach{}, CondInvalidField},
		{"delivery within a delivery", func(p *rawPeer) { p.sending(0); p.send(0, first(0)); p.send(0, first(1)) }, &Detach{}, CondInvalidField},
		{"transfer on a link that receives", func(p *rawPeer) { p.receiving(0); p.send(0, first(0)) }, &Detach{}, CondNotAllowed},
		{"message above max-message-size", func(p *rawPeer) { p.sending(0); p.send(0, first(0), make([]byte, 5000)...) }, &Detach{}, CondMessageSizeExceeded},
		{"tag above 32 bytes", func(p *rawPeer) {
			p.sending(0)
			p.send(0, &Transfer{DeliveryID: ptr(uint32(0)), DeliveryTag: make([]byte, 33)})
		}, &Close{}, CondDecodeError},
		{"incomplete messages on many links", func(p *rawPeer) {
			for handle := range uint32(5) {
				p.sending(handle)
				p.send(0, &Transfer{Handle: handle, DeliveryID: &handle, DeliveryTag: []byte{1}, More: true}, make([]byte, 4000)...)
			}
		}, &Close{}, CondResourceLimitExceeded},
		{"refused links that are not taken back", func(p *rawPeer) {
			for handle := range uint32(21) {
				p.send(0, attach(handle))
			}
		}, &Close{}, CondResourceLimitExceeded},
		{"silence", func(*rawPeer) {}, &Close{}, CondConnectionForced},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			held := make(chan *Delivery, 20)
			cfg := Config{ChannelMax: 5, MaxMessageSize: 4096, MaxLinks: 10}
			if test.name == "silence" {
				cfg.IdleTimeout = 50 * time.Millisecond
			}
			p := openRaw(t, cfg, acceptAll(held, nil))
			test.steps(p)
			got := p.read()
			for got.descriptor() != test.reply.descriptor() { // what was answered before it
				got = p.read()
			}
			fault := faultOf(got)
			if fault == nil || fault.Condition != test.because {
				t.Fatalf("the %T is because of %v; want %s", got, fault, test.because)
			}
			if _, closed := got.(*Close); closed {
				p.send(0, &Close{})
				p.nc.Close()
				var why *Error
				if err := p.end(); !errors.As(err, &why) || why.Condition != test.because {
					t.Errorf("Serve returns %v", err)
				}
				return
			}
			p.send(9, &Close{}) // the connection lives: it answers close, whatever the channel
			for {
				if c, ok := p.read().(*Close); ok {
					if c.Error != nil {
						t.Errorf("the close has the error %v", c.Error)
					}
					break
				}
			}
			if err := p.end(); err != nil {
				t.Errorf("Serve returns %v", err)
			}
		})
	}
}

func faultOf(c composite) *Error {
	switch c := c.(type) {
	case *Close:
		return c.Error
	case *End:
		return c.Error
	case *Detach:
		return c.Error
	}
	return nil
}

func frameOf(body string) []byte {
	b, err := hex.DecodeString(body)
	if err != nil {
		panic(err)
	}
	return append([]byte{0, 0, 0, byte(8 + len(b)), 2, 0, 0, 0}, b...)
}

func TestOpensThatAreRefused(t *testing.T) {
	tests := []struct {
		name    string
		handler Handler
		first   composite
		because Symbol
	}{
		{"by the handler", Handler{Open: func(c *Conn) *Error { return Errorf(CondNotFound, "no host %q", c.Peer().Hostname) }},
			&Open{ContainerID: "a", MaxFrameSize: 512}, CondNotFound},
		{"frames too small", Handler{}, &Open{ContainerID: "a", MaxFrameSize: 511}, CondInvalidField},
		{"silence too short", Handler{}, &Open{ContainerID: "a", MaxFrameSize: 512, IdleTimeout: 1}, CondNotAllowed},
		{"not open", Handler{}, &Begin{}, CondNotAllowed},
		{"no container-id", Handler{}, &noOpen{}, CondDecodeError},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := connectRaw(t, Config{}, test.handler)
			p.write([]byte(headerAMQP))
			p.header(headerAMQP)
			p.send(0, test.first)
			expect[*Open](p)
			if c := expect[*Close](p); c.Error == nil || c.Error.Condition != test.because {
				t.Errorf("closed because of %v", c.Error)
			}
			p.nc.Close()
			if err := p.end(); err == nil {
				t.Error("Serve returns no error")
			}
		})
	}
}

// noOpen is an open without any field.
type noOpen struct{ Open }

func (*noOpen) fields() List { return nil }

func TestOtherProtocolsAreToldWhatThisServerSpeaks(t *testing.T) {
	for name, test := range map[string]struct {
		cfg  Config
		says string
		want string
	}{
		"HTTP":                  {Config{}, "GET / HTTP/1.1\r\n\r\n", headerAMQP},
		"AMQP 0-9-1":            {Config{}, "AMQP\x00\x00\x09\x01", headerAMQP},
		"SASL where none is":    {Config{}, headerSASL, headerAMQP},
		"no SASL where it must": {Config{Mechanisms: []Mechanism{Anonymous()}}, headerAMQP, headerSASL},
		"TLS by AMQP's header":  {Config{}, "AMQP\x02\x01\x00\x00", headerAMQP},
	} {
		t.Run(name, func(t *testing.T) {
			test.cfg.CloseTimeout = time.Millisecond
			p := connectRaw(t, test.cfg, Handler{})
			p.write([]byte(test.says))
			p.header(test.want)
			if !p.hungUp() {
				t.Error("the connection stays")
			}
			if err := p.end(); err == nil {
				t.Error("Serve returns no error")
			}
		})
	}
}

func TestAPeerThatSaysNothingIsDropped(t *testing.T) {
	p := connectRaw(t, Config{HandshakeTimeout: 20 * time.Millisecond, CloseTimeout: time.Millisecond}, Handler{})
	if err := p.end(); err == nil {
		t.Error("Serve returns no error")
	}
}

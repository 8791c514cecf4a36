package amqp

import (
	"bytes"
	"reflect"
	"testing"
)

// What quick.go writes and reads is what composite.go does.
func TestQuickFormIsTheOtherForm(t *testing.T) {
	zero, small, large, format := uint32(0), uint32(200), uint32(70_000), uint32(0x80013700)
	tag := []byte("0123456789abcdef")
	for _, p := range []composite{
		&Transfer{Handle: 0, DeliveryID: &zero, DeliveryTag: tag, MessageFormat: &zero},
		&Transfer{Handle: 255, DeliveryID: &small, DeliveryTag: tag, MessageFormat: &format, Settled: true},
		&Transfer{Handle: 256, DeliveryID: &large, DeliveryTag: []byte{}, MessageFormat: &zero, More: true},
		&Transfer{Handle: 3, More: true},
		&Transfer{Handle: 3, Settled: true},
		&Transfer{Handle: 3},
		&Transfer{Handle: 3, DeliveryID: &large, State: Accepted{}, Batchable: true},
		&Disposition{Role: RoleReceiver, First: 0, State: Accepted{}},
		&Disposition{Role: RoleSender, First: 300, Last: &large, Settled: true, State: Accepted{}},
		&Disposition{Role: RoleReceiver, First: 300, Settled: true, State: Accepted{}, Batchable: true},
		&Disposition{Role: RoleReceiver, First: 7, Last: &small, Settled: true, State: Released{}},
		&Disposition{Role: RoleReceiver, First: 7},
	} {
		frame, err := appendFrame(nil, frameAMQP, 0, p, []byte("payload"))
		if err != nil {
			t.Fatal(err)
		}
		want := encoder{}
		want.value(described(p.descriptor(), p.fields()))
		if got := frame[frameHeader:]; !bytes.Equal(got, append(want.b, "payload"...)) {
			t.Errorf("%+v: written as\n%x instead of\n%x", p, got, want.b)
		}
		read, payload, err := parsePerformative(frame[frameHeader:])
		if err != nil || string(payload) != "payload" || !reflect.DeepEqual(read, p) {
			t.Errorf("%+v: read as %+v with the payload %q, %v", p, read, payload, err)
		}
	}
}

// Whatever comes is read as composite.go reads it, or left to it.
func FuzzQuickForm(f *testing.F) {
	f.Add([]byte{0, 0x53, 0x14, 0xc0, 7, 4, 0x43, 0x43, 0xa0, 1, 'x', 0x43, 'p'})
	f.Add([]byte{0, 0x53, 0x15, 0xc0, 9, 5, 0x41, 0x43, 0x40, 0x41, 0, 0x53, 0x24, 0x45})
	f.Add([]byte{0, 0x53, 0x15, 0xc0, 1, 5})
	f.Add([]byte("\x00S\x14\xc0\a\x04CC\xa0\x010\x00")) // ends with a descriptor
	f.Fuzz(func(t *testing.T, body []byte) {
		p, payload, ok := parseQuick(body)
		if !ok {
			return
		}
		want, wantPayload, err := parseAny(body)
		if err != nil || !reflect.DeepEqual(p, want) || !bytes.Equal(payload, wantPayload) {
			t.Errorf("%x: read as %+v instead of %+v, %v", body, p, want, err)
		}
	})
}

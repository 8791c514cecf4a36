package amqp

import (
	"encoding/hex"
	"reflect"
	"testing"
)

// Every field of every performative survives; empty fields are absent on the wire.
func TestPerformativesSurviveEncoding(t *testing.T) {
	fields := Map{{Symbol("a"), "b"}}
	two := []Symbol{"x", "y"}
	source := &Source{
		Address: "q", Durable: 2, ExpiryPolicy: "never", Timeout: 5, Dynamic: true, DynamicNodeProperties: fields, DistributionMode: "copy",
		Filter:         Map{{Symbol("com.microsoft:session-filter"), Described{uint64(0x137000000C), nil}}},
		DefaultOutcome: Modified{DeliveryFailed: true}, Outcomes: two, Capabilities: []Symbol{"one"},
	}
	target := &Target{Address: "q", Durable: 1, ExpiryPolicy: "link-detach", Timeout: 6, Dynamic: true, DynamicNodeProperties: fields, Capabilities: two}
	for _, p := range []composite{
		&Open{"c", "h", 512, 7, 8, two, two, two, two, fields},
		&Begin{ptr(uint16(1)), 2, 3, 4, 5, two, two, fields},
		&Attach{"n", 1, RoleReceiver, 0, 1, source, target, nil, Map{{[]byte{1}, nil}}, true, ptr(uint32(2)), 3, two, two, fields},
		&Attach{Name: "n", Coordinator: &Described{uint64(0x30), List{}}, InitialDeliveryCount: ptr(uint32(0))},
		&Flow{ptr(uint32(1)), 2, 3, 4, ptr(uint32(5)), ptr(uint32(6)), ptr(uint32(7)), ptr(uint32(8)), true, true, fields},
		&Transfer{1, ptr(uint32(2)), []byte{3}, ptr(uint32(4)), true, true, ptr(uint8(1)), Received{5, 6}, true, true, true},
		&Disposition{RoleReceiver, 1, ptr(uint32(2)), true, OtherState{uint64(0x34), List{[]byte{1}, nil}}, true},
		&Disposition{State: OtherState{Symbol("own:state"), "not a list"}},
		&Detach{1, true, &Error{"x:y", "d", fields}},
		&End{&Error{Condition: "x:y"}},
		&Close{},
	} {
		b, err := appendFrame(nil, frameAMQP, 0, p, []byte("payload"))
		if err != nil {
			t.Fatal(err)
		}
		back, payload, err := parsePerformative(b[frameHeader:])
		if err != nil || !reflect.DeepEqual(back, p) || string(payload) != "payload" {
			t.Errorf("%+v comes back as %+v with %q, %v", p, back, payload, err)
		}
	}
}

func TestSymbolicDescriptorsAndSpareFieldsAreRead(t *testing.T) {
	in := "00a30f" + hex.EncodeToString([]byte("amqp:close:list")) + "c01a02" +
		"00a30f" + hex.EncodeToString([]byte("amqp:error:list")) + "c00401a30178" + "41"
	b, err := hex.DecodeString(in)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := parsePerformative(b)
	if want := (&Close{&Error{Condition: "x"}}); err != nil || !reflect.DeepEqual(p, want) {
		t.Errorf("read %+v, %v", p, err)
	}
}

func TestFieldsOfAWrongTypeAreNamed(t *testing.T) {
	for in, want := range map[string]string{
		"005310c0020141":                "amqp:decode-error: open: field container-id has the type boolean",
		"005310c0020140":                "amqp:decode-error: open: the mandatory field container-id is missing",
		"00531040":                      "amqp:decode-error: open is not a list but of the type null",
		"005318c0050100537545":          "amqp:decode-error: close: field error has the descriptor 0x75",
		"005316c0070343420053" + "1d45": "amqp:decode-error: error: the mandatory field condition is missing",
		"005342c0020141":                "amqp:decode-error: sasl-challenge: field challenge has the type boolean",
	} {
		b, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(in, err)
		}
		_, _, err = parsePerformative(b)
		if err == nil || err.Error() != want {
			t.Errorf("%s gives %v, want %s", in, err, want)
		}
	}
}

func TestATransactionCoordinatorIsRefused(t *testing.T) {
	p := openRaw(t, Config{}, acceptAll(nil, nil))
	p.send(0, &Attach{Name: "tx", Role: RoleSender, Source: &Source{}, Coordinator: &Described{uint64(0x30), List{}}})
	if a := expect[*Attach](p); a.Target != nil {
		t.Errorf("the attach is %+v", a)
	}
	if d := expect[*Detach](p); !d.Closed || d.Error == nil || d.Error.Condition != CondNotImplemented {
		t.Errorf("the detach is %+v", d)
	}
}

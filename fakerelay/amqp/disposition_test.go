package amqp

import (
	"reflect"
	"slices"
	"testing"
)

// outcome is what an OnOutcome was told.
type outcome struct {
	tag     byte
	state   DeliveryState
	settled bool
}

// sendThree has three unsettled deliveries with the tags 0, 1, 2 sent to the raw peer.
func sendThree(t *testing.T, told chan outcome, answer bool) *rawPeer {
	p := openRaw(t, Config{}, Handler{Attach: func(r *AttachRequest) {
		s, err := r.AcceptSender(SenderOptions{OnOutcome: func(d *Sent, state DeliveryState, settled bool) {
			told <- outcome{d.Tag()[0], state, settled}
			if answer {
				d.Settle(state)
				d.Settle(Released{}) // too late: nothing is said
			}
		}})
		if err != nil {
			t.Error(err)
		}
		for tag := range byte(3) {
			if _, err := s.Send(Outgoing{Payload: nullValue, Tag: []byte{tag}}); err != nil {
				t.Error(err)
			}
		}
	}})
	p.receiving(0)
	p.send(0, grant(3))
	for range 3 {
		expect[*Transfer](p)
	}
	return p
}

func TestRangesOfDispositionsReachEachDelivery(t *testing.T) {
	told := make(chan outcome, 9)
	p := sendThree(t, told, false)
	rejected := Rejected{Errorf("x:y", "z")}
	modified := Modified{DeliveryFailed: true, MessageAnnotations: Map{{Symbol("a"), "b"}}}
	p.send(0, &Disposition{Role: RoleReceiver, First: 1, Last: ptr(uint32(4e9)), State: rejected}) // last before first: ignored
	p.send(0, &Disposition{Role: RoleReceiver, First: 1, Last: ptr(uint32(2)), State: rejected})
	p.send(0, &Disposition{Role: RoleReceiver, First: 0, Last: ptr(uint32(1000)), State: modified, Settled: true})
	p.send(0, &Disposition{Role: RoleReceiver, First: 0, Last: ptr(uint32(2)), State: Released{}}) // all are settled: ignored
	want := []outcome{{1, rejected, false}, {2, rejected, false}, {0, modified, true}, {1, modified, true}, {2, modified, true}}
	for i, w := range want {
		if got := <-told; !reflect.DeepEqual(got, w) {
			t.Errorf("outcome %d is %+v, want %+v", i, got, w)
		}
	}
	p.send(0, &Flow{NextIncomingID: ptr(uint32(3)), Echo: true})
	expect[*Flow](p) // what was ignored has passed
	if len(told) > 0 {
		t.Errorf("also told: %+v", <-told)
	}
}

func TestSettlingIsConfirmedOnce(t *testing.T) {
	p := sendThree(t, make(chan outcome, 9), true)
	p.send(0, &Disposition{Role: RoleReceiver, First: 0, Last: ptr(uint32(2)), State: Accepted{}})
	var settled []uint32
	for len(settled) < 3 {
		d := expect[*Disposition](p)
		if d.Role != RoleSender || !d.Settled || d.State != (Accepted{}) {
			t.Errorf("the disposition is %+v", d)
		}
		for id := d.First; id <= *d.Last; id++ {
			settled = append(settled, id)
		}
	}
	if !slices.Equal(settled, []uint32{0, 1, 2}) {
		t.Errorf("settled %v", settled)
	}
}

// While the writer is busy dispositions gather, and leave as ranges.
func TestDispositionsGather(t *testing.T) {
	c := NewConn(nil, Config{}, Handler{})
	c.peer = &Open{MaxFrameSize: 512}
	s := newSession(c, 3, &Begin{})
	for id := range uint32(5) {
		s.dispose(RoleReceiver, id, true, Accepted{})
	}
	s.dispose(RoleReceiver, 7, true, Accepted{})
	s.dispose(RoleReceiver, 8, true, Released{})
	s.dispose(RoleReceiver, 9, true, Released{})
	s.dispose(RoleReceiver, 10, false, Released{})
	s.dispose(RoleReceiver, 11, true, Rejected{})
	s.dispose(RoleReceiver, 12, true, Rejected{})
	out, _ := c.takeOut(false)
	var ranges [][2]uint32
	for len(out) > 0 {
		size := int(out[3])
		p, _, err := parsePerformative(out[frameHeader:size])
		if err != nil {
			t.Fatal(err)
		}
		d := p.(*Disposition)
		ranges = append(ranges, [2]uint32{d.First, *d.Last})
		out = out[size:]
	}
	want := [][2]uint32{{0, 4}, {7, 7}, {8, 9}, {10, 10}, {11, 11}, {12, 12}}
	if !slices.Equal(ranges, want) {
		t.Errorf("the ranges are %v, want %v", ranges, want)
	}
}

func TestReceivedDeliveriesAreSettledByState(t *testing.T) {
	received := make(chan *Delivery, 3)
	p := openRaw(t, Config{}, acceptAll(received, nil))
	p.sending(0)
	states := []DeliveryState{Rejected{Errorf("x:y", "z")}, Modified{UndeliverableHere: true}, Released{}}
	for id, state := range states {
		p.send(0, &Transfer{DeliveryID: ptr(uint32(id)), DeliveryTag: []byte{byte(id)}}, nullValue...)
		d := <-received
		d.Settle(state)
		d.Settle(Accepted{}) // too late
		got := expect[*Disposition](p)
		if got.Role != RoleReceiver || got.First != uint32(id) || !got.Settled || !reflect.DeepEqual(got.State, state) {
			t.Errorf("the disposition is %+v, want %+v", got, state)
		}
	}
}

// With rcv-settle-mode second we state the outcome, the sender settles, and only then is the credit free.
func TestReceiverThatSettlesSecond(t *testing.T) {
	received := make(chan *Delivery, 1)
	p := openRaw(t, Config{}, Handler{Attach: func(r *AttachRequest) {
		r.AcceptReceiver(ReceiverOptions{Credit: 1, OnTransfer: func(d *Delivery) { received <- d }})
	}})
	p.send(0, &Attach{Name: "in", Role: RoleSender, RcvSettleMode: ReceiverSecond, Target: &Target{}, InitialDeliveryCount: ptr(uint32(7))})
	if a := expect[*Attach](p); a.RcvSettleMode != ReceiverSecond {
		t.Errorf("the attach is %+v", a)
	}
	expect[*Flow](p)
	p.send(0, &Transfer{DeliveryID: ptr(uint32(0)), DeliveryTag: []byte{1}}, nullValue...)
	(<-received).Settle(Accepted{})
	if d := expect[*Disposition](p); d.Settled || d.State != (Accepted{}) {
		t.Errorf("the disposition is %+v", d)
	}
	p.send(0, &Flow{NextIncomingID: ptr(uint32(0)), Handle: ptr(uint32(0)), Echo: true})
	if echo := expect[*Flow](p); *echo.LinkCredit != 0 {
		t.Errorf("before the sender settles the credit is %d", *echo.LinkCredit)
	}
	p.send(0, &Disposition{Role: RoleSender, First: 0, Settled: true})
	if f := expect[*Flow](p); *f.LinkCredit != 1 || *f.DeliveryCount != 8 {
		t.Errorf("the flow is %+v", f)
	}
}

// SettleFirst does not wait for the sender, whatever was agreed.
func TestReceiverThatSettlesFirst(t *testing.T) {
	p := openRaw(t, Config{}, Handler{Attach: func(r *AttachRequest) { r.AcceptReceiver(ReceiverOptions{Credit: 1, SettleFirst: true}) }})
	p.send(0, &Attach{Name: "in", Role: RoleSender, RcvSettleMode: ReceiverSecond, Target: &Target{}, InitialDeliveryCount: ptr(uint32(0))})
	expect[*Attach](p)
	expect[*Flow](p)
	p.send(0, &Transfer{DeliveryID: ptr(uint32(0)), DeliveryTag: []byte{1}}, nullValue...)
	if d := expect[*Disposition](p); !d.Settled || d.State != (Accepted{}) {
		t.Errorf("the disposition is %+v", d)
	}
}

func TestMessageThatDoesNotDecodeIsRejected(t *testing.T) {
	p := openRaw(t, Config{}, acceptAll(nil, nil))
	p.sending(0)
	p.send(0, &Transfer{DeliveryID: ptr(uint32(0)), DeliveryTag: []byte{1}}, 0xff)
	d := expect[*Disposition](p)
	r, ok := d.State.(Rejected)
	if !ok || r.Error == nil || r.Error.Condition != CondDecodeError {
		t.Errorf("the disposition is %+v", d)
	}
}

func TestAbortedDeliveryIsNotShown(t *testing.T) {
	received := make(chan *Delivery, 2)
	p := openRaw(t, Config{}, acceptAll(received, nil))
	p.sending(0)
	p.send(0, &Transfer{DeliveryID: ptr(uint32(0)), DeliveryTag: []byte{1}, More: true}, nullValue...)
	p.send(0, &Transfer{Aborted: true})
	p.send(0, &Transfer{DeliveryID: ptr(uint32(1)), DeliveryTag: []byte{2}, More: true}, nullValue[:1]...)
	p.send(0, &Transfer{DeliveryID: ptr(uint32(1)), Settled: true}, nullValue[1:]...)
	if d := <-received; d.Tag[0] != 2 || !d.Settled || len(d.Payload) != len(nullValue) {
		t.Errorf("received %+v", d)
	}
}

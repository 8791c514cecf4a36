package amqp

import "testing"

// After our end everything but the peer's is ignored: it was under way. Then the channel may be used again.
func TestFramesAfterEndAreIgnored(t *testing.T) {
	senders := make(chan *Sender, 1)
	p := openRaw(t, Config{}, acceptAll(nil, senders))
	p.receiving(0)
	s := <-senders
	s.Session().End(Errorf(CondInternalError, "enough"))
	if e := expect[*End](p); e.Error == nil || e.Error.Condition != CondInternalError {
		t.Errorf("the end is %+v", e)
	}
	p.send(0, &Transfer{Handle: 77})
	p.send(0, &Detach{Handle: 77})
	p.send(0, &Attach{Name: "ignored", Handle: 5, Role: RoleReceiver})
	s.Session().End(nil) // a second one says nothing
	p.send(0, &End{})
	p.send(0, &Begin{IncomingWindow: 1, HandleMax: 1})
	if b := expect[*Begin](p); b.RemoteChannel == nil || *b.RemoteChannel != 0 {
		t.Errorf("the begin is %+v", b)
	}
	p.receiving(0)
	if s := <-senders; s.Name() != "out" {
		t.Errorf("the link %q was attached", s.Name())
	}
}

// A session's channel and windows are its own.
func TestSessionsAreIndependent(t *testing.T) {
	p := openRaw(t, Config{}, acceptAll(nil, nil))
	for channel := uint16(1); channel < 4; channel++ {
		p.send(channel, &Begin{NextOutgoingID: 100, IncomingWindow: 1, HandleMax: 1})
		if b := expect[*Begin](p); *b.RemoteChannel != channel || b.IncomingWindow != sessionWindow || b.HandleMax != 255 {
			t.Errorf("the begin is %+v", b)
		}
	}
	p.send(2, &End{})
	if e := expect[*End](p); e.Error != nil {
		t.Errorf("the end is %+v", e)
	}
	p.send(3, &Flow{NextIncomingID: ptr(uint32(0)), NextOutgoingID: 100, Echo: true})
	if f := expect[*Flow](p); *f.NextIncomingID != 100 {
		t.Errorf("the flow is %+v", f)
	}
}

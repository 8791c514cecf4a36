package amqp

import (
	"bytes"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

var nullValue = []byte{0x00, 0x53, 0x77, 0x40} // a message of one amqp-value, null

func TestCreditIsRespected(t *testing.T) {
	senders := make(chan *Sender, 1)
	p := openRaw(t, Config{}, acceptAll(nil, senders))
	p.receiving(0)
	s := <-senders
	for range 5 {
		if _, err := s.Send(Outgoing{Payload: nullValue}); err != nil {
			t.Fatal(err)
		}
	}
	f := grant(3)
	f.Echo = true
	p.send(0, f)
	for id := range uint32(3) {
		tr := expect[*Transfer](p)
		if tr.DeliveryID == nil || *tr.DeliveryID != id || len(tr.DeliveryTag) == 0 || tr.MessageFormat == nil || !bytes.Equal(p.payload, nullValue) {
			t.Errorf("transfer %d is %+v with %x", id, tr, p.payload)
		}
	}
	echo := expect[*Flow](p)
	if *echo.LinkCredit != 0 || *echo.DeliveryCount != 3 || echo.NextOutgoingID != 3 || echo.NextIncomingID == nil {
		t.Errorf("the echo is %+v", echo)
	}
	if s.Credit() != 0 {
		t.Errorf("the sender has a credit of %d", s.Credit())
	}

	// The peer counts from what it has seen: its third delivery is still under way, so 3 is 2 more.
	f = grant(3)
	f.NextIncomingID, f.DeliveryCount = ptr(uint32(2)), ptr(uint32(2))
	p.send(0, f)
	expect[*Transfer](p)
	expect[*Transfer](p)
}

func TestSessionWindowIsRespected(t *testing.T) {
	senders := make(chan *Sender, 1)
	p := openRaw(t, Config{}, acceptAll(nil, senders))
	p.receiving(0)
	s := <-senders
	f := grant(10)
	f.IncomingWindow = 2
	p.send(0, f)
	for range 3 {
		if _, err := s.Send(Outgoing{Payload: nullValue}); err != nil {
			t.Fatal(err)
		}
	}
	expect[*Transfer](p)
	expect[*Transfer](p)
	if s.Credit() != 0 {
		t.Errorf("without a window the sender has a credit of %d", s.Credit())
	}
	p.send(0, &Flow{NextIncomingID: ptr(uint32(2)), IncomingWindow: 0, Echo: true})
	if echo := expect[*Flow](p); echo.NextOutgoingID != 2 || echo.Handle != nil {
		t.Errorf("the echo is %+v", echo)
	}
	p.send(0, &Flow{NextIncomingID: ptr(uint32(2)), IncomingWindow: 5})
	expect[*Transfer](p)
	if s.Credit() != 7 {
		t.Errorf("the sender has a credit of %d, want 7", s.Credit())
	}
}

func TestOurWindowIsOpenedAgainWithNextIncomingID(t *testing.T) {
	p := openRaw(t, Config{}, acceptAll(nil, nil))
	p.sending(0)
	id := uint32(0)
	p.send(0, &Transfer{DeliveryID: &id, DeliveryTag: []byte{1}, More: true, Settled: true})
	for range sessionWindow/2 - 1 {
		p.send(0, &Transfer{More: true})
	}
	f := expect[*Flow](p)
	if *f.NextIncomingID != sessionWindow/2 || f.IncomingWindow != sessionWindow {
		t.Errorf("the flow is %+v", f)
	}
}

func TestUnusedCreditIsGivenBackOnDrain(t *testing.T) {
	senders := make(chan *Sender, 1)
	p := openRaw(t, Config{}, acceptAll(nil, senders))
	p.receiving(0)
	s := <-senders
	if _, err := s.Send(Outgoing{Payload: nullValue}); err != nil {
		t.Fatal(err)
	}
	f := grant(10)
	f.Drain = true
	p.send(0, f)
	expect[*Transfer](p)
	answer := expect[*Flow](p)
	if *answer.LinkCredit != 0 || *answer.DeliveryCount != 10 || !answer.Drain {
		t.Errorf("the answer is %+v", answer)
	}
}

func TestDrainWaitsForTheOwner(t *testing.T) {
	asked := make(chan *Sender, 1)
	p := openRaw(t, Config{}, Handler{Attach: func(r *AttachRequest) {
		r.AcceptSender(SenderOptions{OnDrain: func(s *Sender) { asked <- s }})
	}})
	p.receiving(0)
	f := grant(2)
	f.Drain = true
	p.send(0, f)
	s := <-asked
	if _, err := s.Send(Outgoing{Payload: nullValue}); err != nil {
		t.Fatal(err)
	}
	s.Drained()
	expect[*Transfer](p)
	if answer := expect[*Flow](p); *answer.LinkCredit != 0 || *answer.DeliveryCount != 2 {
		t.Errorf("the answer is %+v", answer)
	}
	s.Drained() // nobody asks: nothing is said
	p.send(0, &Flow{NextIncomingID: ptr(uint32(1)), Echo: true})
	if echo := expect[*Flow](p); echo.Handle != nil {
		t.Errorf("unexpected flow %+v", echo)
	}
}

func TestFlowIsPossibleBeforeTheLinkIsAccepted(t *testing.T) {
	requests := make(chan *AttachRequest, 1)
	p := openRaw(t, Config{}, Handler{Attach: func(r *AttachRequest) { requests <- r }})
	p.send(0, &Attach{Name: "out", Role: RoleReceiver, Source: &Source{Address: "q"}, Target: &Target{}})
	p.send(0, grant(1))
	p.send(0, &Flow{NextIncomingID: ptr(uint32(0)), IncomingWindow: 10, Echo: true})
	expect[*Flow](p)
	s, err := (<-requests).AcceptSender(SenderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Credit() != 1 {
		t.Errorf("the sender has a credit of %d", s.Credit())
	}
}

func TestALinkWithoutCreditHoldsUpNoOther(t *testing.T) {
	senders := make(chan *Sender, 2)
	p := openRaw(t, Config{}, acceptAll(nil, senders))
	p.receiving(0)
	p.receiving(1)
	for range 2 {
		s := <-senders
		for range 2 {
			if _, err := s.Send(Outgoing{Payload: nullValue}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, handle := range []uint32{1, 0} {
		f := grant(2)
		f.Handle = &handle
		p.send(0, f)
		for range 2 {
			if tr := expect[*Transfer](p); tr.Handle != handle {
				t.Errorf("a transfer on the handle %d without credit", tr.Handle)
			}
		}
	}
}

func TestQueueOfASenderIsBounded(t *testing.T) {
	senders := make(chan *Sender, 1)
	p := openRaw(t, Config{}, acceptAll(nil, senders))
	p.receiving(0)
	s := <-senders
	for range MaxQueued {
		if _, err := s.Send(Outgoing{Payload: nullValue}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Send(Outgoing{Payload: nullValue}); !errors.Is(err, ErrQueueFull) {
		t.Errorf("one more gives %v", err)
	}
}

// A peer that grants all credit there is and reads nothing gets what fits into the buffers, and then loses its
// connection.
func TestAPeerThatDoesNotRead(t *testing.T) {
	var sent atomic.Int64
	pump := func(s *Sender) {
		for s.Credit() > 0 {
			if _, err := s.Send(Outgoing{Payload: make([]byte, 10000), Settled: true}); err != nil {
				return
			}
			sent.Add(1)
		}
	}
	p := openRaw(t, Config{WriteTimeout: 100 * time.Millisecond, CloseTimeout: time.Millisecond}, Handler{Attach: func(r *AttachRequest) {
		r.AcceptSender(SenderOptions{OnCredit: pump})
	}})
	p.receiving(0)
	f := grant(1 << 31)
	f.IncomingWindow = 1 << 31
	p.send(0, f)
	if err := p.end(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Serve returns %v", err)
	}
	if n := sent.Load(); n == 0 || n > 5000 {
		t.Errorf("%d messages of 10 KB were taken", n)
	}
}

func TestEmptyFramesKeepTheConnectionAlive(t *testing.T) {
	p := connectRaw(t, Config{}, Handler{})
	p.open(&Open{ContainerID: "raw", MaxFrameSize: 512, IdleTimeout: 100})
	for range 3 {
		if _, body, err := p.frames.readFrame(frameAMQP); err != nil || len(body) != 0 {
			t.Fatalf("received %x, %v", body, err)
		}
	}
	p.send(0, &Close{})
	expect[*Close](p)
	if err := p.end(); err != nil {
		t.Errorf("Serve returns %v", err)
	}
}

func TestOpenAnnouncesTheLimits(t *testing.T) {
	p := connectRaw(t, Config{ContainerID: "c", Properties: Map{{Symbol("product"), "p"}}}, Handler{})
	o := p.open(&Open{ContainerID: "raw", MaxFrameSize: 512})
	if o.ContainerID != "c" || o.MaxFrameSize != 65536 || o.ChannelMax != 4999 || o.IdleTimeout != 120000 || len(o.Properties) != 1 {
		t.Errorf("the open is %+v", o)
	}
}

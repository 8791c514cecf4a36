package amqp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	goamqp "github.com/Azure/go-amqp"

	"passback/fakerelay/amqp"
)

func newSender(t testing.TB, s *goamqp.Session, o *goamqp.SenderOptions) *goamqp.Sender {
	t.Helper()
	sender, err := s.NewSender(testContext(t), "q", o)
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

func newReceiver(t testing.TB, s *goamqp.Session, o *goamqp.ReceiverOptions) *goamqp.Receiver {
	t.Helper()
	receiver, err := s.NewReceiver(testContext(t), "q", o)
	if err != nil {
		t.Fatal(err)
	}
	return receiver
}

func send(t *testing.T, s *goamqp.Sender, body []byte) {
	t.Helper()
	if err := s.Send(testContext(t), goamqp.NewMessage(body), nil); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, r *goamqp.Receiver) *goamqp.Message {
	t.Helper()
	m, err := r.Receive(testContext(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestStockClientSendsAndReceives(t *testing.T) {
	q := &queue{outcomes: make(chan amqp.DeliveryState, 1)}
	s := serve(t, amqp.Config{}, amqp.Handler{Attach: q.attach})
	ses := session(t, dial(t, s, nil))
	receiver := newReceiver(t, ses, &goamqp.ReceiverOptions{SettlementMode: goamqp.ReceiverSettleModeSecond.Ptr()})
	settle := map[string]func(*goamqp.Message) error{
		"accepted": func(m *goamqp.Message) error { return receiver.AcceptMessage(testContext(t), m) },
		"released": func(m *goamqp.Message) error { return receiver.ReleaseMessage(testContext(t), m) },
		"rejected": func(m *goamqp.Message) error {
			return receiver.RejectMessage(testContext(t), m, &goamqp.Error{Condition: "x:y"})
		},
		"modified": func(m *goamqp.Message) error {
			return receiver.ModifyMessage(testContext(t), m, &goamqp.ModifyMessageOptions{UndeliverableHere: true})
		},
	}
	want := map[string]string{
		"accepted": "amqp.Accepted{}", "released": "amqp.Released{}", "rejected": "amqp.Rejected",
		"modified": "amqp.Modified{DeliveryFailed:false, UndeliverableHere:true",
	}
	sender := newSender(t, ses, nil)
	for name, settle := range settle {
		send(t, sender, []byte(name))
		m := receive(t, receiver)
		if string(m.GetData()) != name {
			t.Errorf("received %q", m.GetData())
		}
		if err := settle(m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := fmt.Sprintf("%#v", wait(t, q.outcomes)); !bytes.HasPrefix([]byte(got), []byte(want[name])) {
			t.Errorf("the outcome is %s, want %s", got, want[name])
		}
	}
}

func TestMessagesLargerThanAFrameArriveWhole(t *testing.T) {
	q := &queue{}
	s := serve(t, amqp.Config{MaxFrameSize: 4096}, amqp.Handler{Attach: q.attach})
	ses := session(t, dial(t, s, &goamqp.ConnOptions{MaxFrameSize: 512}))
	body := bytes.Repeat([]byte("0123456789abcdef"), 40000) // 640 KB: over 1000 frames out
	send(t, newSender(t, ses, nil), body)
	if got := receive(t, newReceiver(t, ses, nil)).GetData(); !bytes.Equal(got, body) {
		t.Error("the body has changed")
	}
}

// More transfers on one session than any window holds, in both directions, settled and unsettled.
func TestManyTransfersOnOneSession(t *testing.T) {
	const n = 12000
	for name, modes := range map[string]struct {
		send goamqp.SenderSettleMode
		recv goamqp.ReceiverSettleMode
	}{
		"settled":   {goamqp.SenderSettleModeSettled, goamqp.ReceiverSettleModeFirst},
		"unsettled": {goamqp.SenderSettleModeUnsettled, goamqp.ReceiverSettleModeSecond},
	} {
		t.Run(name, func(t *testing.T) {
			q := &queue{}
			s := serve(t, amqp.Config{}, amqp.Handler{Attach: q.attach})
			ses := session(t, dial(t, s, nil))
			sender := newSender(t, ses, &goamqp.SenderOptions{SettlementMode: modes.send.Ptr()})
			receiver := newReceiver(t, ses, &goamqp.ReceiverOptions{Credit: 8000, SettlementMode: modes.recv.Ptr(), RequestedSenderSettleMode: modes.send.Ptr()})
			ctx := testContext(t)
			sent := make(chan error, 1)
			go func() {
				sent <- sendAll(ctx, sender, n, name == "settled")
			}()
			for i := range n {
				m, err := receiver.Receive(ctx, nil)
				if err != nil {
					t.Fatal(i, err)
				}
				if string(m.GetData()) != fmt.Sprint(i) {
					t.Fatalf("message %d is %q", i, m.GetData())
				}
				if name == "unsettled" {
					if err := receiver.AcceptMessage(ctx, m); err != nil {
						t.Fatal(i, err)
					}
				}
			}
			if err := wait(t, sent); err != nil {
				t.Error(err)
			}
		})
	}
}

// sendAll does not wait for the outcomes of what it sends unsettled: they pile up.
func sendAll(ctx context.Context, sender *goamqp.Sender, n int, settled bool) (err error) {
	for i := 0; i < n && err == nil; i++ {
		m := goamqp.NewMessage(fmt.Append(nil, i))
		if settled {
			err = sender.Send(ctx, m, nil)
		} else {
			_, err = sender.SendWithReceipt(ctx, m, nil)
		}
	}
	return err
}

func TestStockClientDrains(t *testing.T) {
	s := serve(t, amqp.Config{}, amqp.Handler{Attach: (&queue{}).attach})
	ses := session(t, dial(t, s, nil))
	receiver := newReceiver(t, ses, &goamqp.ReceiverOptions{Credit: -1})
	for range 2 {
		if err := receiver.IssueCredit(5); err != nil {
			t.Fatal(err)
		}
		if err := receiver.DrainCredit(testContext(t), nil); err != nil {
			t.Fatal(err)
		}
	}
	send(t, newSender(t, ses, nil), []byte("after the drain"))
	if m := receiver.Prefetched(); m != nil {
		t.Errorf("received %q without credit", m.GetData())
	}
	if err := receiver.IssueCredit(1); err != nil {
		t.Fatal(err)
	}
	receive(t, receiver)
}

func TestRefusedLinks(t *testing.T) {
	s := serve(t, amqp.Config{MaxLinks: 2}, amqp.Handler{Attach: func(r *amqp.AttachRequest) {
		r.Refuse(&amqp.Error{Condition: amqp.CondNotFound, Description: "no such node", Info: amqp.Map{{Key: amqp.Symbol("a"), Value: "b"}}})
	}})
	ses := session(t, dial(t, s, nil))
	_, sending := ses.NewSender(testContext(t), "q", nil)
	_, receiving := ses.NewReceiver(testContext(t), "q", nil)
	for _, err := range []error{sending, receiving} {
		var remote *goamqp.Error
		if !errors.As(err, &remote) || remote.Condition != goamqp.ErrCondNotFound || remote.Description != "no such node" || remote.Info["a"] != "b" {
			t.Errorf("the client is told %v", err)
		}
	}
}

func TestServerWithoutNodesRefusesLinks(t *testing.T) {
	s := serve(t, amqp.Config{}, amqp.Handler{})
	_, err := session(t, dial(t, s, nil)).NewSender(testContext(t), "q", nil)
	var remote *goamqp.Error
	if !errors.As(err, &remote) || remote.Condition != goamqp.ErrCondNotImplemented {
		t.Errorf("the client is told %v", err)
	}
}

func TestLinksOfAConnectionAreLimited(t *testing.T) {
	s := serve(t, amqp.Config{MaxLinks: 1}, amqp.Handler{Attach: (&queue{}).attach})
	c := dial(t, s, nil)
	first := newSender(t, session(t, c), nil)
	_, err := session(t, c).NewSender(testContext(t), "q", nil)
	var remote *goamqp.Error
	if !errors.As(err, &remote) || remote.Condition != goamqp.ErrCondResourceLimitExceeded {
		t.Errorf("the client is told %v", err)
	}
	if err := first.Close(testContext(t)); err != nil {
		t.Fatal(err)
	}
	newSender(t, session(t, c), nil)
}

func TestAttachAnswersWhatTheOwnerSays(t *testing.T) {
	s := serve(t, amqp.Config{}, amqp.Handler{Attach: func(r *amqp.AttachRequest) {
		source := *r.Attach.Source
		source.Filter = amqp.Map{{Key: amqp.Symbol("f:g"), Value: amqp.Described{Descriptor: uint64(0x137000000C), Value: "granted"}}}
		r.AcceptSender(amqp.SenderOptions{Answer: amqp.Answer{
			Source: &source, Properties: amqp.Map{{Key: amqp.Symbol("locked-until"), Value: int64(5)}},
		}})
	}})
	receiver := newReceiver(t, session(t, dial(t, s, nil)), &goamqp.ReceiverOptions{
		Filters: []goamqp.LinkFilter{goamqp.NewLinkFilter("f:g", 0x137000000C, nil)},
	})
	if receiver.LinkSourceFilterValue("f:g") != "granted" || receiver.Properties()["locked-until"] != int64(5) {
		t.Errorf("the client sees the filter %v, the properties %v", receiver.LinkSourceFilterValue("f:g"), receiver.Properties())
	}
}

// An attach may be answered later and from elsewhere; meanwhile the connection goes on.
func TestAttachAnsweredLater(t *testing.T) {
	requests := make(chan *amqp.AttachRequest, 2)
	s := serve(t, amqp.Config{}, amqp.Handler{Attach: func(r *amqp.AttachRequest) { requests <- r }})
	c := dial(t, s, nil)
	attached := make(chan error, 1)
	ses := session(t, c)
	go func() {
		_, err := ses.NewReceiver(testContext(t), "q", nil)
		attached <- err
	}()
	r := wait(t, requests)
	session(t, c)
	if _, err := r.AcceptReceiver(amqp.ReceiverOptions{}); err == nil {
		t.Error("a link that the peer receives on is accepted as one that it sends on")
	}
	if _, err := r.AcceptSender(amqp.SenderOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, attached); err != nil {
		t.Error(err)
	}
	r.Refuse(nil) // too late
	if _, err := r.AcceptSender(amqp.SenderOptions{}); !errors.Is(err, amqp.ErrLinkClosed) {
		t.Errorf("accepted twice: %v", err)
	}
}

// Who owns a link can end it without knowing whether its attach has been answered yet.
func TestAttachDetachedBeforeAndAfterItsAnswer(t *testing.T) {
	gone := amqp.Errorf(amqp.CondDetachForced, "gone")
	s := serve(t, amqp.Config{}, amqp.Handler{Attach: func(r *amqp.AttachRequest) {
		if r.Attach.Source.Address == "before" {
			r.Detach(gone)
		}
		if _, err := r.AcceptSender(amqp.SenderOptions{}); err == nil {
			r.Detach(gone)
		}
	}})
	ses := session(t, dial(t, s, nil))
	_, before := ses.NewReceiver(testContext(t), "before", nil)
	receiver, err := ses.NewReceiver(testContext(t), "after", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, after := receiver.Receive(testContext(t), nil)
	for _, err := range []error{before, after} {
		var refused *goamqp.LinkError
		var condition *goamqp.Error
		if errors.As(err, &refused) {
			condition = refused.RemoteErr
		} else if !errors.As(err, &condition) {
			t.Fatalf("got %v, want a detach", err)
		}
		if condition.Condition != goamqp.ErrCondDetachForced {
			t.Errorf("got %v", condition)
		}
	}
}

func TestAttachGivenUpByThePeer(t *testing.T) {
	requests := make(chan *amqp.AttachRequest, 1)
	s := serve(t, amqp.Config{}, amqp.Handler{Attach: func(r *amqp.AttachRequest) { requests <- r }})
	ses := session(t, dial(t, s, nil))
	ctx, cancel := context.WithCancel(context.Background())
	go ses.NewReceiver(ctx, "q", nil)
	r := wait(t, requests)
	cancel()
	go ses.Close(testContext(t))
	wait(t, r.Context().Done())
	if _, err := r.AcceptSender(amqp.SenderOptions{}); !errors.Is(err, amqp.ErrLinkClosed) {
		t.Errorf("accepted: %v", err)
	}
}

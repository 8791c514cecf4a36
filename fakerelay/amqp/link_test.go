package amqp_test

import (
	"bytes"
	"testing"

	goamqp "github.com/Azure/go-amqp"

	"passback/fakerelay/amqp"
)

func TestStockClientSendsAndReceives(t *testing.T) {
	q := &queue{outcomes: make(chan amqp.DeliveryState, 1)}
	s := serve(t, amqp.Config{}, amqp.Handler{Attach: q.attach})
	ctx := testContext(t)
	ses := session(t, dial(t, s, nil))

	sender, err := ses.NewSender(ctx, "q", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(ctx, goamqp.NewMessage([]byte("hello")), nil); err != nil {
		t.Fatal(err)
	}
	receiver, err := ses.NewReceiver(ctx, "q", &goamqp.ReceiverOptions{SettlementMode: goamqp.ReceiverSettleModeSecond.Ptr()})
	if err != nil {
		t.Fatal(err)
	}
	m, err := receiver.Receive(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if string(m.GetData()) != "hello" {
		t.Errorf("received %q", m.GetData())
	}
	if err := receiver.AcceptMessage(ctx, m); err != nil {
		t.Fatal(err)
	}
	if got := wait(t, q.outcomes); got != (amqp.Accepted{}) {
		t.Errorf("the outcome is %v", got)
	}
}

func TestMessagesLargerThanAFrameArriveWhole(t *testing.T) {
	q := &queue{}
	s := serve(t, amqp.Config{MaxFrameSize: 4096}, amqp.Handler{Attach: q.attach})
	ctx := testContext(t)
	ses := session(t, dial(t, s, &goamqp.ConnOptions{MaxFrameSize: 512}))
	body := bytes.Repeat([]byte("0123456789abcdef"), 40000) // 640 KB: over 1000 frames out

	sender, err := ses.NewSender(ctx, "q", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(ctx, goamqp.NewMessage(body), nil); err != nil {
		t.Fatal(err)
	}
	receiver, err := ses.NewReceiver(ctx, "q", nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := receiver.Receive(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.GetData(), body) {
		t.Error("the body has changed")
	}
}

package fakerelay_test

import (
	"bytes"
	"testing"

	"github.com/Azure/go-amqp"

	"passback/fakerelay"
)

// These tests use go-amqp as a bare AMQP 1.0 peer that has authorised itself over $cbs and knows nothing of Service Bus.

func TestEverySettlementMode(t *testing.T) {
	n := fakerelay.RunT(t)
	q, err := n.Queue(fakerelay.DefaultQueue)
	must(t, err)
	session := authorised(t, n)
	for sends, snd := range map[string]amqp.SenderSettleMode{
		"unsettled": amqp.SenderSettleModeUnsettled, "settled": amqp.SenderSettleModeSettled, "mixed": amqp.SenderSettleModeMixed,
	} {
		for receives, o := range map[string]amqp.ReceiverOptions{
			"settled":             {RequestedSenderSettleMode: amqp.SenderSettleModeSettled.Ptr()},
			"settled by receiver": {SettlementMode: amqp.ReceiverSettleModeFirst.Ptr()},
			"settled by both":     {SettlementMode: amqp.ReceiverSettleModeSecond.Ptr()},
		} {
			t.Run(sends+", "+receives, func(t *testing.T) {
				sender, err := session.NewSender(within(t), fakerelay.DefaultQueue, &amqp.SenderOptions{SettlementMode: snd.Ptr()})
				must(t, err)
				must(t, sender.Send(within(t), amqp.NewMessage([]byte("m")), nil))
				receiver, err := session.NewReceiver(within(t), fakerelay.DefaultQueue, &o)
				must(t, err)
				m, err := receiver.Receive(within(t), nil)
				must(t, err)
				if string(m.GetData()) != "m" {
					t.Errorf("received %q", m.GetData())
				}
				must(t, receiver.AcceptMessage(within(t), m))
				eventually(t, "the end of the message", func() bool { return q.Count() == 0 })
				must(t, receiver.Close(within(t)))
				must(t, sender.Close(within(t)))
			})
		}
	}
}

func TestDrainGivesCreditBack(t *testing.T) {
	session := authorised(t, fakerelay.RunT(t))
	sender, receiver := rawLinks(t, session, fakerelay.DefaultQueue, &amqp.ReceiverOptions{Credit: -1})
	must(t, sender.Send(within(t), amqp.NewMessage([]byte("there")), nil))
	must(t, receiver.IssueCredit(10))
	m, err := receiver.Receive(within(t), nil)
	must(t, err)
	must(t, receiver.AcceptMessage(within(t), m))
	must(t, receiver.DrainCredit(within(t), nil)) // of the other nine
	must(t, sender.Send(within(t), amqp.NewMessage([]byte("later")), nil))
	if m := receiver.Prefetched(); m != nil {
		t.Errorf("%q came without credit", m.GetData())
	}
	must(t, receiver.IssueCredit(1))
	m, err = receiver.Receive(within(t), nil)
	must(t, err)
	if string(m.GetData()) != "later" {
		t.Errorf("received %q", m.GetData())
	}
	must(t, receiver.AcceptMessage(within(t), m))
}

func TestMessageOverSeveralFrames(t *testing.T) {
	session := authorised(t, fakerelay.RunT(t))
	sender, receiver := rawLinks(t, session, fakerelay.DefaultQueue, nil)
	large := bytes.Repeat([]byte("0123456789"), 20_000) // a frame has 65,536 bytes at most
	must(t, sender.Send(within(t), amqp.NewMessage(large), nil))
	m, err := receiver.Receive(within(t), nil)
	must(t, err)
	if !bytes.Equal(m.GetData(), large) {
		t.Errorf("%d bytes came, and not as they were sent", len(m.GetData()))
	}
	must(t, receiver.AcceptMessage(within(t), m))
}

// The delivery tag is the lock token as .NET writes a GUID: the first three fields from their last byte.
func TestLockTokenIsTagAndAnnotation(t *testing.T) {
	session := authorised(t, fakerelay.RunT(t))
	sender, receiver := rawLinks(t, session, fakerelay.DefaultQueue, nil)
	must(t, sender.Send(within(t), amqp.NewMessage([]byte("m")), nil))
	m, err := receiver.Receive(within(t), nil)
	must(t, err)
	token, _ := m.DeliveryAnnotations["x-opt-lock-token"].(amqp.UUID)
	tag := m.DeliveryTag
	if len(tag) != 16 {
		t.Fatalf("the tag is %x", tag)
	}
	want := amqp.UUID(append([]byte{tag[3], tag[2], tag[1], tag[0], tag[5], tag[4], tag[7], tag[6]}, tag[8:]...))
	if token != want {
		t.Errorf("the annotation is %v, the tag %v", token, want)
	}
	must(t, receiver.AcceptMessage(within(t), m))
}

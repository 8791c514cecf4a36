package amqp_test

import (
	"context"
	"testing"

	goamqp "github.com/Azure/go-amqp"

	"passback/fakerelay/amqp"
)

// BenchmarkThroughQueue sends 1 KB, receives and accepts it, one at a time: two transfers and three dispositions.
func BenchmarkThroughQueue(b *testing.B) {
	s := serve(b, amqp.Config{}, amqp.Handler{Attach: (&queue{}).attach})
	ctx := context.Background()
	ses := session(b, dial(b, s, nil))
	sender := newSender(b, ses, nil)
	receiver := newReceiver(b, ses, &goamqp.ReceiverOptions{Credit: 10, SettlementMode: goamqp.ReceiverSettleModeSecond.Ptr()})
	m := goamqp.NewMessage(make([]byte, 1024))
	b.ReportAllocs()
	for b.Loop() {
		if err := sender.Send(ctx, m, nil); err != nil {
			b.Fatal(err)
		}
		got, err := receiver.Receive(ctx, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := receiver.AcceptMessage(ctx, got); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMessage decodes and encodes a message as Service Bus clients send them.
func BenchmarkMessage(b *testing.B) {
	text := "5b0b9bd2-6a2c-4d5f-8a0e-5d6d4c1f9f10"
	in, err := (&amqp.Message{
		Header: &amqp.Header{DeliveryCount: 1}, Properties: &amqp.Properties{MessageID: text, GroupID: &text},
		MessageAnnotations: amqp.Map{{Key: amqp.Symbol("x-opt-sequence-number"), Value: int64(5)}}, Data: [][]byte{make([]byte, 1024)},
	}).MarshalBinary()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var m amqp.Message
		if err := m.UnmarshalBinary(in); err != nil {
			b.Fatal(err)
		}
		if _, err := m.MarshalBinary(); err != nil {
			b.Fatal(err)
		}
	}
}

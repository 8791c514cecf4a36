package fakerelay_test

import (
	"context"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/fakerelay"
)

// One message sent, received and completed by the stock SDK over plain AMQP; with a backlog behind it, which
// must not matter.
func BenchmarkSendReceiveComplete(b *testing.B) {
	for name, backlog := range map[string]int{"empty queue": 0, "backlog of 20000": 20000} {
		b.Run(name, func(b *testing.B) {
			n, err := fakerelay.New(fakerelay.Options{})
			check(b, err)
			defer n.Close()
			ctx := context.Background()
			c, err := azservicebus.NewClientFromConnectionString(n.ConnectionString(), nil)
			check(b, err)
			defer c.Close(ctx)
			sender, err := c.NewSender(fakerelay.DefaultQueue, nil)
			check(b, err)
			for sent := 0; sent < backlog; {
				batch, err := sender.NewMessageBatch(ctx, nil)
				check(b, err)
				for range 1000 {
					check(b, batch.AddMessage(&azservicebus.Message{Body: []byte("waits")}, nil))
					sent++
				}
				check(b, sender.SendMessageBatch(ctx, batch, nil))
			}
			receiver, err := c.NewReceiverForQueue(fakerelay.DefaultQueue, nil)
			check(b, err)
			for b.Loop() {
				check(b, sender.SendMessage(ctx, &azservicebus.Message{Body: make([]byte, 1024)}, nil))
				messages, err := receiver.ReceiveMessages(ctx, 1, nil)
				check(b, err)
				check(b, receiver.CompleteMessage(ctx, messages[0], nil))
			}
		})
	}
}

func check(b *testing.B, err error) {
	if err != nil {
		b.Fatal(err)
	}
}

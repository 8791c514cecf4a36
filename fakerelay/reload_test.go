package fakerelay_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"passback/fakerelay"
)

// bareReceiver is a link of a client that knows nothing of Service Bus.
func bareReceiver(t *testing.T, n *fakerelay.Namespace, k fakerelay.Key, credit int32) *amqp.Receiver {
	t.Helper()
	conn, err := amqp.Dial(within(t), "amqp://"+n.AMQPAddr(), &amqp.ConnOptions{SASLType: amqp.SASLTypePlain(k.Name, k.Secret)})
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	session, err := conn.NewSession(within(t), nil)
	must(t, err)
	r, err := session.NewReceiver(within(t), fakerelay.DefaultQueue, &amqp.ReceiverOptions{
		Credit: credit, SettlementMode: amqp.ReceiverSettleModeSecond.Ptr(),
	})
	must(t, err)
	return r
}

func TestUpdateTellsLinksWhyTheyEnd(t *testing.T) {
	k := fakerelay.Key{Name: "device", Secret: fakerelay.NewSecret(), Rights: fakerelay.Listen}
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Keys: []fakerelay.Key{k}})
	r := bareReceiver(t, n, k, 1)
	must(t, n.UpdateQueue(fakerelay.QueueOptions{Name: fakerelay.DefaultQueue}))
	_, err := r.Receive(within(t), nil)
	var ended *amqp.LinkError
	if !errors.As(err, &ended) || ended.RemoteErr == nil {
		t.Fatalf("the link ended with %v", err)
	}
	if ended.RemoteErr.Condition != amqp.ErrCondDetachForced {
		t.Errorf("the condition is %s", ended.RemoteErr.Condition)
	}
	says(t, err, "closed because entity has been deleted, updated or unexpectedly reloaded.")
}

// A receiver that takes a thousand messages and settles none gets them all, but not at once.
func TestAllOfALargePrefetchComes(t *testing.T) {
	k := fakerelay.Key{Name: "device", Secret: fakerelay.NewSecret(), Rights: fakerelay.Listen | fakerelay.Send}
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Keys: []fakerelay.Key{k}})
	s := newSender(t, client(t, n.ConnectionString(), nil), fakerelay.DefaultQueue)
	const count = 1000
	batch, err := s.NewMessageBatch(within(t), nil)
	must(t, err)
	for i := range count {
		must(t, batch.AddMessage(body(fmt.Sprint(i)), nil))
	}
	must(t, s.SendMessageBatch(within(t), batch, nil))
	r := bareReceiver(t, n, k, count)
	for i := range count {
		m, err := r.Receive(within(t), nil)
		must(t, err)
		if got := string(m.GetData()); got != fmt.Sprint(i) {
			t.Fatalf("message %d is %q", i, got)
		}
	}
	some, err := newReceiver(t, client(t, n.ConnectionString(), nil), fakerelay.DefaultQueue, nil).PeekMessages(context.Background(), 1, nil)
	must(t, err)
	if len(some) != 1 || some[0].State != azservicebus.MessageStateActive {
		t.Errorf("the locked messages are not there any more: %v", some)
	}
}

// The SDK's users notice nothing of an update.
func TestTheSDKOutlivesAnUpdate(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{})
	w.client = client(t, w.ConnectionString(), impatient)
	sender, receiver := newSender(t, w.client, queueName), newReceiver(t, w.client, queueName, nil)
	send(t, sender, body("before"))
	m := receive(t, receiver)
	must(t, receiver.CompleteMessage(within(t), m, nil))
	attached := make(chan struct{}, 100)
	w.Hook(func(e fakerelay.Event) fakerelay.Action {
		if e.Kind == fakerelay.Attach && e.Entity == queueName {
			attached <- struct{}{}
		}
		return fakerelay.Pass
	})
	received := make(chan error, 1)
	go func() {
		m, err := tryReceive(within(t), receiver)
		if err == nil && string(m.Body) != "after" {
			err = fmt.Errorf("received %q", m.Body)
		}
		received <- err
	}()
	must(t, w.UpdateQueue(fakerelay.QueueOptions{Name: queueName, MaxDeliveryCount: 7}))
	<-attached // the receiver's link again
	send(t, sender, body("after"))
	must(t, <-received)
}

package fakerelay_test

import (
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"passback/clock"
	"passback/fakerelay"
)

// idleWorld has a bare AMQP session, which, unlike the SDK, shows how its links end.
func idleWorld(t *testing.T) (*clock.Running, *fakerelay.Queue, *amqp.Session) {
	t.Helper()
	c := clock.NewRunning()
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Clock: c})
	q, err := n.Queue(fakerelay.DefaultQueue)
	must(t, err)
	return c, q, authorised(t, n)
}

func TestIdleLinksAreDetached(t *testing.T) {
	c, q, session := idleWorld(t)
	settled := func() bool { return q.Count() == 0 } // which the client does not wait for
	// Credit by hand: what the client gives by itself may come while the clock moves, and keep the link alive.
	receiver, err := session.NewReceiver(within(t), fakerelay.DefaultQueue, &amqp.ReceiverOptions{Credit: -1})
	must(t, err)
	sender, err := session.NewSender(within(t), fakerelay.DefaultQueue, nil)
	must(t, err)
	c.Advance(6 * time.Minute)
	must(t, sender.Send(within(t), amqp.NewMessage([]byte("1")), nil)) // keeps both alive
	must(t, receiver.IssueCredit(1))
	m, err := receiver.Receive(within(t), nil)
	must(t, err)
	must(t, receiver.AcceptMessage(within(t), m))
	eventually(t, "the settlement", settled)
	c.Advance(6 * time.Minute)
	must(t, sender.Send(within(t), amqp.NewMessage([]byte("2")), nil))
	must(t, receiver.IssueCredit(1))
	m, err = receiver.Receive(within(t), nil)
	must(t, err)
	must(t, receiver.AcceptMessage(within(t), m))
	eventually(t, "the settlement", settled)
	c.Advance(11 * time.Minute)
	_, err = receiver.Receive(within(t), nil)
	hasCondition(t, err, "amqp:link:detach-forced")
	says(t, err, "Detach origin: AmqpMessageConsumer.IdleTimerExpired: Idle timeout: 00:10:00.")
	err = sender.Send(within(t), amqp.NewMessage([]byte("3")), nil)
	hasCondition(t, err, "amqp:link:detach-forced")
	says(t, err, "Detach origin: AmqpMessagePublisher.IdleTimerExpired: Idle timeout: 00:10:00.")
}

// The SDK's users notice nothing.
func TestIdleSDKClientsGoOn(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{})
	sender, receiver := newSender(t, w.client, queueName), newReceiver(t, w.client, queueName, nil)
	for _, text := range []string{"1", "2", "3"} {
		send(t, sender, body(text))
		m := receive(t, receiver)
		must(t, receiver.CompleteMessage(within(t), m, nil))
		w.clock.Advance(time.Hour)
	}
}

// A connection without links is closed after five minutes; one link keeps it.
func TestConnectionWithoutLinksIsClosed(t *testing.T) {
	c := clock.NewRunning()
	k := newKey(fakerelay.Manage)
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Clock: c, Keys: []fakerelay.Key{k}})
	never, _ := bareClient(t, n, k)
	once, session := bareClient(t, n, k)
	sender, err := session.NewSender(within(t), fakerelay.DefaultQueue+"/$management", nil)
	must(t, err)
	c.Advance(5 * time.Minute)
	<-never.Done()
	says(t, never.Err(), "amqp:connection:forced")
	says(t, never.Err(), "because it did not have any active links in the past 300000 milliseconds.")
	must(t, sender.Close(within(t)))
	again, err := session.NewSender(within(t), fakerelay.DefaultQueue+"/$management", nil)
	must(t, err)
	c.Advance(5 * time.Minute)
	must(t, again.Close(within(t)))
	eventually(t, "the end of the other", func() bool { // once its last link has gone
		c.Advance(5 * time.Minute)
		select {
		case <-once.Done():
			return true
		default:
			return false
		}
	})
}

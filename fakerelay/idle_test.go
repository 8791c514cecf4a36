package fakerelay_test

import (
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"passback/clock"
	"passback/fakerelay"
)

// idleWorld has a bare AMQP session, which, unlike the SDK, shows how its links end.
func idleWorld(t *testing.T) (*clock.Running, *amqp.Session) {
	t.Helper()
	c := clock.NewRunning()
	return c, authorised(t, fakerelay.RunOptionsT(t, fakerelay.Options{Clock: c}))
}

func TestIdleLinksAreDetached(t *testing.T) {
	c, session := idleWorld(t)
	receiver, err := session.NewReceiver(within(t), fakerelay.DefaultQueue, nil)
	must(t, err)
	sender, err := session.NewSender(within(t), fakerelay.DefaultQueue, nil)
	must(t, err)
	c.Advance(6 * time.Minute)
	must(t, sender.Send(within(t), amqp.NewMessage([]byte("1")), nil)) // keeps both alive
	m, err := receiver.Receive(within(t), nil)
	must(t, err)
	must(t, receiver.AcceptMessage(within(t), m))
	c.Advance(6 * time.Minute)
	must(t, sender.Send(within(t), amqp.NewMessage([]byte("2")), nil))
	m, err = receiver.Receive(within(t), nil)
	must(t, err)
	must(t, receiver.AcceptMessage(within(t), m))
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

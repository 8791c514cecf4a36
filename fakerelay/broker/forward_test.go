package broker_test

import (
	"errors"
	"testing"
	"time"

	"passback/clock"
	"passback/fakerelay/broker"
)

func TestForwarding(t *testing.T) {
	n := newNamespace(t)
	to := n.queue(broker.QueueOptions{Name: "to"})
	from := n.queue(broker.QueueOptions{Name: "from", ForwardTo: "TO"})
	n.subscribe(broker.SubscriptionOptions{Name: "s", ForwardTo: "to"})
	n.sendTo("from", "1")
	n.send("2")
	n.holds(to, "1", "2")
	n.holds(from)
	if _, _, err := from.TryReceive(); !errors.Is(err, broker.ErrForwards) {
		t.Errorf("received from a queue that forwards: %v", err)
	}
	first := to.All()[0]
	if first.EnqueuedSequenceNumber != 1 || first.SequenceNumber != 1 || first.Hops != 1 {
		t.Errorf("it arrived as %+v", first)
	}
}

func TestForwardingOfScheduledMessages(t *testing.T) {
	n := newNamespace(t)
	to := n.queue(broker.QueueOptions{Name: "to"})
	from := n.queue(broker.QueueOptions{Name: "from", ForwardTo: "to"})
	_, err := from.Send(broker.Message{Body: []byte("1"), ScheduledFor: n.clock.Now().Add(time.Hour)})
	n.must(err)
	n.holds(to)
	n.clock.Advance(time.Hour)
	n.holds(to, "1")
}

func TestForwardingStartsWithAnUpdate(t *testing.T) {
	n := newNamespace(t)
	to := n.queue(broker.QueueOptions{Name: "to"})
	from := n.queue(broker.QueueOptions{Name: "from"})
	n.sendTo("from", "1", "2", "3")
	n.must(from.DeadLetter(receive(t, from).LockToken, nil))
	locked := receiveBody(t, from, "2")
	n.must(n.UpdateQueue(broker.QueueOptions{Name: "from", ForwardTo: "to", ForwardDeadLettersTo: "to"}))
	n.holds(to, "3", "1")
	n.must(from.Abandon(locked.LockToken, nil))
	n.holds(to, "3", "1", "2")
}

func TestDeadLettersAreForwarded(t *testing.T) {
	n := newNamespace(t)
	to := n.queue(broker.QueueOptions{Name: "to"})
	from := n.queue(broker.QueueOptions{Name: "from", ForwardDeadLettersTo: "to", DefaultTTL: time.Hour, DeadLetterOnExpiration: true})
	n.sendTo("from", "1", "2")
	n.must(from.DeadLetter(receive(t, from).LockToken, map[string]any{broker.DeadLetterReason: "why not"}))
	n.clock.Advance(time.Hour)
	n.holds(to, "1", "2")
	n.holds(from.DeadLetters())
	for i, reason := range []string{"why not", broker.ReasonExpired} {
		if s := to.All()[i]; s.DeadLetterSource != "from" || s.Properties[broker.DeadLetterReason] != reason || s.Failures != 0 {
			t.Errorf("it arrived as %+v", s)
		}
	}
}

// What cannot be forwarded goes to the transfer dead-letter queue of where it was.
func TestTransferDeadLetters(t *testing.T) {
	for name, spoil := range map[string]func(namespace){
		"deleted": func(n namespace) { n.must(n.DeleteQueue("to")) },
		"disabled": func(n namespace) {
			n.must(n.UpdateQueue(broker.QueueOptions{Name: "to", Status: broker.StatusSendDisabled}))
		},
		"full": func(n namespace) { n.must(n.UpdateQueue(broker.QueueOptions{Name: "to", MaxSize: 10})) },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNamespace(t)
			n.queue(broker.QueueOptions{Name: "to"})
			from := n.queue(broker.QueueOptions{Name: "from", ForwardTo: "to"})
			spoil(n)
			n.sendTo("from", "1")
			n.holds(from.TransferDeadLetters(), "1")
			n.holds(from.DeadLetters())
			dead, err := n.Queue("FROM/$transfer/$deadletterqueue")
			n.must(err)
			if d := receiveBody(t, dead, "1"); d.Properties[broker.DeadLetterReason] != broker.ReasonTransfer {
				t.Errorf("it is there because of %v", d.Properties)
			}
			if f := from.Facts(); f.TransferDeadLetters != 1 || f.Total() != 1 {
				t.Errorf("facts %+v", f)
			}
		})
	}
}

func TestHopLimit(t *testing.T) {
	n := newNamespace(t)
	for name, to := range map[string]string{"q0": "q1", "q1": "q2", "q2": "q3", "q3": "q4", "q4": "q5", "q5": "", "loop": "back", "back": "loop"} {
		n.queue(broker.QueueOptions{Name: name, ForwardTo: to})
	}
	n.sendTo("q0", "1")
	n.sendTo("q1", "2")
	n.sendTo("loop", "3")
	for path, want := range map[string]string{"q4": "1", "loop": "3"} {
		q, err := n.Queue(path)
		n.must(err)
		n.holds(q.TransferDeadLetters(), want)
		if reason := q.TransferDeadLetters().All()[0].Properties[broker.DeadLetterReason]; reason != "MaxTransferHopCountExceeded" {
			t.Errorf("%s: %v", path, reason)
		}
	}
	last, err := n.Queue("q5")
	n.must(err)
	n.holds(last, "2")
}

func TestIdleEntitiesAreDeleted(t *testing.T) {
	c := clock.NewRunning()
	var deleted []string
	n := namespace{broker.New(broker.Options{Clock: c, Deleted: func(path string) { deleted = append(deleted, path) }}), t, c}
	t.Cleanup(n.Close)
	idle := 10 * time.Minute
	q := n.queue(broker.QueueOptions{Name: "q", AutoDeleteOnIdle: idle})
	n.queue(broker.QueueOptions{Name: "forwards", AutoDeleteOnIdle: idle, ForwardTo: "q"})
	n.topic(broker.TopicOptions{Name: "t", AutoDeleteOnIdle: 2 * idle})
	s := n.subscribe(broker.SubscriptionOptions{Name: "s", AutoDeleteOnIdle: idle})
	c.Advance(9 * time.Minute)
	n.sendTo("q", "1")
	n.send("1") // does not make its subscription less idle
	c.Advance(2 * time.Minute)
	if _, err := n.Subscription("t", "s"); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("the subscription %s is still there: %v", s.Path(), err)
	}
	receiveBody(t, q, "1")
	c.Advance(9 * time.Minute)
	if _, err := n.Queue("q"); err != nil {
		t.Errorf("the queue was in use and is gone: %v", err)
	}
	c.Advance(30 * time.Minute)
	if _, err := n.Queue("q"); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("the queue is still there: %v", err)
	}
	if _, err := n.Topic("t"); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("the topic is still there: %v", err)
	}
	if _, err := n.Queue("forwards"); err != nil {
		t.Errorf("what forwards is never idle, and is gone: %v", err)
	}
	if len(deleted) != 3 {
		t.Errorf("told of the end of %v", deleted)
	}
}

func TestWhoWaitsKeepsAQueueAlive(t *testing.T) {
	n := newNamespace(t)
	q := n.queue(broker.QueueOptions{Name: "q", AutoDeleteOnIdle: broker.MinIdle})
	received := make(chan error, 1)
	go func() {
		_, err := q.Receive(t.Context())
		received <- err
	}()
	for q.Waiting() == 0 {
		time.Sleep(time.Millisecond)
	}
	n.clock.Advance(time.Hour)
	n.sendTo("q", "1")
	n.must(<-received)
}

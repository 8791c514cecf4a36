package fakerelay_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/google/uuid"

	"passback/clock"
	"passback/fakerelay"
)

// world is a namespace with one queue, a clock that the test advances, and a client.
type world struct {
	*fakerelay.Namespace
	clock  *clock.Running
	client *azservicebus.Client
}

const queueName = "work"

func newWorld(t *testing.T, o fakerelay.QueueOptions) world {
	t.Helper()
	c := clock.NewRunning()
	o.Name = queueName
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Clock: c, Queues: []fakerelay.QueueOptions{o}})
	return world{n, c, client(t, n.ConnectionString(), nil)}
}

func (w world) sends(t *testing.T, texts ...string) {
	t.Helper()
	sender := newSender(t, w.client, queueName)
	for _, text := range texts {
		send(t, sender, body(text))
	}
	must(t, sender.Close(within(t)))
}

func (w world) queue(t *testing.T) *fakerelay.Queue {
	t.Helper()
	q, err := w.Queue(queueName)
	must(t, err)
	return q
}

func (w world) deadLetters(t *testing.T) *azservicebus.Receiver {
	t.Helper()
	return newReceiver(t, w.client, queueName, &azservicebus.ReceiverOptions{SubQueue: azservicebus.SubQueueDeadLetter})
}

func TestAbandonComesBackChanged(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{})
	w.sends(t, "again")
	r := newReceiver(t, w.client, queueName, nil)
	must(t, r.AbandonMessage(within(t), receive(t, r), &azservicebus.AbandonMessageOptions{PropertiesToModify: map[string]any{"try": int64(1)}}))
	m := receive(t, r)
	if m.DeliveryCount != 2 || m.ApplicationProperties["try"] != int64(1) {
		t.Errorf("delivery count %d, properties %v; want 2 and the property", m.DeliveryCount, m.ApplicationProperties)
	}
}

func TestDeadLetterTellsWhy(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{})
	w.sends(t, "bad")
	r := newReceiver(t, w.client, queueName, nil)
	reason, description := "unreadable", "it does not open"
	must(t, r.DeadLetterMessage(within(t), receive(t, r), &azservicebus.DeadLetterOptions{
		Reason: &reason, ErrorDescription: &description, PropertiesToModify: map[string]any{"by": "agent"},
	}))
	m := receive(t, w.deadLetters(t))
	if *m.DeadLetterReason != reason || *m.DeadLetterErrorDescription != description || m.ApplicationProperties["by"] != "agent" || string(m.Body) != "bad" {
		t.Errorf("the dead letter is %+v", m)
	}
	if n := w.queue(t).DeadLetterCount(); n != 1 {
		t.Errorf("%d dead letters, want 1", n)
	}
}

func TestLastFailedDeliveryIsDeadLettered(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{MaxDeliveryCount: 2})
	w.sends(t, "poison")
	r := newReceiver(t, w.client, queueName, nil)
	for range 2 {
		must(t, r.AbandonMessage(within(t), receive(t, r), nil))
	}
	if m := receive(t, w.deadLetters(t)); *m.DeadLetterReason != "MaxDeliveryCountExceeded" {
		t.Errorf("dead-lettered because of %s", *m.DeadLetterReason)
	}
}

func TestLockExpiresOnTheNamespacesClock(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{LockDuration: 30 * time.Second})
	w.sends(t, "slow")
	first, second := newReceiver(t, w.client, queueName, nil), newReceiver(t, w.client, queueName, nil)
	m := receive(t, first)
	w.clock.Advance(31 * time.Second)
	if again := receive(t, second); again.DeliveryCount != 2 {
		t.Errorf("delivery count %d after an expired lock, want 2", again.DeliveryCount)
	}
	hasCode(t, first.CompleteMessage(within(t), m, nil), azservicebus.CodeLockLost)
	hasCode(t, first.RenewMessageLock(within(t), m, nil), azservicebus.CodeLockLost)
}

func TestRenewedLockHolds(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{LockDuration: 30 * time.Second})
	w.sends(t, "slow")
	r := newReceiver(t, w.client, queueName, nil)
	m := receive(t, r)
	before := *m.LockedUntil
	for range 4 {
		w.clock.Advance(20 * time.Second)
		must(t, r.RenewMessageLock(within(t), m, nil))
	}
	if !m.LockedUntil.After(before.Add(time.Minute)) {
		t.Errorf("locked until %v after four renewals, was %v", m.LockedUntil, before)
	}
	must(t, r.CompleteMessage(within(t), m, nil))
}

func TestTimeToLive(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{DeadLetterOnExpiration: true})
	ttl := 10 * time.Second
	sender := newSender(t, w.client, queueName)
	send(t, sender, &azservicebus.Message{Body: []byte("short"), TimeToLive: &ttl})
	peeked, err := newReceiver(t, w.client, queueName, nil).PeekMessages(within(t), 1, nil)
	must(t, err)
	if got := peeked[0].ExpiresAt.Sub(*peeked[0].EnqueuedTime); got != ttl {
		t.Errorf("expires %v after it was enqueued, want %v", got, ttl)
	}
	w.clock.Advance(11 * time.Second)
	if m := receive(t, w.deadLetters(t)); *m.DeadLetterReason != "TTLExpiredException" {
		t.Errorf("dead-lettered because of %s", *m.DeadLetterReason)
	}
}

func TestDuplicateIsSwallowed(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{RequiresDuplicateDetection: true})
	id := uuid.NewString()
	sender := newSender(t, w.client, queueName)
	for range 2 {
		send(t, sender, &azservicebus.Message{MessageID: &id, Body: []byte("one")})
	}
	if n := w.queue(t).Count(); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
}

func TestDeferredAndScheduledMessages(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{LockDuration: 5 * time.Minute})
	w.sends(t, "aside")
	r := newReceiver(t, w.client, queueName, nil)
	m := receive(t, r)
	must(t, r.DeferMessage(within(t), m, nil))
	deferred, err := r.ReceiveDeferredMessages(within(t), []int64{*m.SequenceNumber}, nil)
	must(t, err)
	must(t, r.CompleteMessage(within(t), deferred[0], nil))

	sender := newSender(t, w.client, queueName)
	numbers, err := sender.ScheduleMessages(within(t), []*azservicebus.Message{body("later"), body("never")}, w.clock.Now().Add(time.Minute), nil)
	must(t, err)
	must(t, sender.CancelScheduledMessages(within(t), numbers[1:], nil))
	w.clock.Advance(time.Minute)
	if m := receive(t, r); string(m.Body) != "later" {
		t.Errorf("received %q", m.Body)
	}
}

func TestMessageOutlivesItsLink(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{})
	w.sends(t, "kept")
	r := newReceiver(t, w.client, queueName, nil)
	m := receive(t, r)
	must(t, r.Close(within(t)))
	other := newReceiver(t, w.client, queueName, nil)
	must(t, other.CompleteMessage(within(t), m, nil)) // by $management: the link is gone
	if n := w.queue(t).Count(); n != 0 {
		t.Errorf("%d messages are left", n)
	}
}

func TestBodiesSurviveUnchanged(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{})
	sender, r := newSender(t, w.client, queueName), newReceiver(t, w.client, queueName, nil)
	for name, sent := range map[string]azservicebus.AMQPAnnotatedMessageBody{
		"two data sections": {Data: [][]byte{[]byte("one"), {0, 255}}},
		"a value":           {Value: "text"},
		"a sequence":        {Sequence: [][]any{{"a", int64(1)}, {true}}},
	} {
		must(t, sender.SendAMQPAnnotatedMessage(within(t), &azservicebus.AMQPAnnotatedMessage{
			Body: sent, Footer: map[any]any{"x-opt-foot": "f"}, MessageAnnotations: map[any]any{"x-opt-mine": "m"},
		}, nil))
		m := receive(t, r)
		if got := m.RawAMQPMessage.Body; fmt.Sprint(got) != fmt.Sprint(sent) {
			t.Errorf("%s came as %v, was sent as %v", name, got, sent)
		}
		if m.RawAMQPMessage.Footer["x-opt-foot"] != "f" || m.RawAMQPMessage.MessageAnnotations["x-opt-mine"] != "m" {
			t.Errorf("%s lost its footer or its annotation", name)
		}
		if m.MessageID == "" {
			t.Errorf("%s has no message id", name)
		}
		must(t, r.CompleteMessage(within(t), m, nil))
	}
}

func TestBatchIsUnpacked(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{})
	sender := newSender(t, w.client, queueName)
	batch, err := sender.NewMessageBatch(within(t), nil)
	must(t, err)
	for _, text := range []string{"a", "b", "c"} {
		must(t, batch.AddMessage(body(text), nil))
	}
	must(t, sender.SendMessageBatch(within(t), batch, nil))
	r := newReceiver(t, w.client, queueName, nil)
	for _, want := range []string{"a", "b", "c"} {
		if m := receive(t, r); string(m.Body) != want {
			t.Errorf("received %q, want %q", m.Body, want)
		}
	}
}

func TestMessageTooLarge(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{})
	err := newSender(t, w.client, queueName).SendMessage(within(t), &azservicebus.Message{Body: make([]byte, 300<<10)}, nil)
	if !errors.Is(err, azservicebus.ErrMessageTooLarge) {
		t.Errorf("got %v, want ErrMessageTooLarge", err)
	}
	w.sends(t, "the link still works")
}

// More than the SDK's session window of 5000 transfers, with nothing settled in between.
func TestMoreMessagesThanASessionWindow(t *testing.T) {
	const count = 6000
	w := newWorld(t, fakerelay.QueueOptions{LockDuration: 5 * time.Minute})
	sender := newSender(t, w.client, queueName)
	for sent := 0; sent < count; {
		batch, err := sender.NewMessageBatch(within(t), nil)
		must(t, err)
		for range 500 {
			must(t, batch.AddMessage(body(fmt.Sprint(sent)), nil))
			sent++
		}
		must(t, sender.SendMessageBatch(within(t), batch, nil))
	}
	r := newReceiver(t, w.client, queueName, nil)
	seen := make(map[string]bool)
	for len(seen) < count {
		messages, err := r.ReceiveMessages(within(t), 3000, nil)
		must(t, err)
		for _, m := range messages {
			if seen[string(m.Body)] || m.DeliveryCount != 1 {
				t.Fatalf("%s came twice", m.Body)
			}
			seen[string(m.Body)] = true
		}
	}
}

func TestCompetingReceiversGetEachMessageOnce(t *testing.T) {
	const receivers, count = 4, 400
	w := newWorld(t, fakerelay.QueueOptions{LockDuration: 5 * time.Minute})
	var wg sync.WaitGroup
	got := make(chan string, count)
	ctx, done := context.WithCancel(within(t))
	for range receivers {
		r := newReceiver(t, client(t, w.ConnectionString(), nil), queueName, nil)
		wg.Go(func() {
			for {
				m, err := tryReceive(ctx, r)
				if err != nil {
					return
				}
				if err := r.CompleteMessage(context.Background(), m, nil); err != nil {
					t.Error(err)
				}
				got <- string(m.Body)
			}
		})
	}
	sender := newSender(t, w.client, queueName)
	for i := range count {
		send(t, sender, body(fmt.Sprint(i)))
	}
	seen := make(map[string]bool)
	for range count {
		select {
		case text := <-got:
			if seen[text] {
				t.Errorf("%s came twice", text)
			}
			seen[text] = true
		case <-ctx.Done():
			t.Fatalf("%d of %d messages came", len(seen), count)
		}
	}
	done()
	wg.Wait()
	if n := w.queue(t).Count(); n != 0 {
		t.Errorf("%d messages are left", n)
	}
}

func TestReceiveEndsWithItsContext(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{})
	r := newReceiver(t, w.client, queueName, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.ReceiveMessages(ctx, 1, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v, want DeadlineExceeded", err)
	}
	w.sends(t, "later")
	if m := receive(t, r); string(m.Body) != "later" || m.DeliveryCount != 1 {
		t.Errorf("received %q, delivery %d", m.Body, m.DeliveryCount)
	}
}

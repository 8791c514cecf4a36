package broker_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"passback/clock"
	"passback/fakerelay/broker"
)

// newQueue makes a queue "q" on a clock that the test advances.
func newQueue(t *testing.T, o broker.QueueOptions) (*broker.Queue, *clock.Running) {
	t.Helper()
	c := clock.NewRunning()
	b := broker.New(broker.Options{Clock: c})
	t.Cleanup(b.Close)
	o.Name = "q"
	q, err := b.CreateQueue(o)
	if err != nil {
		t.Fatal(err)
	}
	return q, c
}

func send(t *testing.T, q *broker.Queue, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if _, err := q.Send(broker.Message{Body: []byte(body), ID: body}); err != nil {
			t.Fatal(err)
		}
	}
}

func receive(t *testing.T, q *broker.Queue) broker.Delivery {
	t.Helper()
	d, ok, err := q.TryReceive()
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.Fatalf("nothing to receive from %s", q.Path())
	}
	return d
}

func receiveBody(t *testing.T, q *broker.Queue, want string) broker.Delivery {
	t.Helper()
	d := receive(t, q)
	if string(d.Body) != want {
		t.Fatalf("received %q, want %q", d.Body, want)
	}
	return d
}

func receiveNothing(t *testing.T, q *broker.Queue) {
	t.Helper()
	if d, ok, err := q.TryReceive(); ok || err != nil {
		t.Fatalf("received %q (%v), want nothing", d.Body, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustBe(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

func TestMessagesAreReceivedInOrderAndCompletedOnce(t *testing.T) {
	q, _ := newQueue(t, broker.QueueOptions{})
	send(t, q, "one", "two")
	one := receiveBody(t, q, "one")
	receiveBody(t, q, "two")
	receiveNothing(t, q)
	must(t, q.Complete(one.LockToken))
	mustBe(t, q.Complete(one.LockToken), broker.ErrLockLost)
	if n := q.Len(); n != 1 {
		t.Errorf("%d messages are left, want 1", n)
	}
}

func TestAbandonedMessageTakesItsOldPlaceAndCounts(t *testing.T) {
	q, _ := newQueue(t, broker.QueueOptions{})
	send(t, q, "one", "two")
	d := receiveBody(t, q, "one")
	must(t, q.Abandon(d.LockToken, map[string]any{"seen": true}))
	again := receiveBody(t, q, "one")
	if again.Failures != 1 || again.Properties["seen"] != true {
		t.Errorf("failures %d, properties %v; want 1 and seen", again.Failures, again.Properties)
	}
	if again.LockToken == d.LockToken {
		t.Error("the second delivery has the first one's lock token")
	}
	must(t, q.Release(again.LockToken))
	if third := receiveBody(t, q, "one"); third.Failures != 1 {
		t.Errorf("a released delivery was counted: failures %d, want 1", third.Failures)
	}
}

func TestLockExpiresAndCanBeRenewed(t *testing.T) {
	q, c := newQueue(t, broker.QueueOptions{LockDuration: 30 * time.Second})
	send(t, q, "one")
	d := receive(t, q)
	c.Advance(20 * time.Second)
	until, err := q.RenewLock(d.LockToken)
	must(t, err)
	if !until.After(d.LockedUntil) {
		t.Errorf("renewed until %v, which is not after %v", until, d.LockedUntil)
	}
	c.Advance(20 * time.Second)
	receiveNothing(t, q)
	c.Advance(11 * time.Second)
	mustBe(t, q.Complete(d.LockToken), broker.ErrLockLost)
	if again := receive(t, q); again.Failures != 1 {
		t.Errorf("failures %d after an expired lock, want 1", again.Failures)
	}
}

func TestLastFailedDeliveryDeadLetters(t *testing.T) {
	q, c := newQueue(t, broker.QueueOptions{MaxDeliveryCount: 2, LockDuration: time.Second})
	send(t, q, "poison")
	must(t, q.Abandon(receive(t, q).LockToken, nil))
	receive(t, q)
	c.Advance(2 * time.Second)
	receiveNothing(t, q)
	dead := receiveBody(t, q.DeadLetters(), "poison")
	if dead.Properties[broker.DeadLetterReason] != "MaxDeliveryCountExceeded" ||
		dead.Properties[broker.DeadLetterDescription] != "Message could not be consumed after 2 delivery attempts." {
		t.Errorf("properties %v", dead.Properties)
	}
	if dead.Failures != 2 {
		t.Errorf("failures %d in the dead-letter queue, want the last value, 2", dead.Failures)
	}
}

func TestDeadLetterQueueIsTheEnd(t *testing.T) {
	q, _ := newQueue(t, broker.QueueOptions{MaxDeliveryCount: 1})
	send(t, q, "bad")
	must(t, q.DeadLetter(receive(t, q).LockToken, map[string]any{broker.DeadLetterReason: "why", "code": int64(7)}))
	dead := receiveBody(t, q.DeadLetters(), "bad")
	if dead.Properties[broker.DeadLetterReason] != "why" || dead.Properties["code"] != int64(7) {
		t.Errorf("properties %v", dead.Properties)
	}
	must(t, q.DeadLetters().Abandon(dead.LockToken, nil))
	if again := receiveBody(t, q.DeadLetters(), "bad"); again.Failures != dead.Failures {
		t.Errorf("failures %d, want %d: a dead letter's deliveries are not counted", again.Failures, dead.Failures)
	}
}

func TestTimeToLive(t *testing.T) {
	for name, test := range map[string]struct {
		options broker.QueueOptions
		ttl     time.Duration
		dead    bool
	}{
		"of the message":                      {broker.QueueOptions{}, 10 * time.Second, false},
		"of the queue":                        {broker.QueueOptions{DefaultTTL: 10 * time.Second}, 0, false},
		"the queue's is the most":             {broker.QueueOptions{DefaultTTL: 10 * time.Second}, time.Hour, false},
		"to the dead-letter queue if told so": {broker.QueueOptions{DeadLetterOnExpiration: true}, 10 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			q, c := newQueue(t, test.options)
			_, err := q.Send(broker.Message{Body: []byte("m"), TTL: test.ttl})
			must(t, err)
			c.Advance(9 * time.Second)
			if q.Len() != 1 {
				t.Fatal("the message expired too early")
			}
			c.Advance(2 * time.Second)
			receiveNothing(t, q)
			if !test.dead {
				receiveNothing(t, q.DeadLetters())
				return
			}
			if d := receive(t, q.DeadLetters()); d.Properties[broker.DeadLetterReason] != "TTLExpiredException" {
				t.Errorf("properties %v", d.Properties)
			}
			c.Advance(time.Hour)
			if q.DeadLetters().Len() != 1 {
				t.Error("a dead letter expired")
			}
		})
	}
}

func TestLockedMessageDoesNotExpireUntilItIsGivenBack(t *testing.T) {
	q, c := newQueue(t, broker.QueueOptions{LockDuration: time.Minute})
	for range 2 {
		_, err := q.Send(broker.Message{TTL: 10 * time.Second})
		must(t, err)
	}
	first, second := receive(t, q), receive(t, q)
	c.Advance(20 * time.Second)
	must(t, q.Complete(first.LockToken))
	must(t, q.Abandon(second.LockToken, nil))
	receiveNothing(t, q)
	if q.Len() != 0 {
		t.Errorf("%d messages are left, want none", q.Len())
	}
}

func TestDuplicatesAreSwallowedWithinTheWindow(t *testing.T) {
	q, c := newQueue(t, broker.QueueOptions{RequiresDuplicateDetection: true, DuplicateWindow: time.Minute})
	send(t, q, "same")
	must(t, q.Complete(receive(t, q).LockToken))
	c.Advance(59 * time.Second)
	send(t, q, "same")
	receiveNothing(t, q)
	c.Advance(2 * time.Second)
	send(t, q, "same")
	receiveBody(t, q, "same")
}

func TestScheduledMessageComesWhenItIsDue(t *testing.T) {
	q, c := newQueue(t, broker.QueueOptions{LockDuration: 5 * time.Minute})
	at := c.Now().Add(time.Minute)
	numbers, err := q.Send(broker.Message{Body: []byte("later"), ScheduledFor: at}, broker.Message{Body: []byte("never"), ScheduledFor: at})
	must(t, err)
	send(t, q, "now")
	must(t, q.CancelScheduled(numbers[1]))
	mustBe(t, q.CancelScheduled(numbers[1]), broker.ErrNotScheduled)
	receiveBody(t, q, "now")
	receiveNothing(t, q)
	c.Advance(time.Minute)
	d := receiveBody(t, q, "later")
	if d.SequenceNumber == numbers[0] || d.State != broker.Active {
		t.Errorf("number %d, state %v; want a new number, active", d.SequenceNumber, d.State)
	}
	receiveNothing(t, q)
}

func TestDeferredMessageComesByItsNumberOnly(t *testing.T) {
	q, _ := newQueue(t, broker.QueueOptions{})
	send(t, q, "aside")
	d := receive(t, q)
	must(t, q.Defer(d.LockToken, nil))
	receiveNothing(t, q)
	again, err := q.ReceiveDeferred(d.SequenceNumber)
	must(t, err)
	must(t, q.Abandon(again.LockToken, nil))
	receiveNothing(t, q)
	last, err := q.ReceiveDeferred(d.SequenceNumber)
	must(t, err)
	if last.Failures != 1 {
		t.Errorf("failures %d, want 1: abandoning a deferred message counts", last.Failures)
	}
	must(t, q.Complete(last.LockToken))
	_, err = q.ReceiveDeferred(d.SequenceNumber)
	mustBe(t, err, broker.ErrNotDeferred)
}

func TestWaitersAreServedInTheirOrder(t *testing.T) {
	q, _ := newQueue(t, broker.QueueOptions{})
	type got struct {
		who  int
		body string
	}
	results := make(chan got)
	for who := range 3 {
		started := q.Waiting()
		go func() {
			d, err := q.Receive(context.Background())
			if err != nil {
				t.Error(err)
			}
			results <- got{who, string(d.Body)}
		}()
		for q.Waiting() == started {
			time.Sleep(time.Millisecond)
		}
	}
	for who := range 3 {
		send(t, q, fmt.Sprint(who))
		if g := <-results; g.who != who || g.body != fmt.Sprint(who) {
			t.Errorf("waiter %d got %q, want waiter %d to get %q", g.who, g.body, who, fmt.Sprint(who))
		}
	}
}

func TestReceiveThatWasCancelledLosesNothing(t *testing.T) {
	q, _ := newQueue(t, broker.QueueOptions{})
	for i := range 200 {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan broker.Delivery)
		go func() {
			d, _ := q.Receive(ctx)
			done <- d
		}()
		go cancel()
		send(t, q, fmt.Sprint(i))
		if d := <-done; d.LockToken == uuid.Nil {
			d = receive(t, q)
			must(t, q.Complete(d.LockToken))
		} else {
			must(t, q.Complete(d.LockToken))
		}
	}
	if q.Len() != 0 {
		t.Errorf("%d messages are left, want none", q.Len())
	}
}

func TestMessageSizeIsTheBrokersOwn(t *testing.T) {
	b := broker.New(broker.Options{MaxMessageSize: 64 << 10})
	defer b.Close()
	q, err := b.CreateQueue(broker.QueueOptions{Name: "q"})
	must(t, err)
	_, err = q.Send(broker.Message{Body: make([]byte, 64<<10)})
	must(t, err)
	_, err = q.Send(broker.Message{Body: make([]byte, 65<<10)})
	mustBe(t, err, broker.ErrTooLarge)
}

func TestLimits(t *testing.T) {
	q, _ := newQueue(t, broker.QueueOptions{MaxSize: 600 << 10})
	_, err := q.Send(broker.Message{Body: make([]byte, broker.MaxMessageSize+1024)})
	mustBe(t, err, broker.ErrTooLarge)
	full := broker.Message{Body: make([]byte, broker.MaxMessageSize)}
	_, err = q.Send(full, full, full)
	mustBe(t, err, broker.ErrQuota)
	if q.Len() != 0 {
		t.Fatal("a refused batch left messages behind")
	}
	_, err = q.Send(full, full)
	must(t, err)
	must(t, q.DeadLetter(receive(t, q).LockToken, nil))
	_, err = q.Send(full)
	mustBe(t, err, broker.ErrQuota)
	must(t, q.Complete(receive(t, q).LockToken))
	_, err = q.Send(full)
	must(t, err)
}

func TestDeletedQueueEndsWaiting(t *testing.T) {
	b := broker.New(broker.Options{})
	q, err := b.CreateQueue(broker.QueueOptions{Name: "Orders"})
	must(t, err)
	_, err = b.CreateQueue(broker.QueueOptions{Name: "ORDERS"})
	mustBe(t, err, broker.ErrExists)
	dead, err := b.Queue("orders/$deadletterqueue")
	must(t, err)
	if dead != q.DeadLetters() {
		t.Error("the path of the dead-letter queue leads elsewhere")
	}
	failed := make(chan error)
	go func() {
		_, err := q.Receive(context.Background())
		failed <- err
	}()
	must(t, b.DeleteQueue("orders"))
	mustBe(t, <-failed, broker.ErrDeleted)
	_, err = q.Send(broker.Message{})
	mustBe(t, err, broker.ErrDeleted)
	_, err = b.Queue("orders")
	mustBe(t, err, broker.ErrNotFound)
}

func TestPeekShowsEverythingAndLocksNothing(t *testing.T) {
	q, c := newQueue(t, broker.QueueOptions{})
	send(t, q, "a", "b", "c")
	receiveBody(t, q, "a")
	must(t, q.Defer(receiveBody(t, q, "b").LockToken, nil))
	_, err := q.Send(broker.Message{Body: []byte("d"), ScheduledFor: c.Now().Add(time.Hour)})
	must(t, err)
	peeked, err := q.Peek(0, 10, nil)
	must(t, err)
	var seen string
	for _, m := range peeked {
		seen += fmt.Sprintf("%s%d ", m.Body, m.State)
	}
	if want := "a0 b1 c0 d2 "; seen != want {
		t.Errorf("peeked %q, want %q", seen, want)
	}
	if rest, _ := q.Peek(peeked[1].SequenceNumber+1, 1, nil); len(rest) != 1 || string(rest[0].Body) != "c" {
		t.Errorf("peeked %v from the third on, want c", rest)
	}
}

func TestBadOptionsNameTheirKey(t *testing.T) {
	b := broker.New(broker.Options{})
	for _, o := range []broker.QueueOptions{
		{}, {Name: "/q"}, {Name: "q?"}, {Name: "q", LockDuration: 6 * time.Minute}, {Name: "q", MaxDeliveryCount: -1},
		{Name: "q", DefaultTTL: -1}, {Name: "q", DuplicateWindow: 8 * 24 * time.Hour}, {Name: "q", MaxSize: -1},
	} {
		if _, err := b.CreateQueue(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

package broker_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"passback/clock"
	"passback/fakerelay/broker"
)

const (
	modelLock        = 25 * time.Second // time moves by tens, so that a slow machine has some seconds to spare
	modelLife        = 33 * time.Second
	modelDelay       = 15 * time.Second
	modelMaxDelivery = 3
)

// Long runs: a message that outlives its time under a lock takes a dozen steps that fit.
func init() {
	if err := flag.Set("rapid.steps", "100"); err != nil {
		panic(err)
	}
}

// modelMessage is what a slow and obvious queue would know.
type modelMessage struct {
	name     string
	failures uint32
	token    uuid.UUID
	lapses   time.Duration // model time at which its lock ends
	dies     time.Duration // model time at which its life ends; 0: never
	deferred bool
	number   int64 // once it was received, or while it is scheduled
}

func (x *modelMessage) locked() bool { return x.token != uuid.Nil }

func (x *modelMessage) there() bool { return !x.locked() && !x.deferred }

// model is such a queue: lists, walked from the front. A message is in one of them until it is completed or cancelled.
type model struct {
	queue     *broker.Queue
	clock     *clock.Running
	now       time.Duration
	live      []*modelMessage // by order of sending, or of falling due
	scheduled []*modelMessage // lapses is when
	dead      []string
	settled   []uuid.UUID // tokens that are good for nothing any more
	serial    int

	waiter broker.Waiter // one who waits for a message now and then
	waits  bool
	got    inbox
}

// An inbox is where the waiter's message comes.
type inbox chan broker.Delivery

func (i inbox) Take(d broker.Delivery, _ error) { i <- d }

func (m *model) next() *modelMessage {
	m.serial++
	return &modelMessage{name: fmt.Sprint("m", m.serial)}
}

func (m *model) Send(t *rapid.T) {
	x := m.next()
	message := broker.Message{Body: []byte(x.name)}
	if rapid.Bool().Draw(t, "mortal") {
		message.TTL, x.dies = modelLife, m.now+modelLife
	}
	if _, err := m.queue.Send(message); err != nil {
		t.Fatal(err)
	}
	m.live = append(m.live, x)
}

// Post is Send that gives its message to who waits for it.
func (m *model) Post(t *rapid.T) {
	x := m.next()
	due, err := m.queue.Post(broker.Message{Body: []byte(x.name)})
	if err != nil {
		t.Fatal(err)
	}
	if (len(due) == 1) != m.waits {
		t.Fatalf("%d messages are to be handed over, somebody waits: %v", len(due), m.waits)
	}
	for _, h := range due {
		h.To.Take(h.Delivery, nil)
	}
	m.live = append(m.live, x)
}

// Wait is a receiver that gets the next message whenever it comes.
func (m *model) Wait(t *rapid.T) {
	if m.waits {
		t.Skip("it waits already")
	}
	d, ok, err := m.queue.ReceiveOr(&m.waiter)
	if err != nil {
		t.Fatal(err)
	}
	m.delivered(t, d, ok)
	m.waits = !ok
}

// StopWaiting is that receiver's end of patience.
func (m *model) StopWaiting(t *rapid.T) {
	if stopped := m.queue.StopWaiting(&m.waiter); stopped != m.waits {
		t.Fatalf("the waiter waited: %v, the model: %v", stopped, m.waits)
	}
	m.waits = false
}

// handedOver takes what has come for the waiter.
func (m *model) handedOver(t *rapid.T) {
	if m.waits && slices.ContainsFunc(m.live, (*modelMessage).there) {
		m.waits = false
		m.delivered(t, <-m.got, true)
	}
	if len(m.got) > 0 {
		t.Fatalf("%s came for nobody", (<-m.got).Body)
	}
}

func (m *model) Schedule(t *rapid.T) {
	x := m.next()
	numbers, err := m.queue.Send(broker.Message{Body: []byte(x.name), ScheduledFor: m.clock.Now().Add(modelDelay)})
	if err != nil {
		t.Fatal(err)
	}
	x.number, x.lapses = numbers[0], m.now+modelDelay
	m.scheduled = append(m.scheduled, x)
}

func (m *model) Cancel(t *rapid.T) {
	if len(m.scheduled) == 0 {
		t.Skip("nothing is scheduled")
	}
	x := rapid.SampledFrom(m.scheduled).Draw(t, "message")
	if err := m.queue.CancelScheduled(x.number); err != nil {
		t.Fatal(err)
	}
	m.scheduled = slices.DeleteFunc(m.scheduled, func(y *modelMessage) bool { return x == y })
}

func (m *model) Receive(t *rapid.T) {
	d, ok, err := m.queue.TryReceive()
	if err != nil {
		t.Fatal(err)
	}
	m.delivered(t, d, ok)
}

// Crash is a client that goes while it waits: either it got the message in that instant, or nothing has happened.
func (m *model) Crash(t *rapid.T) {
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if d, err := m.queue.Receive(gone); err == nil {
		m.delivered(t, d, true)
	}
}

// delivered checks that it is the message whose turn it is, and that nobody else has it.
func (m *model) delivered(t *rapid.T, d broker.Delivery, ok bool) {
	i := slices.IndexFunc(m.live, (*modelMessage).there)
	if ok != (i >= 0) {
		t.Fatalf("received something: %v, the model: %v", ok, i >= 0)
	}
	if ok {
		m.lock(t, m.live[i], d)
	}
}

func (m *model) lock(t *rapid.T, want *modelMessage, d broker.Delivery) {
	if string(d.Body) != want.name || d.Failures != want.failures {
		t.Fatalf("received %s with %d failures, the model has %s with %d", d.Body, d.Failures, want.name, want.failures)
	}
	want.token, want.lapses, want.number = d.LockToken, m.now+modelLock, d.SequenceNumber
}

func (m *model) Defer(t *rapid.T) {
	m.settle(t, func(token uuid.UUID) error { return m.queue.Defer(token, nil) }, func(x *modelMessage) {
		x.deferred = true
		m.giveBack(x)
	})
}

func (m *model) ReceiveDeferred(t *rapid.T) {
	aside := slices.DeleteFunc(slices.Clone(m.live), func(x *modelMessage) bool { return !x.deferred })
	if len(aside) == 0 {
		t.Skip("nothing is deferred")
	}
	x := rapid.SampledFrom(aside).Draw(t, "message")
	d, err := m.queue.ReceiveDeferred(x.number)
	switch {
	case (err == nil) == x.locked():
		t.Fatalf("%s, locked: %v, received by its number: %v", x.name, x.locked(), err)
	case err == nil:
		m.lock(t, x, d)
	}
}

func (m *model) LoseLock(t *rapid.T) { m.settle(t, m.queue.LoseLock, m.fail) }

// SettleAgain is a client that does not know that its lock has gone.
func (m *model) SettleAgain(t *rapid.T) {
	if len(m.settled) == 0 {
		t.Skip("nothing was settled")
	}
	token := rapid.SampledFrom(m.settled).Draw(t, "token")
	for what, settle := range map[string]func(uuid.UUID) error{"complete": m.queue.Complete, "release": m.queue.Release} {
		if err := settle(token); !errors.Is(err, broker.ErrLockLost) {
			t.Fatalf("%s of a lock that has ended: %v", what, err)
		}
	}
}

func (m *model) Purge(t *rapid.T) {
	most := rapid.IntRange(1, 3).Draw(t, "most")
	deleted, err := m.queue.DeleteMessages(most, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, x := range slices.Clone(m.live) {
		if want < most && x.there() {
			m.remove(x)
			want++
		}
	}
	if deleted != want {
		t.Fatalf("%d were deleted, the model has %d", deleted, want)
	}
}

func (m *model) Complete(t *rapid.T) {
	m.settle(t, m.queue.Complete, func(x *modelMessage) { m.remove(x) })
}

func (m *model) Release(t *rapid.T) {
	m.settle(t, m.queue.Release, m.giveBack)
}

func (m *model) Abandon(t *rapid.T) {
	m.settle(t, func(token uuid.UUID) error { return m.queue.Abandon(token, nil) }, m.fail)
}

func (m *model) DeadLetter(t *rapid.T) {
	m.settle(t, func(token uuid.UUID) error { return m.queue.DeadLetter(token, nil) }, m.bury)
}

func (m *model) Renew(t *rapid.T) {
	m.settle(t, func(token uuid.UUID) error {
		_, err := m.queue.RenewLock(token)
		return err
	}, func(x *modelMessage) { x.lapses = m.now + modelLock })
}

func (m *model) Advance(t *rapid.T) {
	m.StopWaiting(t) // several messages may become receivable on the way, in whatever order
	by := time.Duration(rapid.IntRange(1, 4).Draw(t, "tens of seconds")) * 10 * time.Second
	m.clock.Advance(by)
	m.now += by
	for _, x := range slices.Clone(m.live) {
		switch {
		case x.locked() && x.lapses <= m.now:
			m.fail(x)
		case !x.locked():
			m.giveBack(x) // or not, if its life has ended
		}
	}
	for len(m.scheduled) > 0 && m.scheduled[0].lapses <= m.now {
		m.live = append(m.live, m.scheduled[0])
		m.scheduled = m.scheduled[1:]
	}
}

// Check runs after each step.
func (m *model) Check(t *rapid.T) {
	m.handedOver(t)
	if n := m.queue.Len(); n != len(m.live)+len(m.scheduled) {
		t.Fatalf("%d messages, the model has %d and %d scheduled", n, len(m.live), len(m.scheduled))
	}
	var dead []string
	for _, s := range m.queue.DeadLetters().All() {
		dead = append(dead, string(s.Body))
	}
	slices.Sort(dead) // locks that end in the same instant are buried in either order
	want := slices.Sorted(slices.Values(m.dead))
	if !slices.Equal(dead, want) {
		t.Fatalf("dead letters %v, the model has %v", dead, want)
	}
}

func (m *model) settle(t *rapid.T, do func(uuid.UUID) error, then func(*modelMessage)) {
	locked := slices.DeleteFunc(slices.Clone(m.live), func(x *modelMessage) bool { return !x.locked() })
	if len(locked) == 0 {
		if err := do(uuid.New()); err == nil {
			t.Fatal("a token that was never given out was taken")
		}
		return
	}
	x := rapid.SampledFrom(locked).Draw(t, "message")
	if err := do(x.token); err != nil {
		t.Fatalf("%s: %v", x.name, err)
	}
	then(x)
}

// giveBack ends a lock; what has outlived its time is dead.
func (m *model) giveBack(x *modelMessage) {
	if x.locked() {
		m.settled = append(m.settled, x.token)
	}
	x.token = uuid.Nil
	if x.dies > 0 && x.dies <= m.now {
		m.bury(x)
	}
}

// fail counts; a deferred message is counted and stays.
func (m *model) fail(x *modelMessage) {
	x.failures++
	if x.failures >= modelMaxDelivery && !x.deferred {
		m.bury(x)
		return
	}
	m.giveBack(x)
}

func (m *model) bury(x *modelMessage) {
	m.dead = append(m.dead, x.name)
	m.remove(x)
}

func (m *model) remove(x *modelMessage) {
	if x.locked() {
		m.settled = append(m.settled, x.token)
	}
	m.live = slices.DeleteFunc(m.live, func(y *modelMessage) bool { return x == y })
}

func TestQueueBehavesLikeItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := clock.NewRunning()
		b := broker.New(broker.Options{Clock: c})
		defer b.Close()
		q, err := b.CreateQueue(broker.QueueOptions{Name: "q", LockDuration: modelLock, MaxDeliveryCount: modelMaxDelivery, DeadLetterOnExpiration: true})
		if err != nil {
			t.Fatal(err)
		}
		m := &model{queue: q, clock: c, got: make(inbox, 1)}
		m.waiter.Taker = m.got
		t.Repeat(map[string]func(*rapid.T){
			"send": m.Send, "receive": m.Receive, "complete": m.Complete, "release": m.Release, "abandon": m.Abandon,
			"dead-letter": m.DeadLetter, "renew": m.Renew, "advance": m.Advance, "": m.Check,
			"schedule": m.Schedule, "cancel": m.Cancel, "crash": m.Crash, "defer": m.Defer, "receive deferred": m.ReceiveDeferred,
			"lose lock": m.LoseLock, "settle again": m.SettleAgain, "purge": m.Purge,
			"post": m.Post, "wait": m.Wait, "stop waiting": m.StopWaiting,
		})
	})
}

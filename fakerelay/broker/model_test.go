package broker_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"passback/clock"
	"passback/fakerelay/broker"
)

const (
	modelLock        = 25 * time.Second // time moves by tens, so that a slow machine has 5 s to spare
	modelMaxDelivery = 3
)

// modelMessage is what a slow and obvious queue would know.
type modelMessage struct {
	name     string
	failures uint32
	token    uuid.UUID
	lapses   time.Duration // model time at which its lock ends
}

// model is such a queue: two lists, walked from the front.
type model struct {
	queue  *broker.Queue
	clock  *clock.Running
	now    time.Duration
	live   []*modelMessage // by order of sending
	dead   []string
	serial int
}

func (m *model) Send(t *rapid.T) {
	name := string(rune('a'+m.serial%26)) + string(rune('0'+m.serial/26%10))
	m.serial++
	if _, err := m.queue.Send(broker.Message{Body: []byte(name)}); err != nil {
		t.Fatal(err)
	}
	m.live = append(m.live, &modelMessage{name: name})
}

func (m *model) Receive(t *rapid.T) {
	d, ok, err := m.queue.TryReceive()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(m.live, func(x *modelMessage) bool { return x.token == uuid.Nil })
	if ok != (i >= 0) {
		t.Fatalf("received something: %v, the model: %v", ok, i >= 0)
	}
	if !ok {
		return
	}
	want := m.live[i]
	if string(d.Body) != want.name || d.Failures != want.failures {
		t.Fatalf("received %s with %d failures, the model has %s with %d", d.Body, d.Failures, want.name, want.failures)
	}
	want.token, want.lapses = d.LockToken, m.now+modelLock
}

func (m *model) Complete(t *rapid.T) {
	m.settle(t, m.queue.Complete, func(x *modelMessage) { m.remove(x) })
}

func (m *model) Release(t *rapid.T) {
	m.settle(t, m.queue.Release, func(x *modelMessage) { x.token = uuid.Nil })
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
	by := time.Duration(rapid.IntRange(1, 4).Draw(t, "tens of seconds")) * 10 * time.Second
	m.clock.Advance(by)
	m.now += by
	due := slices.DeleteFunc(slices.Clone(m.live), func(x *modelMessage) bool { return x.token == uuid.Nil || x.lapses > m.now })
	slices.SortStableFunc(due, func(a, b *modelMessage) int { return int(a.lapses - b.lapses) })
	for _, x := range due {
		m.fail(x)
	}
}

// Check runs after each step.
func (m *model) Check(t *rapid.T) {
	if n := m.queue.Len(); n != len(m.live) {
		t.Fatalf("%d messages, the model has %d", n, len(m.live))
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
	locked := slices.DeleteFunc(slices.Clone(m.live), func(x *modelMessage) bool { return x.token == uuid.Nil })
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

func (m *model) fail(x *modelMessage) {
	x.token = uuid.Nil
	x.failures++
	if x.failures == modelMaxDelivery {
		m.bury(x)
	}
}

func (m *model) bury(x *modelMessage) {
	m.dead = append(m.dead, x.name)
	m.remove(x)
}

func (m *model) remove(x *modelMessage) {
	m.live = slices.DeleteFunc(m.live, func(y *modelMessage) bool { return x == y })
}

func TestQueueBehavesLikeItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := clock.NewRunning()
		b := broker.New(broker.Options{Clock: c})
		defer b.Close()
		q, err := b.CreateQueue(broker.QueueOptions{Name: "q", LockDuration: modelLock, MaxDeliveryCount: modelMaxDelivery})
		if err != nil {
			t.Fatal(err)
		}
		m := &model{queue: q, clock: c}
		t.Repeat(map[string]func(*rapid.T){
			"send": m.Send, "receive": m.Receive, "complete": m.Complete, "release": m.Release, "abandon": m.Abandon,
			"dead-letter": m.DeadLetter, "renew": m.Renew, "advance": m.Advance, "": m.Check,
		})
	})
}

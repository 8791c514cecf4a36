package broker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"passback/clock"
	"passback/fakerelay/broker"
)

// sessionModel is a slow and obvious queue with sessions: who holds which, what each has, in order.
type sessionModel struct {
	queue    *broker.Queue
	clock    *clock.Running
	now      time.Duration
	sessions map[string]*modelSession
	stale    []*broker.Session // whose locks have ended
	dead     []string
	serial   int
}

type modelSession struct {
	id     string
	holder *broker.Session // nil: free
	lapses time.Duration
	live   []*modelMessage // in order
	state  string
}

func (s *modelSession) waits() bool { return slices.ContainsFunc(s.live, (*modelMessage).there) }

var modelSessionIDs = []string{"a", "b", "c"}

func (m *sessionModel) any(t *rapid.T) *modelSession {
	return m.sessions[rapid.SampledFrom(modelSessionIDs).Draw(t, "session")]
}

// held is a session that somebody holds.
func (m *sessionModel) held(t *rapid.T) *modelSession {
	var held []string
	for _, id := range modelSessionIDs {
		if m.sessions[id].holder != nil {
			held = append(held, id)
		}
	}
	if len(held) == 0 {
		t.Skip("no session is held")
	}
	return m.sessions[rapid.SampledFrom(held).Draw(t, "held session")]
}

func (m *sessionModel) Send(t *rapid.T) {
	s := m.any(t)
	m.serial++
	x := &modelMessage{name: fmt.Sprint(s.id, m.serial)}
	if _, err := m.queue.Send(broker.Message{Body: []byte(x.name), SessionID: &s.id}); err != nil {
		t.Fatal(err)
	}
	s.live = append(s.live, x)
}

func (m *sessionModel) Accept(t *rapid.T) {
	s := m.any(t)
	holder, err := m.queue.Accept(s.id)
	if s.holder != nil {
		if !errors.Is(err, broker.ErrSessionLocked) {
			t.Fatalf("the session %s is held, and accepted: %v", s.id, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	s.holder, s.lapses = holder, m.now+modelLock
}

func (m *sessionModel) AcceptNext(t *rapid.T) {
	if !slices.ContainsFunc(modelSessionIDs, func(id string) bool { return m.sessions[id].holder == nil && m.sessions[id].waits() }) {
		t.Skip("no free session has messages")
	}
	holder, err := m.queue.AcceptNext(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	s := m.sessions[holder.ID()]
	if s.holder != nil || !s.waits() {
		t.Fatalf("accepted %s, which is held or has no messages", s.id)
	}
	s.holder, s.lapses = holder, m.now+modelLock
}

func (m *sessionModel) Receive(t *rapid.T) {
	s := m.held(t)
	d, ok, err := s.holder.TryReceive()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(s.live, (*modelMessage).there)
	if ok != (i >= 0) {
		t.Fatalf("received something of %s: %v, the model: %v", s.id, ok, i >= 0)
	}
	if !ok {
		return
	}
	want := s.live[i]
	if string(d.Body) != want.name || d.Failures != want.failures {
		t.Fatalf("received %s with %d failures, the model has %s with %d", d.Body, d.Failures, want.name, want.failures)
	}
	want.token = d.LockToken
}

func (m *sessionModel) Complete(t *rapid.T) {
	m.settle(t, m.queue.Complete, func(s *modelSession, x *modelMessage) { m.remove(s, x) })
}

func (m *sessionModel) Abandon(t *rapid.T) {
	m.settle(t, func(token uuid.UUID) error { return m.queue.Abandon(token, nil) }, m.fail)
}

func (m *sessionModel) Release(t *rapid.T) {
	m.settle(t, m.queue.Release, func(_ *modelSession, x *modelMessage) { x.token = uuid.Nil })
}

func (m *sessionModel) DeadLetter(t *rapid.T) {
	m.settle(t, func(token uuid.UUID) error { return m.queue.DeadLetter(token, nil) }, m.bury)
}

// LoseLock of a message of a session is the end of the session's lock.
func (m *sessionModel) LoseLock(t *rapid.T) {
	m.settle(t, m.queue.LoseLock, func(s *modelSession, _ *modelMessage) { m.end(s, m.fail) })
}

func (m *sessionModel) settle(t *rapid.T, do func(uuid.UUID) error, then func(*modelSession, *modelMessage)) {
	s := m.held(t)
	locked := slices.DeleteFunc(slices.Clone(s.live), func(x *modelMessage) bool { return !x.locked() })
	if len(locked) == 0 {
		t.Skip("nothing of the session is locked")
	}
	x := rapid.SampledFrom(locked).Draw(t, "message")
	if err := do(x.token); err != nil {
		t.Fatalf("%s: %v", x.name, err)
	}
	then(s, x)
}

func (m *sessionModel) Renew(t *rapid.T) {
	s := m.held(t)
	if _, err := s.holder.Renew(); err != nil {
		t.Fatal(err)
	}
	s.lapses = m.now + modelLock
}

func (m *sessionModel) SetState(t *rapid.T) {
	s := m.held(t)
	s.state = rapid.SampledFrom([]string{"", "one", "two"}).Draw(t, "state")
	if err := s.holder.SetState([]byte(s.state)); err != nil {
		t.Fatal(err)
	}
}

// Crash is a client that goes: its link ends, and what it had goes back uncounted.
func (m *sessionModel) Crash(t *rapid.T) {
	s := m.held(t)
	s.holder.Close()
	m.end(s, func(_ *modelSession, x *modelMessage) { x.token = uuid.Nil })
}

// Stale is a client that does not know that its session's lock has gone.
func (m *sessionModel) Stale(t *rapid.T) {
	if len(m.stale) == 0 {
		t.Skip("no lock has ended")
	}
	s := rapid.SampledFrom(m.stale).Draw(t, "stale lock")
	_, _, err := s.TryReceive()
	_, renewed := s.Renew()
	if !errors.Is(err, broker.ErrSessionLockLost) || !errors.Is(renewed, broker.ErrSessionLockLost) {
		t.Fatalf("a lock that has ended receives: %v, is renewed: %v", err, renewed)
	}
	s.Close() // which is nobody's any more
}

func (m *sessionModel) Advance(t *rapid.T) {
	by := time.Duration(rapid.IntRange(1, 4).Draw(t, "tens of seconds")) * 10 * time.Second
	m.clock.Advance(by)
	m.now += by
	for _, id := range modelSessionIDs {
		if s := m.sessions[id]; s.holder != nil && s.lapses <= m.now {
			m.end(s, m.fail)
		}
	}
}

func (m *sessionModel) end(s *modelSession, each func(*modelSession, *modelMessage)) {
	m.stale = append(m.stale, s.holder)
	s.holder = nil
	for _, x := range slices.Clone(s.live) {
		if x.locked() {
			each(s, x)
		}
	}
}

func (m *sessionModel) fail(s *modelSession, x *modelMessage) {
	x.token = uuid.Nil
	if x.failures++; x.failures >= modelMaxDelivery {
		m.bury(s, x)
	}
}

func (m *sessionModel) bury(s *modelSession, x *modelMessage) {
	m.dead = append(m.dead, x.name)
	m.remove(s, x)
}

func (m *sessionModel) remove(s *modelSession, x *modelMessage) {
	s.live = slices.DeleteFunc(s.live, func(y *modelMessage) bool { return x == y })
}

// Check runs after each step.
func (m *sessionModel) Check(t *rapid.T) {
	live := 0
	for _, id := range modelSessionIDs {
		s := m.sessions[id]
		live += len(s.live)
		if s.holder == nil {
			continue
		}
		if state, err := s.holder.State(); err != nil || string(state) != s.state {
			t.Fatalf("the state of %s is %q, %v; the model has %q", id, state, err, s.state)
		}
	}
	if n := m.queue.Len(); n != live {
		t.Fatalf("%d messages, the model has %d", n, live)
	}
	var dead []string
	for _, s := range m.queue.DeadLetters().All() {
		dead = append(dead, string(s.Body))
	}
	slices.Sort(dead) // what ends in the same instant is buried in either order
	if want := slices.Sorted(slices.Values(m.dead)); !slices.Equal(dead, want) {
		t.Fatalf("dead letters %v, the model has %v", dead, want)
	}
}

// No message of a session is lost, held twice or out of its order, whatever its clients do.
func TestSessionsBehaveLikeTheirModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := clock.NewRunning()
		b := broker.New(broker.Options{Clock: c})
		defer b.Close()
		q, err := b.CreateQueue(broker.QueueOptions{Name: "q", RequiresSession: true, LockDuration: modelLock, MaxDeliveryCount: modelMaxDelivery})
		if err != nil {
			t.Fatal(err)
		}
		m := &sessionModel{queue: q, clock: c, sessions: map[string]*modelSession{}}
		for _, id := range modelSessionIDs {
			m.sessions[id] = &modelSession{id: id}
		}
		t.Repeat(map[string]func(*rapid.T){
			"send": m.Send, "accept": m.Accept, "accept next": m.AcceptNext, "receive": m.Receive, "complete": m.Complete,
			"abandon": m.Abandon, "release": m.Release, "dead-letter": m.DeadLetter, "lose lock": m.LoseLock, "renew": m.Renew,
			"set state": m.SetState, "crash": m.Crash, "stale": m.Stale, "advance": m.Advance, "": m.Check,
		})
	})
}

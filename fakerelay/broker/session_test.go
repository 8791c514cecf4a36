package broker_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"passback/fakerelay/broker"
)

func sendTo(t *testing.T, q *broker.Queue, session string, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		_, err := q.Send(broker.Message{Body: []byte(body), SessionID: &session})
		must(t, err)
	}
}

func fromSession(t *testing.T, s *broker.Session, want string) broker.Delivery {
	t.Helper()
	d, ok, err := s.TryReceive()
	must(t, err)
	if !ok || string(d.Body) != want {
		t.Fatalf("received %q (%v), want %q", d.Body, ok, want)
	}
	return d
}

func accept(t *testing.T, q *broker.Queue, id string) *broker.Session {
	t.Helper()
	s, err := q.Accept(id)
	must(t, err)
	return s
}

func TestSessionIsExclusive(t *testing.T) {
	q, _ := newQueue(t, broker.QueueOptions{RequiresSession: true})
	sendTo(t, q, "a", "a1", "a2")
	sendTo(t, q, "b", "b1")
	a := accept(t, q, "a")
	_, err := q.Accept("a")
	mustBe(t, err, broker.ErrSessionLocked)
	next, err := q.AcceptNext(t.Context())
	must(t, err)
	if next.ID() != "b" {
		t.Fatalf("the next session is %q, want b", next.ID())
	}
	fromSession(t, next, "b1")
	must(t, q.Complete(fromSession(t, a, "a1").LockToken))
	a.Close()
	fromSession(t, accept(t, q, "a"), "a2")
}

func TestClosedSessionGivesBackUncountedAndInOrder(t *testing.T) {
	q, _ := newQueue(t, broker.QueueOptions{RequiresSession: true})
	sendTo(t, q, "", "1", "2", "3")
	s := accept(t, q, "")
	held := fromSession(t, s, "1")
	fromSession(t, s, "2")
	s.Close()
	mustBe(t, q.Complete(held.LockToken), broker.ErrSessionLockLost)
	_, _, err := s.TryReceive()
	mustBe(t, err, broker.ErrSessionLockLost)
	again, err := q.AcceptNext(t.Context())
	must(t, err)
	for _, want := range []string{"1", "2", "3"} {
		if d := fromSession(t, again, want); d.Failures != 0 {
			t.Errorf("%s has %d failures, want 0", want, d.Failures)
		}
	}
}

func TestSessionLockExpiresCountedAndCanBeRenewed(t *testing.T) {
	q, c := newQueue(t, broker.QueueOptions{RequiresSession: true, LockDuration: 30 * time.Second})
	sendTo(t, q, "s", "1")
	s := accept(t, q, "s")
	fromSession(t, s, "1")
	c.Advance(20 * time.Second)
	_, err := s.Renew()
	must(t, err)
	c.Advance(20 * time.Second)
	if _, err := q.Accept("s"); err == nil {
		t.Fatal("a renewed session was free")
	}
	c.Advance(11 * time.Second)
	<-s.Ended()
	_, err = s.Renew()
	mustBe(t, err, broker.ErrSessionLockLost)
	if d := fromSession(t, accept(t, q, "s"), "1"); d.Failures != 1 {
		t.Errorf("failures %d after an expired session lock, want 1", d.Failures)
	}
}

func TestAcceptNextWaitsForASession(t *testing.T) {
	q, _ := newQueue(t, broker.QueueOptions{RequiresSession: true})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := q.AcceptNext(ctx)
	mustBe(t, err, context.Canceled)
	accepted := make(chan *broker.Session)
	go func() {
		s, err := q.AcceptNext(context.Background())
		if err != nil {
			t.Error(err)
		}
		accepted <- s
	}()
	sendTo(t, q, "late", "1")
	fromSession(t, <-accepted, "1")
}

func TestSessionStateStays(t *testing.T) {
	q, _ := newQueue(t, broker.QueueOptions{RequiresSession: true})
	s := accept(t, q, "s")
	must(t, s.SetState([]byte("half way")))
	mustBe(t, s.SetState(make([]byte, broker.MaxSessionState+1)), broker.ErrState)
	s.Close()
	_, err := s.State()
	mustBe(t, err, broker.ErrSessionLockLost)
	state, err := accept(t, q, "s").State()
	must(t, err)
	if string(state) != "half way" {
		t.Errorf("state %q", state)
	}
}

func TestSessionsAreListed(t *testing.T) {
	q, c := newQueue(t, broker.QueueOptions{RequiresSession: true})
	sendTo(t, q, "with messages", "1")
	s := accept(t, q, "with state")
	must(t, s.SetState([]byte("state")))
	accept(t, q, "only held")
	for name, test := range map[string]struct {
		since time.Time
		want  []string
	}{
		"all":                    {time.Time{}, []string{"with messages", "with state"}},
		"state set since then":   {c.Now().Add(-time.Hour), []string{"with state"}},
		"nothing since tomorrow": {c.Now().Add(24 * time.Hour), nil},
	} {
		ids, err := q.Sessions(test.since)
		must(t, err)
		if !slices.Equal(ids, test.want) {
			t.Errorf("%s: %q, want %q", name, ids, test.want)
		}
	}
}

func TestSessionsAreNeededWhereTheQueueSaysSo(t *testing.T) {
	with, _ := newQueue(t, broker.QueueOptions{RequiresSession: true})
	_, err := with.Send(broker.Message{})
	mustBe(t, err, broker.ErrNoSessionID)
	_, _, err = with.TryReceive()
	mustBe(t, err, broker.ErrSessionRequired)
	without, _ := newQueue(t, broker.QueueOptions{})
	_, err = without.Accept("s")
	mustBe(t, err, broker.ErrNoSessions)
}

func TestDeadLettersOfASessionQueueHaveNoSessions(t *testing.T) {
	q, _ := newQueue(t, broker.QueueOptions{RequiresSession: true})
	sendTo(t, q, "s", "bad")
	s := accept(t, q, "s")
	must(t, q.DeadLetter(fromSession(t, s, "bad").LockToken, nil))
	d := receiveBody(t, q.DeadLetters(), "bad")
	if d.SessionID == nil || *d.SessionID != "s" {
		t.Errorf("the dead letter lost its session id")
	}
}

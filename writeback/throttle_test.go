package writeback_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"passback/fakead"
	"passback/writeback"
	"passback/writeback/protocol"
)

// repeatable lets a person be reset as often as one likes.
func (l *lab) repeatable() {
	policy := l.dc.Policy()
	policy.MinAge, policy.History = 0, 0
	l.dc.SetPolicy(policy)
}

func TestTooManyRequestsAreThrottled(t *testing.T) {
	for name, limits := range map[string]writeback.Limits{"of one person": {User: 2}, "of all": {Total: 2}} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.repeatable()
			c := l.enrolled()
			c.Limits = limits
			l.start(c)
			for i, want := range []protocol.Outcome{protocol.Success, protocol.Success, protocol.Throttled} {
				if a := l.ask(l.request(nil), newPassword(fmt.Sprint("Spring-Evening-4", i))); a.Outcome != want {
					t.Errorf("request %d was answered %s (%s), want %s", i, a.Outcome, a.Detail, want)
				}
			}
			if !l.passwordIs("alice", "Spring-Evening-41") {
				t.Error("a throttled request reached the directory")
			}
			eventually(t, "an empty queue", func() bool { return l.queued(protocol.QueueRequests) == 0 })
		})
	}
}

func TestOnePersonsLimitIsNotAnothers(t *testing.T) {
	l := newLab(t)
	must(t, l.dc.AddUser(fakead.User{SAM: "bob", Password: initial, PasswordSet: time.Now().Add(-30 * 24 * time.Hour), Attributes: map[string][]string{"mS-DS-ConsistencyGuid": {"0123456789abcdef"}}}))
	c := l.enrolled()
	c.Limits = writeback.Limits{User: 1}
	l.start(c)
	bob := func(r *protocol.Request) { r.SourceAnchor = "MDEyMzQ1Njc4OWFiY2RlZg==" }
	for _, who := range []func(*protocol.Request){nil, bob} {
		if a := l.ask(l.request(who), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
			t.Errorf("answered %s (%s)", a.Outcome, a.Detail)
		}
	}
}

// A redelivery may have been applied, so it is not refused unasked.
func TestRedeliveryIsNotThrottled(t *testing.T) {
	l := newLab(t)
	l.repeatable()
	c := l.enrolled()
	c.Limits = writeback.Limits{User: 1}
	m := l.seal(l.request(nil), newPassword("Spring-Evening-42"))
	l.send(m)
	l.abandon()
	l.start(c)
	if a := l.answer(m); a.Outcome != protocol.Success {
		t.Errorf("answered %s (%s)", a.Outcome, a.Detail)
	}
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-43")); a.Outcome != protocol.Success {
		t.Errorf("the redelivery was counted: answered %s (%s)", a.Outcome, a.Detail)
	}
}

// abandon takes the request at the head of the queue and gives it back, as an agent that has no key for it does.
func (l *lab) abandon() {
	l.t.Helper()
	r, err := l.client.NewReceiverForQueue(protocol.QueueRequests, nil)
	must(l.t, err)
	defer r.Close(context.Background())
	messages, err := r.ReceiveMessages(within(l.t), 1, nil)
	must(l.t, err)
	must(l.t, r.AbandonMessage(within(l.t), messages[0], nil))
}

// A tripwire panics when a request begins, with something in the panic that must not be told.
type tripwire struct {
	slog.Handler
	left *atomic.Int64
}

func (w tripwire) WithAttrs(a []slog.Attr) slog.Handler {
	return tripwire{w.Handler.WithAttrs(a), w.left}
}

func (w tripwire) Handle(ctx context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "PasswordResetRequestStart") && w.left.Add(-1) >= 0 {
		panic("handling Spring-Evening-42")
	}
	return w.Handler.Handle(ctx, r)
}

func TestPanicEndsOneDeliveryAndTellsNothing(t *testing.T) {
	l := newLab(t)
	l.repeatable()
	c := l.enrolled()
	wire := tripwire{c.Logger.Handler(), new(atomic.Int64)}
	c.Logger = slog.New(wire)
	l.start(c)

	wire.left.Store(protocol.MaxDeliveryCount)
	l.send(l.seal(l.request(nil), newPassword("Spring-Evening-42")))
	eventually(t, "an empty queue", func() bool { return l.queued(protocol.QueueRequests) == 0 })

	wire.left.Store(1)
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("the next delivery was answered %s (%s)", a.Outcome, a.Detail)
	}
	if said := l.logText(); !strings.Contains(said, "A request made the agent panic.") || !strings.Contains(said, "a string") || strings.Contains(said, "Spring-Evening-42") {
		t.Errorf("want the panic told without its words:\n%s", said)
	}
}

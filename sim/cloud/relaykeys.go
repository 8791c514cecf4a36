package cloud

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"passback/writeback/protocol"
)

// access is what an agent, or the cloud itself, has on the relays: one rule on each queue, each with two keys. One of the
// two is given out. The other was given out before, while a rotation is going on; else it was never told to anybody. It
// is changed by who holds both the tenant's enrolling and its mu, and read with either.
type access struct {
	rule      string // the name, on every queue
	rights    func(queue string) (send, listen bool)
	keys      []map[string]*[2]protocol.Secret // of each relay, by queue
	out       int                              // which of the two is given out
	former    bool                             // the other one was, and may still be in use
	since     time.Time                        // when the one that is given out was drawn, by the tenant's clock
	unwritten int                              // so many relays may not have these keys
}

// queues, the agents' way back first: an agent that is cut off should not be able to say that it takes no requests, since
// it will in a moment.
var queues = []string{protocol.QueueStatus, protocol.QueueAnswers, protocol.QueueRequests}

func newKey() protocol.Secret { return protocol.NewSecret(rand.Text() + rand.Text()) }

func newAccess(rule string, rights func(string) (send, listen bool), relays int, now time.Time) access {
	a := access{rule: rule, rights: rights, since: now, unwritten: relays}
	for range relays {
		of := map[string]*[2]protocol.Secret{}
		for _, queue := range queues {
			of[queue] = &[2]protocol.Secret{newKey(), newKey()}
		}
		a.keys = append(a.keys, of)
	}
	return a
}

// agentRights: an agent listens on requests and sends on the others.
func agentRights(queue string) (send, listen bool) {
	requests := queue == protocol.QueueRequests
	return !requests, requests
}

// cloudRights are the reverse; besides, the cloud listens on requests, to empty the dead-letter queue.
func cloudRights(queue string) (send, listen bool) { return queue == protocol.QueueRequests, true }

func (a *access) ruleOn(relay int, queue string) Rule {
	send, listen := a.rights(queue)
	keys := a.keys[relay][queue]
	return Rule{Name: a.rule, Primary: keys[0], Secondary: keys[1], Send: send, Listen: listen}
}

// given is the rule with the key that is given out.
func (a *access) given(relay int, queue string) protocol.SASRule {
	return protocol.SASRule{Name: a.rule, Key: a.keys[relay][queue][a.out]}
}

// told is what an agent is told of one relay.
func (a *access) told(relay int, host string) protocol.Relay {
	return protocol.Relay{
		Host:     host,
		Requests: a.given(relay, protocol.QueueRequests), Answers: a.given(relay, protocol.QueueAnswers), Status: a.given(relay, protocol.QueueStatus),
	}
}

// draw makes one of the two keys anew, everywhere.
func (a *access) draw(which int) {
	for _, of := range a.keys {
		for _, keys := range of {
			keys[which] = newKey()
		}
	}
	a.unwritten = len(a.keys)
}

// begin draws the key that nobody knows and gives it out from now on; the former serves until finish.
func (a *access) begin(now time.Time) {
	a.draw(1 - a.out)
	a.out, a.former, a.since = 1-a.out, true, now
}

// giveUp takes begin back, where nobody was told.
func (a *access) giveUp(since time.Time) { a.out, a.former, a.since = 1-a.out, false, since }

// finish replaces the former key.
func (a *access) finish() {
	a.draw(1 - a.out)
	a.former = false
}

// write sets the rules on every relay, and needs t.enrolling. What they hold already is set again, since a namespace may
// have been made anew.
func (t *Tenant) write(ctx context.Context, a *access) error {
	var failed []error
	for i, relay := range t.relays {
		for _, queue := range queues {
			if err := setWithin(ctx, relay, queue, a.ruleOn(i, queue)); err != nil {
				t.log.Error("a relay did not take a rule", "relay", relay.Host, "queue", queue, "rule", a.rule, "error", err)
				failed = append(failed, fmt.Errorf("set the rule %s on %s of %s: %w", a.rule, queue, relay.Host, err))
				break // the next relay may do
			}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	a.unwritten = len(failed)
	return errors.Join(failed...)
}

// ruleTimeout is how long a relay's management may take for one rule: enrolments wait meanwhile.
const ruleTimeout = 10 * time.Second

func setWithin(ctx context.Context, relay Relay, queue string, r Rule) error {
	ctx, cancel := context.WithTimeout(ctx, ruleTimeout)
	defer cancel()
	return relay.SetRule(ctx, queue, r)
}

// relaysOf is what an agent is told of the relays, and needs t.enrolling or t.mu.
func (t *Tenant) relaysOf(a *agent) []protocol.Relay {
	var told []protocol.Relay
	for i, relay := range t.relays {
		told = append(told, a.access.told(i, relay.Host))
	}
	return told
}

// changedOver reports whether nothing uses the agent's former keys any more: its newest beat says so, or it is not there,
// and asks for its keys when it starts. It needs t.mu.
func (t *Tenant) changedOver(a *agent, now time.Time) bool {
	if a.beat == nil && now.Sub(a.enrolled) <= 2*protocol.HeartbeatInterval {
		return false // it has only just been told
	}
	if !a.fresh(now) {
		return true
	}
	for _, told := range t.relaysOf(a) {
		if !slices.ContainsFunc(a.beat.Relays, func(r protocol.RelayState) bool { return r.Host == told.Host && r.Keys == told.Thumbprint() }) {
			return false
		}
	}
	return true
}

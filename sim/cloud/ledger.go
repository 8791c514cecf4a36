package cloud

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"passback/writeback/protocol"
)

// The ledger: every request is recorded before it is sent, and counts as unknown until it holds success or a
// refusal. So a request that ended unknown, for whatever reason, is named by the next one of the same user, which
// supersedes it. All front ends of a tenant share it.

type requestState int

const (
	stateUnknown requestState = iota
	stateSucceeded
	stateRefused
	stateSuperseded
)

type request struct {
	id         protocol.TrackingID
	user       string    // object id
	entered    time.Time // wire time
	hash       string    // of the message; set before it is sent
	supersedes []protocol.TrackingID
	state      requestState
	answered   chan protocol.Answer // of one
}

var errNotOurs = errors.New("an answer to no request of ours")

// A ledger's zero value is ready. Its methods need the tenant's lock.
type ledger struct {
	requests map[protocol.TrackingID]*request
	entered  []*request            // the same, oldest first
	unknown  map[string][]*request // by user: those that may still land, oldest first
}

// unknownOf names the user's requests of the last hour that may still land, newest first.
func (l *ledger) unknownOf(user string, now time.Time) []protocol.TrackingID {
	var ids []protocol.TrackingID
	for _, r := range slices.Backward(l.unknown[user]) {
		if now.Sub(r.id.Time()) <= protocol.SupersedeWindow {
			ids = append(ids, r.id)
		}
	}
	slices.SortStableFunc(ids, func(a, b protocol.TrackingID) int { return b.Time().Compare(a.Time()) })
	return ids[:min(len(ids), protocol.MaxSupersedes)]
}

// enter records r. What can no longer be named by anything is forgotten.
func (l *ledger) enter(r *request) {
	if l.requests == nil {
		l.requests, l.unknown = map[protocol.TrackingID]*request{}, map[string][]*request{}
	}
	for len(l.entered) > 0 && r.entered.Sub(l.entered[0].entered) > 2*protocol.SupersedeWindow {
		old := l.entered[0]
		l.entered = l.entered[1:]
		l.known(old)
		if l.requests[old.id] == old {
			delete(l.requests, old.id)
		}
	}
	l.requests[r.id] = r
	l.entered = append(l.entered, r)
	l.unknown[r.user] = append(l.unknown[r.user], r)
}

// known takes r from those that may still land.
func (l *ledger) known(r *request) {
	left := slices.DeleteFunc(l.unknown[r.user], func(u *request) bool { return u == r })
	if l.unknown[r.user] = left; len(left) == 0 {
		delete(l.unknown, r.user)
	}
}

// settle keeps what is now known of a request, and needs t.mu.
func (t *Tenant) settle(r *request, changed protocol.Changed) {
	state := map[protocol.Changed]requestState{
		protocol.ChangedYes: stateSucceeded, protocol.ChangedNo: stateRefused,
	}[changed]
	if state == stateUnknown || r.state == state {
		return
	}
	if r.state == stateSucceeded || r.state == stateRefused {
		t.log.Error("two answers to one request contradict each other; the first one stays", "trackingId", r.id)
		return
	}
	r.state = state
	t.ledger.known(r)
	if state != stateSucceeded {
		return
	}
	for _, id := range r.supersedes {
		if older := t.ledger.requests[id]; older != nil && older.state == stateUnknown {
			older.state = stateSuperseded // its value and its twin are in the directory now
			t.ledger.known(older)
		}
	}
}

// take opens an answer, settles its request, also one whose caller has gone, and wakes the caller.
func (t *Tenant) take(m protocol.Message) (protocol.Answer, error) {
	t.mu.Lock()
	keys := t.openKeys(wire())
	t.mu.Unlock()
	answer, err := protocol.OpenAnswer(keys, t.id, m)
	if err != nil {
		return answer, fmt.Errorf("open an answer: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.ledger.requests[answer.TrackingID]
	if r == nil || r.hash != answer.RequestHash {
		return answer, fmt.Errorf("tracking id %s: %w", answer.TrackingID, errNotOurs)
	}
	t.settle(r, answer.Outcome.Info().Changed)
	select {
	case r.answered <- answer:
	default: // a repeated answer
	}
	return answer, nil
}

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
	user       string // object id
	hash       string // of the message
	supersedes []protocol.TrackingID
	state      requestState
	answered   chan protocol.Answer // of one
}

var errNotOurs = errors.New("an answer to no request of ours")

// unknownOf names the user's requests of the last hour that may still land, newest first, and needs t.mu.
func (t *Tenant) unknownOf(user string, now time.Time) []protocol.TrackingID {
	var ids []protocol.TrackingID
	for id, r := range t.requests {
		if r.user == user && r.state == stateUnknown && now.Sub(id.Time()) <= protocol.SupersedeWindow {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b protocol.TrackingID) int { return b.Time().Compare(a.Time()) })
	return ids[:min(len(ids), protocol.MaxSupersedes)]
}

// enter needs t.mu. What can no longer be named by anything is forgotten.
func (t *Tenant) enter(r *request, now time.Time) {
	for id := range t.requests {
		if now.Sub(id.Time()) > 2*protocol.SupersedeWindow {
			delete(t.requests, id)
		}
	}
	t.requests[r.id] = r
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
	if state != stateSucceeded {
		return
	}
	for _, id := range r.supersedes {
		if older := t.requests[id]; older != nil && older.state == stateUnknown {
			older.state = stateSuperseded // its value and its twin are in the directory now
		}
	}
}

// take opens an answer, settles its request, also one whose caller has gone, and wakes the caller.
func (t *Tenant) take(m protocol.Message) (protocol.Answer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	answer, err := protocol.OpenAnswer(t.openKeys(wire()), t.id, m)
	if err != nil {
		return answer, fmt.Errorf("open an answer: %w", err)
	}
	r := t.requests[answer.TrackingID]
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

package writeback

// Deciding one request, at most once: the directory itself keeps the decision, as a marker value that is added in
// the same modify as the password. The names are those of the exploration that the rules come from: a request is
// open until its value is there; then it is applied (the bare value) or burnt (with a twin that says which refusal).
//
//	taken      find the account; is the request decided already?
//	sends      one modify: password, unlock, must-change, own value, values and twins of what it supersedes
//	exists     20: decided, by another attempt, or a superseded request was: read, and say that, or drop it and send again
//	refused    by the directory, or by a check of the agent's own: burn, then say so
//	lost       the result never came: cut the connection off, read, burn if open
//	without    no burn is possible: a first delivery with nothing in doubt completes before it says so
//	unsure     nobody can tell: unknown
//
// A refused change is never turned into a reset, and every loop ends after three rounds.

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"time"

	"passback/clock"
	"passback/writeback/directory"
	"passback/writeback/protocol"
)

const (
	rounds = 3
	// lastSend is how long before the deadline the last password may leave: a stalled write and the directory's
	// work end before the deadline then.
	lastSend = directory.Timeout + 5*time.Second
)

// An applier decides requests. It has no state of its own: agents are interchangeable.
type applier struct {
	domains   []*directory.Domain
	log       *slog.Logger
	telemetry telemetry
	record    *record // is told of markers that may not be read or written; nil: nobody is
}

// A task is one request to be decided.
type task struct {
	request  protocol.Request
	secrets  protocol.Secrets
	refusal  protocol.Outcome // of a check that the agent made before; empty: none
	detail   string           // of that refusal
	delivery delivery
}

// attempt is one delivery of a request on its way to a decision.
type attempt struct {
	*applier
	task
	domain *directory.Domain
	conn   *directory.Conn // nil before the first, and after one was cut off
	names  []protocol.TrackingID
	doubt  bool // a modify of this delivery was never answered
}

// apply decides a request. It returns when the directory, as far as it can be asked, will not change any more on
// its behalf, or when that cannot be known.
func (a *applier) apply(ctx context.Context, t task) decision {
	at := &attempt{applier: a, task: t, names: t.request.Supersedes}
	defer at.release()
	d := at.decide(ctx)
	d.dc = t.request.DC
	return d
}

func (at *attempt) decide(ctx context.Context) decision {
	at.domain = at.domainOf(at.request.Domain)
	if at.domain == nil {
		return at.without(decision{outcome: protocol.DirectoryMisconfigured, detail: "the agent does not serve the domain " + at.request.Domain})
	}
	users, err := at.find(ctx)
	if err != nil {
		return at.without(at.refusalOf(err))
	}
	for _, u := range users {
		if d, ok := at.decided(u); ok {
			return d
		}
	}
	if forgotten(at.request.TrackingID) {
		return at.unsure("the request is too old for the directory to remember it")
	}
	user, refusal := at.choose(ctx, users)
	switch {
	case len(users) == 0:
		return at.without(refusal)
	case refusal.outcome != "":
		return at.burnAll(ctx, users, refusal)
	}
	return at.send(ctx, user)
}

// send puts the modify on its way until one is taken or refused.
func (at *attempt) send(ctx context.Context, u directory.User) decision {
	for round := range rounds {
		if refusal := at.check(u); refusal.outcome != "" {
			return at.burn(ctx, u, refusal)
		}
		m := at.modification(u)
		if round == rounds-1 {
			m.Unmark = nil // whoever keeps racing us for them may have them
		}
		err := at.modify(ctx, u, m)
		if err == nil {
			return at.succeed(u)
		}
		switch kind := directory.KindOf(err); {
		case kind == directory.NoAnswer:
			return at.lost(ctx, u, err)
		case kind == directory.Exists:
			next, read := at.read(ctx, u)
			if read != nil {
				return at.unsure(read.Error())
			}
			if d, ok := at.decided(next); ok {
				return d
			}
			if !at.drop(next) {
				return at.invisible()
			}
			u = next
		case kind == directory.Stale && len(m.Unmark) > 0:
			if u, err = at.read(ctx, u); err != nil {
				return at.without(at.refusalOf(err))
			}
		case kind == directory.Unreachable:
			return at.without(at.refusalOf(err))
		default:
			return at.refused(ctx, u, err)
		}
	}
	return at.burn(ctx, u, decision{outcome: protocol.Throttled, detail: "other requests of this user were decided meanwhile, again and again"})
}

// refused burns what the directory refused and, of a policy's refusal, works out which rule it was.
func (at *attempt) refused(ctx context.Context, u directory.User, err error) decision {
	refusal := at.refusalOf(err)
	if refusal.outcome == protocol.AccessDenied && u.Protected {
		refusal.detail = "adminCount is 1, so the rights are those that AdminSDHolder gives: " + refusal.detail
	}
	d := at.burn(ctx, u, refusal)
	if refusal.outcome == protocol.PolicyViolation && d.outcome == refusal.outcome {
		d.violation = at.diagnose(ctx, u)
	}
	return d
}

// lost follows a modify whose result never came; its connection is cut off already.
func (at *attempt) lost(ctx context.Context, u directory.User, err error) decision {
	at.log.Warn("a modify was not answered; reading what became of it", "trackingId", at.request.TrackingID, "error", err)
	u, read := at.read(ctx, u)
	if read != nil {
		return at.unsure(read.Error())
	}
	if d, ok := at.decided(u); ok {
		return d
	}
	return at.burn(ctx, u, decision{outcome: protocol.DirectoryUnavailable, detail: err.Error()})
}

// burn adds the request's value and a twin that names the refusal, without a password: then no attempt still on
// its way can land, and the refusal may be said. A burn may be sent at any time.
func (at *attempt) burn(ctx context.Context, u directory.User, refusal decision) decision {
	id := at.request.TrackingID
	for round := range rounds {
		m := directory.Modification{Mark: values(id, refusal.outcome), Unmark: stale(u.Markers)}
		if round == rounds-1 {
			m.Unmark = nil
		}
		err := at.modify(ctx, u, m)
		if err == nil {
			refusal.settle = answerThenComplete
			return refusal
		}
		kind := directory.KindOf(err)
		if kind != directory.Exists && kind != directory.NoAnswer && (kind != directory.Stale || len(m.Unmark) == 0) {
			if kind == directory.Denied && !u.Protected {
				at.record.markerDenied(at.domain.Name(), "the agent's account may not write the marker's attribute of an account; doctor --user tells which right is missing")
			}
			at.log.Warn("a refusal could not be kept in the directory", "trackingId", id, "outcome", refusal.outcome, "error", err)
			return at.without(refusal)
		}
		next, read := at.read(ctx, u)
		if read != nil {
			if kind == directory.Stale {
				return at.without(refusal)
			}
			return at.unsure(read.Error())
		}
		if d, ok := at.decided(next); ok {
			return d
		}
		if kind == directory.Exists {
			return at.invisible()
		}
		u = next
	}
	return at.unsure("the directory did not answer, again and again")
}

// burnAll refuses on every account that the request might mean.
func (at *attempt) burnAll(ctx context.Context, users []directory.User, refusal decision) (d decision) {
	for _, u := range users {
		if d = at.burn(ctx, u, refusal); d.outcome != refusal.outcome || d.settle != answerThenComplete {
			return d
		}
	}
	return d
}

// modification is the one modify of the request for u as it was read.
func (at *attempt) modification(u directory.User) directory.Modification {
	m := directory.Modification{
		New: at.secrets.New, Old: at.secrets.Old,
		Unlock:     at.request.Unlock || at.request.Operation == protocol.Unlock,
		MustChange: at.request.MustChange && !u.NeverExpires,
		Unmark:     stale(u.Markers),
	}
	at.drop(u)
	m.Mark = values(at.request.TrackingID, "")
	for _, id := range at.names {
		m.Mark = append(m.Mark, values(id, protocol.Superseded)...)
	}
	return m
}

// check is the agent's own refusal of a user who was found, at the last moment before a password leaves.
func (at *attempt) check(u directory.User) decision {
	switch {
	case at.refusal != "":
		return decision{outcome: at.refusal, detail: at.detail}
	case at.secrets.Validate(at.request.Operation) != nil: // a change without its old password would be a reset
		return decision{outcome: protocol.InvalidRequest, detail: at.secrets.Validate(at.request.Operation).Error()}
	case at.request.Operation == protocol.AdminReset && u.Protected:
		return decision{outcome: protocol.ProtectedAccount, detail: "adminCount is 1, so an administrator's reset is refused"}
	case wireNow().After(at.request.Deadline.Add(-lastSend)):
		return decision{outcome: protocol.Expired, detail: fmt.Sprintf("less than %s were left before the deadline", lastSend)}
	}
	return decision{}
}

func (at *attempt) succeed(u directory.User) decision {
	d := decision{outcome: protocol.Success}
	if at.request.MustChange && u.NeverExpires {
		d.notes = []protocol.Note{protocol.MustChangeDropped}
	}
	return d
}

// without refuses where no burn is possible: that leans on the relay's delivery count alone.
func (at *attempt) without(refusal decision) decision {
	if !at.delivery.first() || at.doubt {
		return at.unsure(refusal.detail)
	}
	refusal.settle = completeThenAnswer
	return refusal
}

func (at *attempt) unsure(detail string) decision {
	return decision{outcome: protocol.Unknown, detail: detail}
}

// invisible: the directory says that something was decided, and shows nothing of it.
func (at *attempt) invisible() decision {
	d := at.unsure("a marker value is there and cannot be read; the agent's account needs to read and write the marker's attribute")
	d.engine = d.detail
	at.record.markerDenied(at.domain.Name(), "the agent's account may write the marker's attribute of an account and not read it; doctor --user tells more")
	return d
}

func wireNow() time.Time { return clock.Real().Now() }

// anchor was checked when the request was opened.
func (at *attempt) anchor() ([]byte, error) {
	anchor, err := base64.StdEncoding.DecodeString(at.request.SourceAnchor)
	if err != nil {
		return nil, fmt.Errorf("source anchor: %w", err)
	}
	return anchor, nil
}

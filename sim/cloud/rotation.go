package cloud

// Relay keys are replaced one after the other, so that no request is lost by it: the key that nobody knows is drawn anew
// and given out; the former is replaced when whoever had it has changed over. An agent is given its keys when it renews,
// daily or when it starts, and names those that it uses in its heartbeats. The cloud's front end changes over at once.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"passback/clock"
	"passback/writeback/protocol"
)

// DefaultRelayKeyLife is how long relay keys serve until the clock has them replaced.
const DefaultRelayKeyLife = 90 * 24 * time.Hour

const (
	lookInterval = protocol.HeartbeatInterval // at rotations that go on
	changeOver   = 10 * time.Second           // of the front end, at most, where keys are to be replaced at once
	overdue      = 2 * protocol.RenewInterval // of an agent, to change over
)

// A Rotation says which relay keys are to be replaced, and how.
type Rotation struct {
	Agent string // id; default: those of all agents, and the cloud's own

	// Immediate replaces both keys now, as is right when one is known to a stranger. An agent that uses them is refused,
	// asks the cloud for its keys, and goes on with what it has in hand; it may be refused for some seconds. Default: the
	// former key serves until the agent has changed over, which takes up to a day.
	Immediate bool

	Actor string // UPN of the administrator, for the audit; default: none, which is the clock
}

// ErrRotating says that keys are being replaced already, and an agent has not changed over yet.
var ErrRotating = errors.New("relay keys are being replaced already")

var errNoRelay = errors.New("this tenant has no relay")

// RotateRelayKeys begins to replace relay keys, and with Immediate does it. A relay that does not take them is told of,
// and gets them when it can be reached again.
func (t *Tenant) RotateRelayKeys(ctx context.Context, r Rotation) error {
	if len(t.relays) == 0 {
		return errNoRelay
	}
	t.enrolling.Lock()
	defer t.enrolling.Unlock()
	all, err := t.concerned(r)
	if err != nil {
		return err
	}
	how := "the former keys serve until nothing uses them"
	if r.Immediate {
		how = "at once"
	}
	var failed []error
	for _, a := range all {
		err := t.replace(ctx, a, r.Immediate)
		failed = append(failed, err)
		t.tell(a, r.Actor, err, how)
	}
	err = errors.Join(failed...)
	if r.Agent == "" && err == nil {
		t.mu.Lock()
		t.rotated = t.clock.Now()
		t.mu.Unlock()
	}
	return err
}

// concerned are those whose keys a rotation replaces, the cloud's own last. It needs t.enrolling.
func (t *Tenant) concerned(r Rotation) ([]*access, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*access
	var waiting []string
	for _, a := range t.agents {
		if r.Agent != "" && a.id != r.Agent {
			continue
		}
		all = append(all, &a.access)
		if a.access.former {
			waiting = append(waiting, a.name)
		}
	}
	switch {
	case r.Agent == "":
		all = append(all, &t.access)
		if t.access.former && !t.front.changed() {
			waiting = append(waiting, "the cloud")
		}
	case len(all) == 0:
		return nil, fmt.Errorf("agent %.60q: no such agent is enrolled", r.Agent)
	}
	if r.Immediate || len(waiting) == 0 {
		return all, nil
	}
	return nil, fmt.Errorf("%w: not changed over yet: %s", ErrRotating, strings.Join(waiting, ", "))
}

// replace begins to replace the keys of one, and needs t.enrolling. What cannot be written now is written later.
func (t *Tenant) replace(ctx context.Context, a *access, immediate bool) error {
	if a == &t.access {
		return t.replaceOwn(ctx, immediate)
	}
	t.mu.Lock()
	a.begin(t.clock.Now())
	if immediate {
		a.finish()
	}
	t.mu.Unlock()
	return t.write(ctx, a)
}

// replaceOwn has the front end change over before its former key goes, also where that has to be at once: a request that
// is cut off while it is sent may be lost.
func (t *Tenant) replaceOwn(ctx context.Context, immediate bool) error {
	t.front.awaitChanged(ctx) // of an earlier rotation
	t.mu.Lock()
	since := t.access.since
	t.access.begin(t.clock.Now())
	t.mu.Unlock()
	if err := t.write(ctx, &t.access); err != nil {
		t.mu.Lock()
		t.access.giveUp(since)
		t.mu.Unlock()
		return err
	}
	err := t.front.changeOver()
	if err != nil || !immediate {
		return err
	}
	t.front.awaitChanged(ctx)
	return t.finish(ctx, &t.access)
}

// finish replaces the former key of one, and needs t.enrolling.
func (t *Tenant) finish(ctx context.Context, a *access) error {
	t.mu.Lock()
	if a.former {
		a.finish()
	}
	unwritten := a.unwritten
	t.mu.Unlock()
	if unwritten == 0 {
		return nil
	}
	return t.write(ctx, a)
}

func (t *Tenant) tell(a *access, actor string, err error, how string) {
	entry := AuditEntry{Activity: ActivityRelayKeys, Success: err == nil, Reason: how, Actor: actor, Target: a.rule}
	level := slog.LevelInfo
	if err != nil {
		entry.Reason += ": " + err.Error()
		level = slog.LevelWarn
	}
	t.log.Log(t.ctx, level, "relay keys are replaced", "rule", a.rule, "how", entry.Reason, "actor", actor)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.record(entry)
}

// keepRelayKeys has the keys replaced by the clock, and finishes rotations, until the tenant ends.
func (t *Tenant) keepRelayKeys() {
	for t.ctx.Err() == nil {
		look := func() { notify(t.rotate) }
		soon := clock.Real().AfterFunc(lookInterval, look)
		due := t.clock.AfterFunc(max(t.untilRotation(), 0), look)
		select {
		case <-t.rotate:
		case <-t.ctx.Done():
		}
		soon.Stop()
		due.Stop()
		if t.untilRotation() <= 0 {
			t.rotateByClock()
		}
		t.finishRotations()
	}
}

func (t *Tenant) untilRotation() time.Duration {
	if t.keyLife < 0 {
		return lookInterval
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rotated.Add(t.keyLife).Sub(t.clock.Now())
}

// rotateByClock leaves a rotation that still waits for an agent as it is, and tries again a day later, as where a relay
// did not take the keys.
func (t *Tenant) rotateByClock() {
	err := t.RotateRelayKeys(t.ctx, Rotation{})
	if err == nil {
		return
	}
	t.log.Warn("relay keys that are due are not all replaced", "error", err)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rotated = t.clock.Now().Add(min(protocol.RenewInterval, t.keyLife) - t.keyLife)
}

// finishRotations replaces the former keys that nothing uses any more, and writes what could not be written.
func (t *Tenant) finishRotations() {
	t.enrolling.Lock()
	defer t.enrolling.Unlock()
	for _, a := range t.finishable() {
		former := a.former
		err := t.finish(t.ctx, a)
		if former || err != nil {
			t.tell(a, "", err, "nothing uses the former keys any more")
		}
	}
}

func (t *Tenant) finishable() []*access {
	now := wire()
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*access
	for _, a := range t.agents {
		switch {
		case a.access.former && !t.changedOver(a, now):
			if t.clock.Now().Sub(a.access.since) > overdue {
				t.log.Warn("an agent does not take its new relay keys: see why it does not renew, or replace them at once", "agent", a.id, "name", a.name)
			}
		case a.access.former || a.access.unwritten > 0:
			all = append(all, &a.access)
		}
	}
	if t.access.unwritten > 0 || t.access.former && t.front.changed() {
		all = append(all, &t.access)
	}
	return all
}

// RelayKeyState is what the tenant shows of the keys of one rule.
type RelayKeyState struct {
	Rule     string    `json:"rule"`
	Agent    string    `json:"agent,omitempty"` // its name; empty: the cloud's own
	Since    time.Time `json:"since"`           // when the key that is given out was drawn
	Rotating bool      `json:"rotating"`        // the former key still serves
}

// RelayKeys lists the rules by name.
func (t *Tenant) RelayKeys() []RelayKeyState {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []RelayKeyState
	if len(t.relays) > 0 {
		all = append(all, t.access.state(""))
	}
	for _, a := range t.agents {
		all = append(all, a.access.state(a.name))
	}
	slices.SortFunc(all, func(a, b RelayKeyState) int { return strings.Compare(a.Rule, b.Rule) })
	return all
}

func (a *access) state(agent string) RelayKeyState {
	return RelayKeyState{Rule: a.rule, Agent: agent, Since: a.since, Rotating: a.former}
}

// notify leaves word in a channel of capacity one; word that is there already will do.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

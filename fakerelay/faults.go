package fakerelay

// The faults of a namespace: each is a Hook that knows how often it has struck.

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"passback/clock"
	"passback/fakerelay/amqp"
)

// maxFaults is how many a namespace keeps, those that are over too; our own bound.
const maxFaults = 1000

// ErrNoFault says that there is no fault of this id.
var ErrNoFault = errors.New("no such fault")

type faults struct {
	mu     sync.Mutex
	serial int
	list   []*armedFault
}

type armedFault struct {
	ns     *Namespace
	remove func()      // of its hook
	expiry clock.Timer // nil: none

	mu     sync.Mutex
	fault  Fault
	chance *rand.Rand

	// What EffectReorder keeps back, and how long at most.
	kept     func() // lets it go; nil: there is nothing
	patience clock.Timer
}

// AddFault has something go wrong from now on, and returns by which id the fault is listed and removed.
func (n *Namespace) AddFault(f Fault) (id string, err error) {
	if err := f.check(); err != nil {
		return "", fmt.Errorf("fault: %w", err)
	}
	n.faults.mu.Lock()
	defer n.faults.mu.Unlock()
	if len(n.faults.list) >= maxFaults {
		n.faults.list = slices.DeleteFunc(n.faults.list, func(a *armedFault) bool { return a.state().Over })
	}
	if len(n.faults.list) >= maxFaults {
		return "", fmt.Errorf("fault: a namespace has at most %d: remove some first", maxFaults)
	}
	n.faults.serial++
	f = f.withDefaults()
	f.ID = fmt.Sprintf("f%d", n.faults.serial)
	a := &armedFault{ns: n, fault: f, chance: rand.New(rand.NewPCG(f.Seed, 0))}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.remove = n.Hook(a.meet)
	if f.For > 0 {
		a.expiry = n.clock.AfterFunc(f.For, a.end)
	}
	n.faults.list = append(n.faults.list, a)
	return f.ID, nil
}

// Faults lists them in the order in which they were added, with what they have done; those that are over too.
func (n *Namespace) Faults() []Fault {
	n.faults.mu.Lock()
	defer n.faults.mu.Unlock()
	all := make([]Fault, len(n.faults.list))
	for i, a := range n.faults.list {
		all[i] = a.state()
	}
	return all
}

// RemoveFault ends one; ErrNoFault if there is none of this id.
func (n *Namespace) RemoveFault(id string) error {
	n.faults.mu.Lock()
	defer n.faults.mu.Unlock()
	i := slices.IndexFunc(n.faults.list, func(a *armedFault) bool { return a.state().ID == id })
	if i < 0 {
		return fmt.Errorf("%.40q: %w", id, ErrNoFault)
	}
	n.faults.list[i].end()
	n.faults.list = slices.Delete(n.faults.list, i, i+1)
	return nil
}

// ClearFaults ends all of them.
func (n *Namespace) ClearFaults() {
	n.faults.mu.Lock()
	defer n.faults.mu.Unlock()
	for _, a := range n.faults.list {
		a.end()
	}
	n.faults.list = nil
}

func (a *armedFault) state() Fault {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fault
}

// end makes it strike no more, and lets go what it keeps.
func (a *armedFault) end() {
	a.mu.Lock()
	a.fault.Over = true
	if a.expiry != nil {
		a.expiry.Stop()
	}
	a.mu.Unlock()
	a.remove()
	if kept := a.letGo(); kept != nil {
		kept()
	}
}

// letGo gives what lets go of what is kept back; nil: there is nothing.
func (a *armedFault) letGo() func() {
	a.mu.Lock()
	kept, over := a.kept, a.fault.Over
	a.kept = nil
	if kept != nil {
		a.patience.Stop()
	}
	a.mu.Unlock()
	if over {
		a.remove()
	}
	return kept
}

// meet is its hook.
func (a *armedFault) meet(e Event) Action {
	a.mu.Lock()
	strikes := a.fault.matches(e)
	if strikes && a.kept != nil { // this is the one that goes first
		a.mu.Unlock()
		return Action{passed: a.letGo()}
	}
	if strikes && !a.fault.Over {
		a.fault.Seen++
		strikes = a.fault.Seen >= a.fault.Nth && a.chance.Float64() < a.fault.Probability
	}
	if !strikes || a.fault.Over {
		a.mu.Unlock()
		return Pass
	}
	a.fault.Hits++
	a.fault.Over = a.fault.Hits == a.fault.Times
	f := a.fault
	action := a.action(f, e)
	done := f.Over && a.kept == nil
	a.mu.Unlock()
	if done {
		a.remove()
	}
	a.ns.struck(f, e)
	return action
}

// action is what f does about e; it needs a.mu.
func (a *armedFault) action(f Fault, e Event) Action {
	switch f.Effect {
	case EffectDelay:
		return Hold(later(a.ns.clock, f.Delay))
	case EffectReorder:
		until := make(chan struct{})
		a.kept = func() { close(until) }
		a.patience = a.ns.clock.AfterFunc(f.Delay, func() {
			if passed := a.letGo(); passed != nil {
				passed()
			}
		})
		return Hold(until)
	case EffectRefuse:
		switch {
		case f.Condition != "":
			return Refuse(f.Condition, f.Description)
		case e.Kind == Administer:
			return RefuseHTTP(f.Status, f.Description, f.RetryAfter)
		case e.Kind == PutToken:
			return Refuse(string(condAuthorizationFailed), textInvalidSignature)
		}
		return Refuse(string(amqp.CondInternalError), textServerError)
	case EffectThrottle:
		action := Throttle
		action.retryAfter = f.RetryAfter
		return action
	case EffectDetach:
		action := ForceDetach
		action.answer = refusal{condition: amqp.Symbol(f.Condition), text: f.Description}
		return action
	}
	return effects[f.Effect].action
}

// later is closed after a while.
func later(c clock.Clock, d time.Duration) <-chan struct{} {
	done := make(chan struct{})
	c.AfterFunc(d, func() { close(done) })
	return done
}

// struck tells of a hit: the log, the trace, and who asked to be told.
func (n *Namespace) struck(f Fault, e Event) {
	n.log.Info("fault strikes", "fault", f.ID, "effect", f.Effect, "operation", e.Kind, "request", e.Operation, "entity", e.Entity, "after", e.Done,
		"message_id", e.MessageID, "connection", e.Connection, "hits", f.Hits)
	n.trace.note(e.Connection, fmt.Sprintf("!! fault %s: %s %v", f.ID, f.Effect, e))
	if f.Struck != nil {
		f.Struck(e)
	}
}

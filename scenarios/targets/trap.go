package targets

import (
	"context"
	"slices"
	"strings"
	"sync"

	"passback/fakead"
	"passback/fakerelay"
	"passback/scenarios"
	"passback/writeback/protocol"
)

// relayPoints are the points of the relay: what a client is about to do.
var relayPoints = map[scenarios.Point]struct {
	kind  fakerelay.Kind
	queue string
}{
	scenarios.AtDelivery:   {fakerelay.Deliver, protocol.QueueRequests},
	scenarios.AtAnswer:     {fakerelay.Enqueue, protocol.QueueAnswers},
	scenarios.AtSettlement: {fakerelay.Complete, protocol.QueueRequests},
}

// A catch is the one-shot state of a trap.
type catch struct {
	caught  chan struct{}
	release chan struct{} // closed when what was caught may go on

	mu    sync.Mutex
	state catchState
	fate  scenarios.Fate
}

type catchState int

const (
	waiting catchState = iota
	holding
	released
)

func newCatch() *catch {
	return &catch{caught: make(chan struct{}), release: make(chan struct{})}
}

// take reports whether this is what the trap waits for.
func (c *catch) take() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != waiting {
		return false
	}
	c.state = holding
	close(c.caught)
	return true
}

// let ends the trap; it reports whether something is held.
func (c *catch) let(fate scenarios.Fate) (held bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held = c.state == holding
	if c.state != released {
		c.state, c.fate = released, fate
	}
	return held
}

func (c *catch) trap(release func(scenarios.Fate)) scenarios.Trap {
	var once sync.Once
	return scenarios.Trap{Caught: c.caught, Release: func(f scenarios.Fate) { once.Do(func() { release(f) }) }}
}

// Trap implements scenarios.Target.
func (t *target) Trap(_ context.Context, p scenarios.Point) (scenarios.Trap, error) {
	if _, ofRelay := relayPoints[p]; ofRelay {
		return t.trapRelay(p), nil
	}
	if t.ground.fake == nil {
		return scenarios.Trap{}, t.lack(scenarios.DirectoryTraps)
	}
	return t.trapDirectory(p), nil
}

// trapRelay holds an event. What is lost stays held until its connection ends, which drops it.
func (t *target) trapRelay(p scenarios.Point) scenarios.Trap {
	at, c := relayPoints[p], newCatch()
	var removes []func()
	for _, n := range t.world.Relays {
		removes = append(removes, n.Hook(func(e fakerelay.Event) fakerelay.Action {
			if !e.Done && e.Kind == at.kind && e.Entity == at.queue && c.take() {
				return fakerelay.Hold(c.release)
			}
			return fakerelay.Pass
		}))
	}
	return c.trap(func(f scenarios.Fate) {
		for _, remove := range removes {
			remove()
		}
		if c.let(f); f == scenarios.GoOn {
			close(c.release)
		}
	})
}

// trapDirectory holds a modify by the agents' account: the first, or the first that was applied.
func (t *target) trapDirectory(p scenarios.Point) scenarios.Trap {
	c := newCatch()
	caller := strings.ToLower(t.ground.agentDN())
	remove := t.ground.fake.Hook(func(o fakead.Operation) fakead.Action {
		wanted := p == scenarios.BeforeModify && o.Stage == fakead.BeforeModify ||
			p == scenarios.AfterModify && o.Stage == fakead.AfterModify && o.Code == 0
		if !wanted || strings.ToLower(o.Caller) != caller || !slices.ContainsFunc(o.Attributes, isMarker) || !c.take() {
			return fakead.Pass()
		}
		<-c.release
		if c.fate == scenarios.Lose {
			return fakead.Disconnect()
		}
		return fakead.Pass()
	})
	release := c.trap(func(f scenarios.Fate) {
		remove()
		c.let(f)
		close(c.release)
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	t.opened = append(t.opened, func() { release.Release(scenarios.Lose) }) // or the directory could not close
	return release
}

func isMarker(attribute string) bool {
	return strings.EqualFold(attribute, protocol.DefaultMarkerAttribute)
}

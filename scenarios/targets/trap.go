package targets

import (
	"context"
	"sync"

	"passback/fakerelay"
	"passback/scenarios"
	"passback/writeback/protocol"
)

// A catch is a trap: it waits for one thing at one point, holds it, and lets it go once.
type catch struct {
	point   scenarios.Point
	caught  chan struct{}
	release chan struct{} // closed when what is held may go on, or is lost
	onward  chan struct{} // closed when a modify that was held has been sent on

	landed <-chan struct{} // set before onward is closed: closed when that modify was answered

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

func newCatch(p scenarios.Point) *catch {
	return &catch{point: p, caught: make(chan struct{}), release: make(chan struct{}), onward: make(chan struct{})}
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

// let ends the trap, once, and reports whether something is held.
func (c *catch) let(fate scenarios.Fate) (held bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == released {
		return false
	}
	held = c.state == holding
	c.state, c.fate = released, fate
	if fate == scenarios.GoOn || c.point == scenarios.BeforeModify || c.point == scenarios.AfterModify {
		close(c.release)
	}
	return held
}

// wait holds until the trap is released.
func (c *catch) wait() scenarios.Fate {
	<-c.release
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fate
}

// sent tells that the modify that was held goes on.
func (c *catch) sent() { close(c.onward) }

// Trap implements scenarios.Target.
func (t *target) Trap(_ context.Context, p scenarios.Point) (scenarios.Trap, error) {
	if _, ofRelay := relayPoints[p]; ofRelay {
		return t.trapRelay(p), nil
	}
	c := newCatch(p)
	for _, b := range t.between {
		b.set(c)
	}
	return scenarios.Trap{Caught: c.caught, Release: func(f scenarios.Fate) {
		if !c.let(f) || f == scenarios.Lose || p != scenarios.BeforeModify {
			return
		}
		within(c.onward) // a scenario that goes on must find it landed
		within(c.landed)
	}}, nil
}

// relayPoints are the points of the relay: what a client is about to do.
var relayPoints = map[scenarios.Point]struct {
	kind  fakerelay.Kind
	queue string
}{
	scenarios.AtDelivery:   {fakerelay.Deliver, protocol.QueueRequests},
	scenarios.AtAnswer:     {fakerelay.Enqueue, protocol.QueueAnswers},
	scenarios.AtSettlement: {fakerelay.Complete, protocol.QueueRequests},
}

// trapRelay holds an event. What is lost stays held until its connection ends, which drops it.
func (t *target) trapRelay(p scenarios.Point) scenarios.Trap {
	at, c := relayPoints[p], newCatch(p)
	var removes []func()
	for _, n := range t.world.Relays {
		removes = append(removes, n.Hook(func(e fakerelay.Event) fakerelay.Action {
			if !e.Done && e.Kind == at.kind && e.Entity == at.queue && c.take() {
				return fakerelay.Hold(c.release)
			}
			return fakerelay.Pass
		}))
	}
	return scenarios.Trap{Caught: c.caught, Release: func(f scenarios.Fate) {
		for _, remove := range removes {
			remove()
		}
		c.let(f)
	}}
}

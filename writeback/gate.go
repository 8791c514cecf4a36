package writeback

import (
	"cmp"
	"context"
	"sync"
	"time"

	"passback/writeback/protocol"
)

// A gate says whether the agent takes requests, and why not. The zero value is shut.
type gate struct {
	mu      sync.Mutex
	staging string                   // why; empty: active
	warm    bool                     // the first beat as active is long enough ago
	skews   map[string]time.Duration // by whose clock they are measured
	open    bool
	changed chan struct{} // closed at each change of open
}

// update changes what the gate depends on.
func (g *gate) update(change func(*gate)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change(g)
	if open := g.reason() == ""; open != g.open {
		g.open = open
		close(g.signal())
		g.changed = nil
	}
}

func (g *gate) signal() chan struct{} {
	if g.changed == nil {
		g.changed = make(chan struct{})
	}
	return g.changed
}

// reason is why the gate is shut, for people; empty: it is open.
func (g *gate) reason() string {
	skew, staging, warming := g.all()
	return cmp.Or(staging, skew, warming)
}

// all are the reasons, each empty where it does not hold.
func (g *gate) all() (skew, staging, warming string) {
	if g.skewed() {
		skew = skewText(g.skew())
	}
	if !g.warm {
		warming = "the first heartbeat as active is too recent"
	}
	return skew, g.staging, warming
}

// reasons is all.
func (g *gate) reasons() (skew, staging, warming string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all()
}

// skew is the worst measurement.
func (g *gate) skew() (worst time.Duration) {
	for _, d := range g.skews {
		if d.Abs() > worst.Abs() {
			worst = d
		}
	}
	return worst
}

func (g *gate) skewed() bool { return g.skew().Abs() > protocol.MaxClockSkew }

// state returns the reason, and whether the clock is why.
func (g *gate) state() (reason string, skewed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.reason(), g.skewed()
}

// wait returns when the gate is open as wanted; false when ctx ended first.
func (g *gate) wait(ctx context.Context, open bool) bool {
	for ctx.Err() == nil {
		g.mu.Lock()
		now, changed := g.open, g.signal()
		g.mu.Unlock()
		if now == open {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return false
}

// while returns a context that ends with parent, or when the gate shuts.
func (g *gate) while(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	go func() {
		defer cancel()
		g.wait(ctx, false)
	}()
	return ctx, cancel
}

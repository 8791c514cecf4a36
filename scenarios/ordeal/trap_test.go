package ordeal_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"passback/fakead"
	"passback/fakerelay"
	"passback/writeback/protocol"
)

// isBurn reports whether a modify writes nothing but the marker.
func isBurn(o fakead.Operation) bool {
	return !slices.ContainsFunc(o.Attributes, func(a string) bool { return a != protocol.DefaultMarkerAttribute })
}

// A trap holds the first thing that happens at its moment until it is released, tells when it holds it, and when it
// has taken effect after all.
type trap struct {
	at       moment
	fate     fate
	sprung   atomic.Bool
	caught   chan struct{}
	release  chan struct{}
	released atomic.Bool
	landed   chan struct{}
	landing  atomic.Bool
	remove   []func()
}

func (w *world) trap(at moment, f fate) *trap {
	t := &trap{at: at, fate: f, caught: make(chan struct{}), release: make(chan struct{}), landed: make(chan struct{})}
	t.remove = append(t.remove, w.sim.Directory.Hook(t.directory), w.sim.Relay.Hook(t.relay))
	return t
}

// hold returns when the trap is released; at once, and false, if it has something already.
func (t *trap) hold() bool {
	if !t.sprung.CompareAndSwap(false, true) {
		return false
	}
	close(t.caught)
	<-t.release
	return true
}

// effect is told of whatever takes effect: after the release, and nobody else being at work, that is what was held.
func (t *trap) effect() {
	if t.released.Load() && t.landing.CompareAndSwap(false, true) {
		close(t.landed)
	}
}

func (t *trap) directory(o fakead.Operation) fakead.Action {
	if t.at.directory == "" || t.at.burn != isBurn(o) {
		return fakead.Pass()
	}
	if o.Stage == fakead.AfterModify {
		t.effect()
	}
	if o.Stage == t.at.directory && t.hold() && t.fate == lost {
		return fakead.Disconnect()
	}
	return fakead.Pass()
}

func (t *trap) relay(e fakerelay.Event) fakerelay.Action {
	if e.Entity != t.at.queue || e.Kind != t.at.kind {
		return fakerelay.Pass
	}
	if e.Done {
		t.effect()
	}
	if e.Done == t.at.done && t.hold() && t.fate == lost {
		return fakerelay.Disconnect
	}
	return fakerelay.Pass
}

// let has what is held meet its fate.
func (t *trap) let() error {
	t.released.Store(true)
	close(t.release)
	if t.fate == lost {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	select {
	case <-t.landed:
		return nil
	case <-ctx.Done():
		return errors.New("what was held never took effect")
	}
}

// end takes the trap away, whatever it holds.
func (t *trap) end() {
	for _, remove := range t.remove {
		remove()
	}
	if !t.released.Load() {
		close(t.release)
	}
}

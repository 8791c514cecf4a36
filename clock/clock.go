// Package clock is the time that a directory, a tenant and a relay live by: password ages, lockouts,
// expiries, key rollover, locks and schedules. Only this package, and the transport code (TLS, HTTP,
// sockets), may read package time; lint holds that.
//
// Real is package time; inside a testing/synctest bubble it is virtual for free. Running is the sandbox's:
// it runs with real time and can be advanced. Left out on purpose: a frozen clock. A directory whose time
// stands still is not one that a client could meet.
package clock

import (
	"context"
	"time"
)

// A Clock tells the time and calls back when it has passed.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f in a goroutine of its own once d has passed on this clock.
	AfterFunc(d time.Duration, f func()) Timer
}

// A Timer can be stopped. Stop reports whether it kept f from being called.
type Timer interface{ Stop() bool }

type realClock struct{}

// Real returns package time.
func Real() Clock { return realClock{} }

func (realClock) Now() time.Time { return time.Now() }

func (realClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }

// Sleep waits until d has passed on c, or until ctx ends, and returns the cause of that.
func Sleep(ctx context.Context, c Clock, d time.Duration) error {
	passed := make(chan struct{})
	t := c.AfterFunc(d, func() { close(passed) })
	defer t.Stop()
	select {
	case <-passed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

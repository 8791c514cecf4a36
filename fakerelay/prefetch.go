package fakerelay

// How much a receiver gets that settles nothing: the first deliveries at once, more a few at a time. The service's
// receivers see their messages come in over a while too, which azservicebus's tests count on; who settles what it gets
// is never held up.

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	freeDeliveries = 500 // unsettled, that a receiver gets at once
	moreDeliveries = 50
	morePause      = 20 * time.Millisecond
)

// prefetch is what a receiver link has delivered and not seen settled.
type prefetch struct {
	unsettled atomic.Int64
	settled   chan struct{} // holds one: unsettled has fallen
	more      atomic.Int64  // deliveries that may go on top
}

func (p *prefetch) delivered() {
	p.unsettled.Add(1)
	if p.more.Load() > 0 {
		p.more.Add(-1)
	}
}

func (p *prefetch) fell() {
	p.unsettled.Add(-1)
	select {
	case p.settled <- struct{}{}:
	default:
	}
}

// used reports whether the next delivery has to wait.
func (p *prefetch) used() bool { return p.unsettled.Load() >= freeDeliveries && p.more.Load() == 0 }

// wait returns when the next delivery may go, or when ctx or the session has ended.
func (p *prefetch) wait(ctx context.Context, ended <-chan struct{}) {
	pause, cancel := context.WithTimeout(ctx, morePause)
	defer cancel()
	for p.unsettled.Load() >= freeDeliveries {
		select {
		case <-p.settled:
		case <-ended:
			return
		case <-pause.Done():
			p.more.Store(moreDeliveries)
			return
		}
	}
}

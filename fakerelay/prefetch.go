package fakerelay

// How much a receiver gets that settles nothing: the first deliveries at once, more a few at a time. The service's
// receivers see their messages come in over a while too, which azservicebus's tests count on; who settles what it gets
// is never held up.

import (
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
	more      atomic.Int64 // deliveries that may go on top
}

func (p *prefetch) delivered() {
	p.unsettled.Add(1)
	if p.more.Load() > 0 {
		p.more.Add(-1)
	}
}

// fell reports whether that lets go what was held back.
func (p *prefetch) fell() bool { return p.unsettled.Add(-1) == freeDeliveries-1 }

// used reports whether the next delivery has to wait.
func (p *prefetch) used() bool { return p.unsettled.Load() >= freeDeliveries && p.more.Load() == 0 }

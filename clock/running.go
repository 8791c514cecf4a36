package clock

import (
	"container/heap"
	"sync"
	"time"
)

// Running is a clock that runs with real time, can be advanced, and never goes back. The zero value is
// ready. It must not be copied after first use.
type Running struct {
	advancing sync.Mutex // one Advance at a time, so that timers fire in order

	mu     sync.Mutex
	ahead  time.Duration // of package time
	queue  timers
	serial int
	moving bool        // Advance is calling what falls due, and nobody else does
	wake   *time.Timer // package time's timer for the head of the queue
}

// NewRunning returns a clock that shows package time until it is advanced.
func NewRunning() *Running { return &Running{} }

// Now returns package time and what the clock was advanced by.
func (c *Running) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Running) now() time.Time { return time.Now().Add(c.ahead) }

// AfterFunc calls f once d has passed: by itself, or by Advance.
func (c *Running) AfterFunc(d time.Duration, f func()) Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.serial++
	t := &timer{clock: c, at: c.now().Add(d), serial: c.serial, f: f}
	heap.Push(&c.queue, t)
	c.arm()
	return t
}

// Advance moves the clock forward by d (a negative d is 0) and calls what falls due on the way, each at its
// own instant and in order, before it goes on; what a call starts anew on the way falls due too. It returns
// how many were called. A function that is called must not call Advance.
func (c *Running) Advance(d time.Duration) int {
	c.advancing.Lock()
	defer c.advancing.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moving = true
	end := c.now().Add(max(d, 0))
	fired := 0
	for len(c.queue) > 0 && !c.queue[0].at.After(end) {
		t := heap.Pop(&c.queue).(*timer)
		c.moveTo(t.at)
		c.mu.Unlock()
		t.f()
		fired++
		c.mu.Lock()
	}
	c.moveTo(end)
	c.moving = false
	c.arm()
	return fired
}

// moveTo never goes back: real time may have passed at meanwhile.
func (c *Running) moveTo(at time.Time) {
	if gap := at.Sub(c.now()); gap > 0 {
		c.ahead += gap
	}
}

func (c *Running) arm() {
	if c.wake != nil {
		c.wake.Stop()
		c.wake = nil
	}
	if len(c.queue) > 0 && !c.moving {
		c.wake = time.AfterFunc(c.queue[0].at.Sub(c.now()), c.fire)
	}
}

func (c *Running) fire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue) > 0 && !c.moving && !c.queue[0].at.After(c.now()) {
		go heap.Pop(&c.queue).(*timer).f()
	}
	c.arm()
}

type timer struct {
	clock  *Running
	at     time.Time
	serial int // timers of one instant fire in the order in which they were made
	f      func()
	index  int // in the queue; -1 when it has left
}

func (t *timer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	if t.index < 0 {
		return false
	}
	heap.Remove(&t.clock.queue, t.index)
	t.clock.arm()
	return true
}

// timers is a container/heap by instant.
type timers []*timer

func (q timers) Len() int { return len(q) }

func (q timers) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].serial < q[j].serial
	}
	return q[i].at.Before(q[j].at)
}

func (q timers) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *timers) Push(x any) {
	t := x.(*timer)
	t.index = len(*q)
	*q = append(*q, t)
}

func (q *timers) Pop() any {
	old := *q
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	t.index = -1
	return t
}

package broker

import (
	"container/heap"
	"time"

	"passback/clock"
)

// An agenda holds what a queue has to do at which instant: locks that end, messages that expire or fall due.
// One timer stands for all of it. Everything but the timer's callback runs under the queue's mutex.
type agenda struct {
	clock  clock.Clock
	wake   func() // called by the timer; takes the mutex and calls run
	queue  appointments
	serial int
	timer  clock.Timer // nil: none set
	rings  time.Time   // when timer fires
}

type appointment struct {
	at     time.Time
	serial int
	do     func()
	index  int // in the agenda; -1: done or cancelled
}

func (a *agenda) add(at time.Time, do func()) *appointment {
	a.serial++
	p := &appointment{at: at, serial: a.serial, do: do}
	heap.Push(&a.queue, p)
	a.arm()
	return p
}

// cancel takes nil and what is done already. The timer stays: it will find nothing to do.
func (a *agenda) cancel(p *appointment) {
	if p != nil && p.index >= 0 {
		heap.Remove(&a.queue, p.index)
	}
}

func (a *agenda) move(p *appointment, at time.Time) {
	p.at = at
	heap.Fix(&a.queue, p.index)
	a.arm()
}

// run does what is due, in order. Every operation of a queue runs it first, so that no late timer shows.
func (a *agenda) run() {
	if len(a.queue) == 0 {
		return
	}
	now := a.clock.Now()
	for len(a.queue) > 0 && !a.queue[0].at.After(now) {
		heap.Pop(&a.queue).(*appointment).do()
	}
	a.arm()
}

func (a *agenda) arm() {
	if len(a.queue) == 0 {
		return
	}
	next := a.queue[0].at
	if a.timer != nil && !a.rings.After(next) {
		return
	}
	a.stop()
	a.rings = next
	a.timer = a.clock.AfterFunc(next.Sub(a.clock.Now()), a.wake)
}

func (a *agenda) stop() {
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}

// appointments is a container/heap by instant, and at one instant in the order of making.
type appointments []*appointment

func (q appointments) Len() int { return len(q) }

func (q appointments) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].serial < q[j].serial
	}
	return q[i].at.Before(q[j].at)
}

func (q appointments) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *appointments) Push(x any) {
	p := x.(*appointment)
	p.index = len(*q)
	*q = append(*q, p)
}

func (q *appointments) Pop() any {
	old := *q
	p := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	p.index = -1
	return p
}

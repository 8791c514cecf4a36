package fakerelay

// How messages get from the broker to a receiver link. No goroutine waits for them: whoever brings a message, or makes
// room for one, delivers what can be delivered, and then goes on with what else he has to do. To wake another goroutine
// for each message would cost more than to deliver it. A client that does not read holds nobody up: what is for it
// waits in its connection's buffer, and while that is full the link has no credit.

import (
	"errors"
	"sync"

	"passback/clock"
	"passback/fakerelay/broker"
)

// A source is where a receiver link takes messages from: a queue, or a session of one.
type source interface {
	ReceiveOr(*broker.Waiter) (broker.Delivery, bool, error)
	StopWaiting(*broker.Waiter) bool
}

// atOnce is how many messages are delivered by one who has other things to do. After that a goroutine goes on.
const atOnce = 50

// A pump is the state of that. One goroutine at a time runs it, and looks at what has changed after each delivery.
type pump struct {
	mu       sync.Mutex
	running  bool // at first: until the link is accepted
	draining bool // the client wants what there is, and its other credit back
	place    broker.Waiter
	waits    bool     // in the source's line; what it waits for may be on its way
	came     *arrival // what it has waited for
	held     bool     // by prefetch, since the client settles nothing
	pause    clock.Timer
}

type arrival struct {
	broker.Delivery
	err error
}

// Take implements broker.Taker.
func (l *receiverLink) Take(d broker.Delivery, err error) {
	l.take(d, err)
	l.flush()
}

// take leaves it to the caller to flush.
func (l *receiverLink) take(d broker.Delivery, err error) {
	l.pump.mu.Lock()
	defer l.pump.mu.Unlock()
	l.pump.came, l.pump.waits = &arrival{d, err}, false
	l.run()
}

// flush writes what was delivered, now or with what the connection's reader gives rise to.
func (l *receiverLink) flush() { l.c.amqp.FlushWith(l.c.amqp) }

// kick delivers what can be delivered now: there may be more credit, or fewer deliveries that are not settled.
func (l *receiverLink) kick() {
	l.idle.touch()
	l.pump.mu.Lock()
	l.run()
	l.pump.mu.Unlock()
	l.flush()
}

// drain is kick for a client that wants its other credit back.
func (l *receiverLink) drain() {
	l.pump.mu.Lock()
	l.pump.draining = true
	l.pump.mu.Unlock()
	l.kick()
}

// run needs the pump's mutex, and gives it back while it delivers.
func (l *receiverLink) run() {
	if !l.pump.running {
		l.pump.running = true
		l.goOn()
	}
}

// goOn is run, of who has set running.
func (l *receiverLink) goOn() {
	for range atOnce {
		d, ok, err := l.next()
		if !ok && err == nil {
			l.pump.running = false
			return
		}
		l.pump.mu.Unlock()
		if ok {
			l.deliver(d)
		} else {
			l.fail(err)
		}
		l.pump.mu.Lock()
	}
	go func() {
		l.pump.mu.Lock()
		l.goOn()
		l.pump.mu.Unlock()
		l.flush()
	}()
}

// next takes a message; it reports false if there is none, or none that may be delivered now.
func (l *receiverLink) next() (d broker.Delivery, ok bool, err error) {
	if came := l.pump.came; came != nil {
		l.pump.came = nil
		switch {
		case came.err == nil && (l.ctx.Err() != nil || l.sender.Credit() == 0): // ended, or taken back meanwhile
			l.report("release", l.queue.Release(came.LockToken))
		case l.ctx.Err() == nil:
			return came.Delivery, came.err == nil, came.err
		}
	}
	credit := l.ctx.Err() == nil && l.sender.Credit() > 0
	if credit && l.holdBack() {
		return d, false, nil
	}
	if credit && !l.pump.waits {
		l.pump.waits = true
		if d, ok, err = l.from.ReceiveOr(&l.pump.place); ok || err != nil {
			l.pump.waits = false
			return d, ok, err
		}
	}
	if l.pump.draining {
		l.pump.draining, credit = false, false
		l.sender.Drained()
	}
	if !credit && l.pump.waits && l.from.StopWaiting(&l.pump.place) {
		l.pump.waits = false
	}
	return d, false, l.lost()
}

// lost tells that the session's lock has ended.
func (l *receiverLink) lost() error {
	select {
	case <-l.ended:
		if l.ctx.Err() == nil {
			return broker.ErrSessionLockLost
		}
	default:
	}
	return nil
}

// holdBack reports whether the next delivery has to wait for the client to settle some, or for a while.
func (l *receiverLink) holdBack() bool {
	p := &l.pump
	used := l.ahead.used()
	switch {
	case used && !p.held:
		p.pause = clock.Real().AfterFunc(morePause, l.deliverMore)
	case !used && p.held:
		p.pause.Stop()
	}
	p.held = used
	return used
}

// deliverMore is called after the pause.
func (l *receiverLink) deliverMore() {
	l.pump.mu.Lock()
	if l.pump.held {
		l.pump.held = false
		l.ahead.more.Store(moreDeliveries)
	}
	l.pump.mu.Unlock()
	l.kick()
}

// fail ends the link because its source has ended.
func (l *receiverLink) fail(err error) {
	if errors.Is(err, broker.ErrDeleted) {
		l.detach(l.gone())
	} else {
		l.detach(l.c.linkError(err, l.path))
	}
	l.end()
}

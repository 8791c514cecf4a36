package broker

import (
	"container/heap"
	"context"
	"fmt"

	"github.com/google/uuid"
)

// Receive locks the next message and returns it; it waits until there is one or ctx ends. Those who wait are
// served in the order in which they came.
func (q *Queue) Receive(ctx context.Context) (Delivery, error) {
	if err := q.enterPlain(); err != nil {
		return Delivery{}, err
	}
	return q.await(ctx, &q.main)
}

// TryReceive is Receive without the wait; it reports whether there was a message.
func (q *Queue) TryReceive() (Delivery, bool, error) {
	if err := q.enterPlain(); err != nil {
		return Delivery{}, false, err
	}
	defer q.leave()
	d, ok := q.take(&q.main)
	return d, ok, nil
}

// ReceiveOr is TryReceive, but if there is no message it has w wait for one.
func (q *Queue) ReceiveOr(w *Waiter) (Delivery, bool, error) {
	if err := q.enterPlain(); err != nil {
		return Delivery{}, false, err
	}
	defer q.leave()
	d, ok := q.takeOr(&q.main, w)
	return d, ok, nil
}

// StopWaiting reports false if w does not wait: what it waited for is on its way to it.
func (q *Queue) StopWaiting(w *Waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.main.leave(w)
}

func (q *Queue) enterPlain() error {
	if err := q.enterToReceive(); err != nil {
		return err
	}
	if q.options.RequiresSession {
		q.leave()
		return fmt.Errorf("%s: %w", q.path, ErrSessionRequired)
	}
	return nil
}

// An inbox is the Taker of a call that waits.
type inbox chan received

type received struct {
	Delivery
	err error
}

// Take puts it in.
func (i inbox) Take(d Delivery, err error) { i <- received{d, err} }

// await gives the mutex back and waits. What is given in the instant in which ctx ends goes back uncounted.
func (q *Queue) await(ctx context.Context, l *line) (Delivery, error) {
	result := make(inbox, 1)
	w := &Waiter{Taker: result}
	d, ok := q.takeOr(l, w)
	q.leave()
	if ok {
		return d, nil
	}
	select {
	case r := <-result:
		return r.Delivery, r.err
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.leave()
	if !l.leave(w) {
		if it := q.locked[(<-result).LockToken]; it != nil {
			q.giveBack(it, false)
		}
	}
	return Delivery{}, context.Cause(ctx)
}

// offer makes a message receivable, unless it has outlived its time, or is to be handed on.
func (q *Queue) offer(it *item) {
	if q.forwards() {
		it.TTL = q.life(it.TTL)
		q.drop(it)
		q.spill(it.Stored, q.options.ForwardTo)
		return
	}
	if q.outlived(it) {
		q.expire(it)
		return
	}
	if it.session == nil {
		heap.Push(&q.main.stock, it)
		q.serve(&q.main)
		return
	}
	heap.Push(&it.session.line.stock, it)
	q.settleSession(it.session)
}

// serve joins what is there with who waits.
func (q *Queue) serve(l *line) {
	for l.stock.Len() > 0 && l.waiters.Len() > 0 {
		w := l.first()
		d, _ := q.take(l)
		if q.posting {
			q.due = append(q.due, Handover{d, w.Taker})
			continue
		}
		go w.Take(d, nil)
	}
}

func (q *Queue) take(l *line) (Delivery, bool) {
	if l.stock.Len() == 0 {
		return Delivery{}, false
	}
	it := heap.Pop(&l.stock).(*item)
	q.lock(it)
	return it.delivery(), true
}

// takeOr is take for the next one, if nobody waits longer. Else w waits.
func (q *Queue) takeOr(l *line, w *Waiter) (Delivery, bool) {
	d, ok := q.take(l)
	if !ok {
		l.join(w)
	}
	return d, ok
}

// lock gives the message a fresh token. In a session the lock ends with the session's.
func (q *Queue) lock(it *item) {
	it.token = uuid.New()
	q.locked[it.token] = it
	if it.session != nil {
		it.session.locked[it] = struct{}{}
		return
	}
	it.lockedUntil = q.clock.Now().Add(q.options.LockDuration)
	it.lockEnd = q.agenda.add(it.lockedUntil, func() { q.giveBack(it, true) })
}

func (q *Queue) unlock(it *item) {
	delete(q.locked, it.token)
	it.token = uuid.Nil
	q.agenda.cancel(it.lockEnd)
	it.lockEnd = nil
	if it.session != nil {
		delete(it.session.locked, it)
	}
}

// ReceiveDeferred locks a deferred message by its number.
func (q *Queue) ReceiveDeferred(number int64) (Delivery, error) {
	if err := q.enterToReceive(); err != nil {
		return Delivery{}, err
	}
	defer q.leave()
	it := q.messages.get(number)
	if it == nil || it.State != Deferred || it.locked() {
		return Delivery{}, fmt.Errorf("%s: %d: %w", q.path, number, ErrNotDeferred)
	}
	q.lock(it)
	return it.delivery(), nil
}

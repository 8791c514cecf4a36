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
	w := q.main.join()
	q.serve(&q.main)
	q.leave()
	return q.await(ctx, &q.main, w)
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

// await waits without the mutex. What is given in the instant in which ctx ends goes back uncounted.
func (q *Queue) await(ctx context.Context, l *line, w *waiter) (Delivery, error) {
	select {
	case r := <-w.result:
		return r.Delivery, r.err
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.leave()
	select {
	case r := <-w.result:
		if it := q.locked[r.LockToken]; r.err == nil && it != nil {
			q.giveBack(it, false)
		}
	default:
		l.waiters.Remove(w.place)
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
		w := l.waiters.Remove(l.waiters.Front()).(*waiter)
		d, _ := q.take(l)
		w.result <- received{Delivery: d}
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

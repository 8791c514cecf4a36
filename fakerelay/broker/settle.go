package broker

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Complete removes a locked message for good.
func (q *Queue) Complete(token uuid.UUID) error {
	return q.settle(token, func(it *item) {
		q.unlock(it)
		q.drop(it)
	})
}

// Abandon gives a message back at once and counts the delivery as failed; properties are added to it.
func (q *Queue) Abandon(token uuid.UUID, properties map[string]any) error {
	return q.settle(token, func(it *item) {
		it.addProperties(properties)
		q.giveBack(it, true)
	})
}

// Release gives a message back as if it had not been delivered.
func (q *Queue) Release(token uuid.UUID) error {
	return q.settle(token, func(it *item) { q.giveBack(it, false) })
}

// Defer sets a message aside, to be received by its sequence number only.
func (q *Queue) Defer(token uuid.UUID, properties map[string]any) error {
	return q.settle(token, func(it *item) {
		it.addProperties(properties)
		it.State = Deferred
		q.giveBack(it, false)
	})
}

// DeadLetter moves a message to the dead-letter queue; properties, the reason among them, are added to it. A
// message of a dead-letter queue is given back instead, since there is nowhere further to go.
func (q *Queue) DeadLetter(token uuid.UUID, properties map[string]any) error {
	return q.settle(token, func(it *item) {
		if q.dead == nil {
			q.giveBack(it, false)
			return
		}
		q.unlock(it)
		q.bury(it, properties)
	})
}

// RenewLock prolongs the lock by the queue's lock duration, from now, and returns when it will end. A message
// of a session has no lock of its own to renew.
func (q *Queue) RenewLock(token uuid.UUID) (time.Time, error) {
	var until time.Time
	err := q.settle(token, func(it *item) {
		if it.session == nil {
			it.lockedUntil = q.clock.Now().Add(q.options.LockDuration)
			q.agenda.move(it.lockEnd, it.lockedUntil)
		}
		until = it.delivery().LockedUntil
	})
	return until, err
}

// LoseLock ends the lock as if it had expired, and a message's of a session by ending that of the session.
func (q *Queue) LoseLock(token uuid.UUID) error {
	return q.settle(token, func(it *item) {
		if it.session != nil {
			q.end(it.session, true)
			return
		}
		q.giveBack(it, true)
	})
}

// Locked returns the delivery that a token stands for.
func (q *Queue) Locked(token uuid.UUID) (Delivery, error) {
	var d Delivery
	err := q.settle(token, func(it *item) { d = it.delivery() })
	return d, err
}

func (q *Queue) settle(token uuid.UUID, do func(*item)) error {
	if err := q.enter(); err != nil {
		return err
	}
	defer q.leave()
	it := q.locked[token]
	switch {
	case it == nil && q.options.RequiresSession:
		return fmt.Errorf("%s: %w", q.path, ErrSessionLockLost)
	case it == nil:
		return fmt.Errorf("%s: %w", q.path, ErrLockLost)
	}
	do(it)
	return nil
}

// giveBack ends a lock without a decision. A delivery that failed is counted, and the last one that may fail
// dead-letters the message. In a dead-letter queue nothing is counted any more.
func (q *Queue) giveBack(it *item, failed bool) {
	q.unlock(it)
	failed = failed && q.dead != nil
	if failed {
		it.Failures++
	}
	switch {
	case it.State == Deferred:
		if q.outlived(it) {
			q.expire(it)
		}
	case failed && int(it.Failures) >= q.options.MaxDeliveryCount:
		q.bury(it, deadLetterProperties(ReasonMaxDeliveryCount, fmt.Sprintf(descriptionMaxDeliveryCount, q.options.MaxDeliveryCount)))
	default:
		q.offer(it)
	}
}

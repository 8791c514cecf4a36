package broker

// Handing on: from topics to subscriptions, and from queues and subscriptions to where they forward their messages
// ("Chaining Service Bus entities with autoforwarding"). It happens before the call that brought it about returns.
// What cannot be handed on goes to the transfer dead-letter queue of where it came from.

import (
	"errors"
	"fmt"
	"time"
)

// A parcel is a message on its way out of a queue.
type parcel struct {
	Stored
	to string // path; empty: the subscriptions of the topic that it was sent to
}

// leave gives the mutex back, and then hands on what became due to be handed on while it was held.
func (q *Queue) leave() {
	spilled := len(q.outbox) > 0
	q.mu.Unlock()
	if spilled {
		q.broker.carry(q)
	}
}

// carry empties the outbox of a queue and of every queue that gets something by that. One at a time, so that what
// left a queue first arrives first.
func (b *Broker) carry(from *Queue) {
	b.courier.Lock()
	defer b.courier.Unlock()
	for due := []*Queue{from}; len(due) > 0; {
		q := due[0]
		due = due[1:]
		for _, p := range q.collect() {
			due = append(due, b.handOn(q, p)...)
		}
	}
}

func (q *Queue) collect() []parcel {
	q.mu.Lock()
	defer q.mu.Unlock()
	parcels := q.outbox
	q.outbox = nil
	return parcels
}

// handOn delivers a parcel, and returns the queues that it reached.
func (b *Broker) handOn(from *Queue, p parcel) []*Queue {
	if p.to == "" {
		if t, err := b.Topic(from.path); err == nil {
			return t.fanOut(p.Stored)
		}
		return nil // deleted meanwhile
	}
	if p.Hops++; p.Hops > MaxHops {
		from.receiveUndelivered(from.transfer, p.Stored, deadLetterProperties(ReasonMaxHops, descriptionMaxHops))
		return nil
	}
	to, err := b.Node(p.to)
	if err == nil && to.kind != KindQueue && to.kind != KindTopic {
		err = fmt.Errorf("%s: %w", p.to, ErrNotFound)
	}
	if err == nil {
		err = to.arrive(p.Stored)
	}
	if err != nil {
		from.receiveUndelivered(from.transfer, p.Stored, deadLetterProperties(ReasonTransfer, err.Error()))
		return nil
	}
	return []*Queue{to}
}

// forwards reports whether the queue only hands on.
func (q *Queue) forwards() bool { return q.kind == KindTopic || q.options.ForwardTo != "" }

// spill takes a message out of the queue and puts it into the outbox.
func (q *Queue) spill(s Stored, to string) {
	q.outbox = append(q.outbox, parcel{Stored: s, to: to})
}

// arrive stores a message that another entity hands on. What spills by that is the courier's to collect.
func (q *Queue) arrive(s Stored) error {
	elsewhere := q.elsewhere()
	if err := q.enterToSend(); err != nil {
		return err
	}
	defer q.mu.Unlock()
	if err := q.admit([]Message{s.Message}, elsewhere); err != nil {
		return err
	}
	now := q.clock.Now()
	if q.options.RequiresDuplicateDetection && s.ID != "" && !q.seen.note(s.ID, now) {
		return nil
	}
	s.State, s.Failures, s.ExpiresAt = Active, 0, time.Time{}
	q.store(&item{Stored: s}, now)
	return nil
}

// arriveOrBury is arrive for a subscription, which takes everything: its topic has refused already what it must.
func (q *Queue) arriveOrBury(s Stored) {
	err := q.arrive(s)
	if errors.Is(err, ErrNoSessionID) {
		q.receiveUndelivered(q.dead, s, deadLetterProperties(ReasonNoSession, descriptionNoSession))
	}
}

// receiveUndelivered puts a message that the queue does not hold into one of its dead-letter queues.
func (q *Queue) receiveUndelivered(dead *Queue, s Stored, properties map[string]any) {
	it := &item{Stored: s}
	it.addProperties(properties)
	q.mu.Lock()
	defer q.mu.Unlock()
	if dead == q.dead && q.options.ForwardDeadLettersTo != "" {
		it.DeadLetterSource = q.path
		q.spill(it.Stored, q.options.ForwardDeadLettersTo)
		return
	}
	dead.receiveDead(it)
}

package broker

// Deletion of what nobody uses: a queue that is neither sent to nor received from, a subscription that is not
// received from, a topic that is not sent to while none of its subscriptions is received from. A receiver that waits
// uses what it waits for, and an entity that forwards is never idle.

import "time"

// watchIdle looks again when the entity may have been idle for long enough. A watch that was set before stays, and
// finds nothing to do.
func (q *Queue) watchIdle() {
	if after := q.options.AutoDeleteOnIdle; after > 0 && q.options.ForwardTo == "" {
		q.watch(after)
	}
}

func (q *Queue) watch(after time.Duration) {
	q.idleWatch = q.clock.AfterFunc(after, q.endIfIdle)
}

// endIfIdle is the watch's timer.
func (q *Queue) endIfIdle() {
	used := q.lastUse()
	if q.kind == KindTopic {
		if t, err := q.broker.Topic(q.path); err == nil {
			for _, s := range t.all() {
				if at := s.queue.lastUse(); at.After(used) {
					used = at
				}
			}
		}
	}
	if q.enter() != nil {
		return
	}
	after := q.options.AutoDeleteOnIdle
	rest := used.Add(after).Sub(q.clock.Now())
	idle := after > 0 && q.options.ForwardTo == "" && rest <= 0
	if !idle && after > 0 {
		q.watch(max(rest, time.Second))
	}
	q.leave()
	if idle {
		q.broker.deleteIdle(q)
	}
}

// lastUse is now while somebody waits to receive, or a message is scheduled.
func (q *Queue) lastUse() time.Time {
	if q.enter() != nil {
		return time.Time{}
	}
	defer q.leave()
	if q.waiting() > 0 || q.hasScheduled() {
		return q.clock.Now()
	}
	used := q.updated
	if q.accessed.After(used) {
		used = q.accessed
	}
	return used
}

func (b *Broker) deleteIdle(q *Queue) {
	var err error
	switch q.kind {
	case KindQueue:
		err = b.DeleteQueue(q.path)
	case KindTopic:
		err = b.DeleteTopic(q.path)
	case KindSubscription:
		var s *Subscription
		if s, err = b.SubscriptionAt(q.path); err == nil {
			err = b.DeleteSubscription(s.topic.Name(), s.name)
		}
	case KindDeadLetters:
		return
	}
	if err == nil && b.options.Deleted != nil {
		b.options.Deleted(q.path)
	}
}

func (q *Queue) hasScheduled() bool {
	for it := range q.messages.from(0) {
		if it.State == Scheduled {
			return true
		}
	}
	return false
}

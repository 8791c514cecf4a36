package broker

import "time"

// The properties of a dead letter, and the service's own reasons and descriptions.
const (
	DeadLetterReason      = "DeadLetterReason"
	DeadLetterDescription = "DeadLetterErrorDescription"

	ReasonMaxDeliveryCount      = "MaxDeliveryCountExceeded"
	descriptionMaxDeliveryCount = "Message could not be consumed after %d delivery attempts."
	ReasonExpired               = "TTLExpiredException"
	descriptionExpired          = "The message expired and was dead lettered."
)

func deadLetterProperties(reason, description string) map[string]any {
	return map[string]any{DeadLetterReason: reason, DeadLetterDescription: description}
}

// bury moves a message to the dead-letter queue. It keeps its enqueued time and its failures, gets a number
// there, and lives for ever.
func (q *Queue) bury(it *item, properties map[string]any) {
	q.drop(it)
	dead := &item{Stored: it.Stored}
	dead.State = Active
	dead.ExpiresAt = time.Time{}
	dead.addProperties(properties)
	q.dead.receiveDead(dead)
}

func (q *Queue) receiveDead(it *item) {
	if q.enter() != nil {
		return
	}
	defer q.mu.Unlock()
	q.enlist(it)
	q.offer(it)
}

// limitLife puts the end of a message's time to live on the agenda. The queue's default is also the most that
// a message may bring.
func (q *Queue) limitLife(it *item) {
	ttl := it.TTL
	if most := q.options.DefaultTTL; most > 0 && (ttl == 0 || ttl > most) {
		ttl = most
	}
	if ttl <= 0 {
		return
	}
	it.ExpiresAt = it.EnqueuedAt.Add(ttl)
	it.due = q.agenda.add(it.ExpiresAt, func() {
		if !it.locked() {
			q.expire(it)
		}
	})
}

// outlived is asked again when a lock ends: while it is locked a message does not expire.
func (q *Queue) outlived(it *item) bool {
	return !it.ExpiresAt.IsZero() && !q.clock.Now().Before(it.ExpiresAt)
}

func (q *Queue) expire(it *item) {
	if q.options.DeadLetterOnExpiration && q.dead != nil {
		q.bury(it, deadLetterProperties(ReasonExpired, descriptionExpired))
		return
	}
	q.drop(it)
}

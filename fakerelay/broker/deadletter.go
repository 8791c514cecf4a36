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
	ReasonNoSession             = "Session ID is null."
	descriptionNoSession        = "Session enabled entity doesn't allow a message whose session identifier is null."
	ReasonMaxHops               = "MaxTransferHopCountExceeded"
	descriptionMaxHops          = "The maximum number of allowed hops when forwarding between queues has been exceeded. This value is set to 4."
	ReasonTransfer              = "TransferFailed"            // our own words; the error follows as the description
	ReasonFilter                = "FilterEvaluationException" // the same
)

func deadLetterProperties(reason, description string) map[string]any {
	return map[string]any{DeadLetterReason: reason, DeadLetterDescription: description}
}

// bury moves a message to the dead-letter queue. It keeps its enqueued time and its failures, gets a number
// there, and lives for ever.
func (q *Queue) bury(it *item, properties map[string]any) {
	q.drop(it)
	dead := &item{Stored: it.Stored}
	dead.addProperties(properties)
	if to := q.options.ForwardDeadLettersTo; to != "" {
		dead.DeadLetterSource = q.path
		q.spill(dead.Stored, to)
		return
	}
	q.dead.receiveDead(dead)
}

// receiveDead is a dead-letter queue's.
func (q *Queue) receiveDead(it *item) {
	if q.enter() != nil {
		return
	}
	defer q.leave()
	it.State, it.ExpiresAt = Active, time.Time{}
	q.enlist(it)
	q.offer(it)
}

// limitLife puts the end of a message's time to live on the agenda. The queue's default is also the most that a
// message may bring.
func (q *Queue) limitLife(it *item) {
	ttl := q.life(it.TTL)
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

// life is how long a message lives here that would live for ttl; 0: for ever.
func (q *Queue) life(ttl time.Duration) time.Duration {
	if most := q.options.DefaultTTL; most > 0 && (ttl == 0 || ttl > most) {
		return most
	}
	return ttl
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

package broker

import (
	"fmt"
	"time"
)

// overhead is what one message is counted for besides its bytes, so that empty ones are bounded too.
const overhead = 512

// Send stores messages, all or none, and returns their sequence numbers: 0 for one that duplicate detection
// swallowed, which counts as sent. A scheduled message gets another number when it falls due.
func (q *Queue) Send(messages ...Message) ([]int64, error) {
	return q.send(messages, nil)
}

// A Handover is a delivery, locked already, that has to be given to who waited for it: To.Take(Delivery, nil).
type Handover struct {
	Delivery
	To Taker
}

// Post is Send for a caller who hands the messages over himself, at once and in order, to those who wait for them:
// it costs less than to have a goroutine do so. Others than the queue's own receivers get theirs as ever.
func (q *Queue) Post(messages ...Message) (due []Handover, err error) {
	_, err = q.send(messages, &due)
	return due, err
}

func (q *Queue) send(messages []Message, due *[]Handover) ([]int64, error) {
	elsewhere := q.elsewhere()
	if err := q.enterToSend(); err != nil {
		return nil, err
	}
	defer q.leave()
	if err := q.admit(messages, elsewhere); err != nil {
		return nil, err
	}
	if due != nil {
		q.posting = true
		defer func() { *due, q.due, q.posting = q.due, nil, false }()
	}
	now := q.clock.Now()
	numbers := make([]int64, len(messages))
	for i, m := range messages {
		if q.options.RequiresDuplicateDetection && m.ID != "" && !q.seen.note(m.ID, now) {
			continue
		}
		numbers[i] = q.store(&item{Stored: Stored{Message: m}}, now)
	}
	return numbers, nil
}

// admit refuses what must not be stored, before anything is.
func (q *Queue) admit(messages []Message, elsewhere int64) error {
	size := q.messages.bytes + elsewhere
	for _, m := range messages {
		size += cost(m)
		switch {
		case len(m.Body) > q.largest()+overhead: // with what a server adds
			return fmt.Errorf("%s: %d bytes, %d are allowed: %w", q.path, len(m.Body), q.largest(), ErrTooLarge)
		case q.options.RequiresSession && m.SessionID == nil:
			return fmt.Errorf("%s: %w", q.path, ErrNoSessionID)
		case m.SessionID != nil && len(*m.SessionID) > MaxSessionID:
			return fmt.Errorf("%s: %w", q.path, ErrInvalidSessionID)
		}
	}
	q.seen.forget(q.clock.Now())
	full := size > q.options.MaxSize && q.kind != KindSubscription // its topic has looked
	if full || q.options.RequiresDuplicateDetection && len(q.seen.order)+len(messages) > MaxDuplicates {
		return fmt.Errorf("%s: %w", q.path, ErrQuota)
	}
	return nil
}

// elsewhere is the size of what counts as the queue's and is not in it. It takes other mutexes: not to be called under
// this one's.
func (q *Queue) elsewhere() int64 {
	switch {
	case q.kind == KindTopic:
		if t, err := q.broker.Topic(q.path); err == nil {
			return t.size()
		}
	case q.dead != nil:
		return q.dead.size() + q.transfer.size()
	}
	return 0
}

// LargestMessage is how many bytes a message, or a batch, may have.
func (q *Queue) LargestMessage() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.largest()
}

func (q *Queue) largest() int {
	if own := q.options.MaxMessageKB; own > 0 {
		return int(own << 10)
	}
	return q.broker.options.MaxMessageSize
}

func (q *Queue) size() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.messages.bytes
}

func cost(m Message) int64 { return int64(len(m.Body)+len(m.ID)) + overhead }

// store numbers a message and puts it where it belongs: to the others, or on the agenda.
func (q *Queue) store(it *item, now time.Time) int64 {
	it.EnqueuedAt = now
	q.enlist(it)
	if it.ScheduledFor.After(now) && q.kind != KindSubscription { // a rule's action may set it there, in vain
		it.State = Scheduled
		it.due = q.agenda.add(it.ScheduledFor, func() { q.activate(it) })
		return it.SequenceNumber
	}
	if !q.forwards() {
		q.limitLife(it)
	}
	q.offer(it)
	return it.SequenceNumber
}

// activate makes a scheduled message one that was sent just now, as the service does: with a new number.
func (q *Queue) activate(it *item) {
	q.delist(it)
	it.State = Active
	it.EnqueuedSequenceNumber = 0
	q.store(it, it.ScheduledFor)
}

// enlist gives the message the next number.
func (q *Queue) enlist(it *item) {
	q.sequence++
	it.SequenceNumber = q.sequence
	if it.EnqueuedSequenceNumber == 0 {
		it.EnqueuedSequenceNumber = q.sequence
	}
	it.place = -1
	if q.options.RequiresSession {
		it.session = q.session(*it.SessionID)
		it.session.count++
	}
	q.messages.add(it)
}

func (q *Queue) delist(it *item) {
	q.messages.remove(it)
	if it.session != nil {
		it.session.count--
	}
}

// CancelScheduled drops scheduled messages, all or none.
func (q *Queue) CancelScheduled(numbers ...int64) error {
	if err := q.enter(); err != nil {
		return err
	}
	defer q.leave()
	for _, n := range numbers {
		if it := q.messages.get(n); it == nil || it.State != Scheduled {
			return fmt.Errorf("%s: %d: %w", q.path, n, ErrNotScheduled)
		}
	}
	for _, n := range numbers {
		if it := q.messages.get(n); it != nil {
			q.drop(it)
		}
	}
	return nil
}

// drop forgets a message altogether. It must not be locked.
func (q *Queue) drop(it *item) {
	q.agenda.cancel(it.due)
	q.delist(it)
	if it.session == nil {
		q.main.withdraw(it)
		return
	}
	it.session.line.withdraw(it)
	q.settleSession(it.session)
}

// enterToSend is enter for who brings messages.
func (q *Queue) enterToSend() error {
	if err := q.enter(); err != nil {
		return err
	}
	switch {
	case q.kind == KindSubscription: // it takes what its topic took, and is no less idle for that
		return nil
	case !q.options.Status.sends():
		q.mu.Unlock()
		return fmt.Errorf("%s: %w", q.path, ErrDisabled)
	}
	q.accessed = q.clock.Now()
	return nil
}

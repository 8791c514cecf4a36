package broker

import (
	"container/list"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"passback/clock"
)

// overhead is what one message is counted for besides its bytes, so that empty ones are bounded too.
const overhead = 512

// A Queue is a queue or a dead-letter queue. All methods may be called from any goroutine.
type Queue struct {
	path    string
	options QueueOptions
	limit   int // bytes of a message
	clock   clock.Clock
	dead    *Queue // nil: this is a dead-letter queue. Its mutex is taken under this one's, never the other way
	deleted chan struct{}

	mu       sync.Mutex
	agenda   agenda
	sequence int64 // the last number given
	messages ledger
	locked   map[uuid.UUID]*item
	main     line // what is there to receive, in a queue without sessions
	seen     duplicates

	sessions map[string]*session
	free     list.List // of *session: not locked, with messages; longest first
	seekers  list.List // of *seeker: who waits for any free session
}

func (b *Broker) newQueue(path string, o QueueOptions, dead *Queue) *Queue {
	q := &Queue{
		path: path, options: o, limit: b.maxMessageSize, clock: b.clock, dead: dead, deleted: make(chan struct{}),
		locked: make(map[uuid.UUID]*item), sessions: make(map[string]*session),
		seen: duplicates{window: o.DuplicateWindow},
	}
	q.agenda = agenda{clock: b.clock, wake: q.wake}
	return q
}

// Path is the name, with "/$DeadLetterQueue" for a dead-letter queue.
func (q *Queue) Path() string { return q.path }

// Options are those the queue was made with, defaults filled in.
func (q *Queue) Options() QueueOptions { return q.options }

// DeadLetters is the queue of what this one could not deliver; nil for a dead-letter queue.
func (q *Queue) DeadLetters() *Queue { return q.dead }

// Deleted is closed when the queue is deleted.
func (q *Queue) Deleted() <-chan struct{} { return q.deleted }

// Len counts the stored messages, locked, deferred and scheduled ones too.
func (q *Queue) Len() int {
	if q.enter() != nil {
		return 0
	}
	defer q.mu.Unlock()
	return q.messages.len()
}

// enter takes the mutex, brings the queue up to the present, and leaves the mutex held unless it fails.
func (q *Queue) enter() error {
	q.mu.Lock()
	select {
	case <-q.deleted:
		q.mu.Unlock()
		return fmt.Errorf("%s: %w", q.path, ErrDeleted)
	default:
	}
	q.agenda.run()
	return nil
}

// wake is the agenda's timer.
func (q *Queue) wake() {
	if q.enter() != nil {
		return
	}
	q.agenda.timer = nil
	q.agenda.arm()
	q.mu.Unlock()
}

func (q *Queue) delete() {
	if q.enter() != nil {
		return
	}
	defer q.mu.Unlock()
	close(q.deleted)
	q.agenda.stop()
	err := fmt.Errorf("%s: %w", q.path, ErrDeleted)
	q.main.dismiss(err)
	for _, s := range q.sessions {
		s.line.dismiss(err)
	}
	for e := q.seekers.Front(); e != nil; e = e.Next() {
		e.Value.(*seeker).result <- found{err: err}
	}
	q.seekers.Init()
	q.messages = ledger{}
	q.locked = nil
	q.sessions = nil
}

// Send stores messages, all or none, and returns their sequence numbers: 0 for one that duplicate detection
// swallowed, which counts as sent. A scheduled message gets another number when it falls due.
func (q *Queue) Send(messages ...Message) ([]int64, error) {
	if err := q.enter(); err != nil {
		return nil, err
	}
	defer q.mu.Unlock()
	if err := q.admit(messages); err != nil {
		return nil, err
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
func (q *Queue) admit(messages []Message) error {
	size := q.messages.bytes
	if q.dead != nil {
		size += q.dead.size()
	}
	for _, m := range messages {
		size += cost(m)
		switch {
		case len(m.Body) > q.limit+overhead: // with what a server adds
			return fmt.Errorf("%s: %d bytes, %d are allowed: %w", q.path, len(m.Body), q.limit, ErrTooLarge)
		case q.options.RequiresSession && m.SessionID == nil:
			return fmt.Errorf("%s: %w", q.path, ErrNoSessionID)
		case m.SessionID != nil && len(*m.SessionID) > MaxSessionID:
			return fmt.Errorf("%s: %w", q.path, ErrInvalidSessionID)
		}
	}
	q.seen.forget(q.clock.Now())
	if size > q.options.MaxSize || q.options.RequiresDuplicateDetection && len(q.seen.order)+len(messages) > MaxDuplicates {
		return fmt.Errorf("%s: %w", q.path, ErrQuota)
	}
	return nil
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
	if it.ScheduledFor.After(now) {
		it.State = Scheduled
		it.due = q.agenda.add(it.ScheduledFor, func() { q.activate(it) })
		return it.SequenceNumber
	}
	q.limitLife(it)
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
	defer q.mu.Unlock()
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

// Waiting counts the receive calls that wait for a message.
func (q *Queue) Waiting() int {
	if q.enter() != nil {
		return 0
	}
	defer q.mu.Unlock()
	n := q.main.waiters.Len()
	for _, s := range q.sessions {
		n += s.line.waiters.Len()
	}
	return n
}

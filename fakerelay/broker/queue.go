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

// A Queue is what messages are kept in: a queue, a subscription's, a topic's own, or a dead-letter queue. All methods
// may be called from any goroutine.
type Queue struct {
	path    string
	kind    Kind
	broker  *Broker
	clock   clock.Clock
	deleted chan struct{}
	created time.Time

	// Nil in a topic and in a dead-letter queue. Their mutexes are taken under this one's, never the other way.
	dead, transfer *Queue

	mu        sync.Mutex
	options   QueueOptions
	updated   time.Time
	accessed  time.Time   // zero: never
	outbox    []parcel    // on its way to other queues once the mutex is given back
	idleWatch clock.Timer // nil: not watched
	agenda    agenda
	sequence  int64 // the last number given
	messages  ledger
	locked    map[uuid.UUID]*item
	main      line // what is there to receive, in a queue without sessions
	seen      duplicates

	sessions map[string]*session
	free     list.List // of *session: not locked, with messages; longest first
	seekers  list.List // of *seeker: who waits for any free session
}

func (b *Broker) newQueue(path string, kind Kind, o QueueOptions) *Queue {
	now := b.clock.Now()
	q := &Queue{
		path: path, kind: kind, broker: b, options: o, clock: b.clock,
		deleted: make(chan struct{}), created: now, updated: now,
		locked: make(map[uuid.UUID]*item), sessions: make(map[string]*session),
		seen: duplicates{window: o.DuplicateWindow},
	}
	q.agenda = agenda{clock: b.clock, wake: q.wake}
	return q
}

// Path is where the queue is found: a name, or a subscription's or dead-letter queue's path.
func (q *Queue) Path() string { return q.path }

// Kind tells what the queue is to its clients.
func (q *Queue) Kind() Kind { return q.kind }

// Options are those the queue has, defaults filled in.
func (q *Queue) Options() QueueOptions {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.options
}

// DeadLetters is the queue of what this one could not deliver; nil for a topic and for a dead-letter queue.
func (q *Queue) DeadLetters() *Queue { return q.dead }

// TransferDeadLetters is the queue of what this one could not forward; nil as DeadLetters.
func (q *Queue) TransferDeadLetters() *Queue { return q.transfer }

// Deleted is closed when the queue is deleted.
func (q *Queue) Deleted() <-chan struct{} { return q.deleted }

// Len counts the stored messages, locked, deferred and scheduled ones too.
func (q *Queue) Len() int {
	if q.enter() != nil {
		return 0
	}
	defer q.leave()
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
	q.leave()
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

// enterToReceive is enter for who takes messages, or sessions, or looks at them.
func (q *Queue) enterToReceive() error {
	if err := q.enter(); err != nil {
		return err
	}
	var err error
	switch {
	case !q.options.Status.receives():
		err = ErrDisabled
	case q.options.ForwardTo != "":
		err = ErrForwards
	default:
		q.accessed = q.clock.Now()
		return nil
	}
	q.leave()
	return fmt.Errorf("%s: %w", q.path, err)
}

// touch makes the queue one that was used just now.
func (q *Queue) touch() (time.Time, error) {
	if err := q.enter(); err != nil {
		return time.Time{}, err
	}
	defer q.leave()
	q.accessed = q.clock.Now()
	return q.accessed, nil
}

func (q *Queue) delete() {
	if q.enter() != nil {
		return
	}
	defer q.mu.Unlock()
	close(q.deleted)
	q.agenda.stop()
	if q.idleWatch != nil {
		q.idleWatch.Stop()
	}
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
	elsewhere := q.elsewhere()
	if err := q.enterToSend(); err != nil {
		return nil, err
	}
	defer q.leave()
	if err := q.admit(messages, elsewhere); err != nil {
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

// Waiting counts the calls that wait for a message or for a session.
func (q *Queue) Waiting() int {
	if q.enter() != nil {
		return 0
	}
	defer q.leave()
	return q.waiting()
}

func (q *Queue) waiting() int {
	n := q.main.waiters.Len() + q.seekers.Len()
	for _, s := range q.sessions {
		n += s.line.waiters.Len()
	}
	return n
}

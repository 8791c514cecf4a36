package broker

import (
	"container/list"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"passback/clock"
)

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
	posting   bool // Post stores messages, and will give due to its caller
	due       []Handover
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

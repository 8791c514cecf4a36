// Package broker is the inside of a Service Bus namespace: queues, topics, subscriptions, rules, locks, sessions,
// time to live, dead letters, forwarding.
//
// It knows nothing of AMQP: a message is opaque bytes, the few fields that a broker needs, and a Codec that reads
// properties for rules out of the bytes. It lives on a clock.Clock, so that a test can let a lock expire. Everything
// is in memory, bounded by each entity's MaxSize. The rules are those of the service's documentation ("Message
// transfers, locks, and settlement", "Message sessions", "Dead-letter queues", "Duplicate detection", "Message
// expiration", "Topic filters and actions", "Chaining Service Bus entities with autoforwarding"). Left out:
// partitions (a partition key is kept and has no effect) and transactions.
package broker

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"passback/clock"
)

// The last parts of the paths of dead-letter queues, below their queue or subscription.
const (
	DeadLetterPath         = "$DeadLetterQueue"
	TransferDeadLetterPath = "$Transfer/$DeadLetterQueue"
)

// Options are what a broker is made with. The zero value works, for messages without properties.
type Options struct {
	Clock          clock.Clock // of all locks and expiries; default clock.Real()
	MaxMessageSize int         // bytes; default MaxMessageSize
	MaxEntities    int         // queues and topics; default 10,000
	Codec          Codec       // default: messages have no properties

	// Deleted is told the path of an entity that was deleted because it was idle; default: nobody is.
	Deleted func(path string)
}

// A Broker holds the entities of a namespace. Names ignore case.
type Broker struct {
	options Options
	clock   clock.Clock

	mu     sync.RWMutex
	queues map[string]*Queue // by folded path: topics' own and dead-letter queues too
	topics map[string]*Topic // by folded name

	entities int // queues and topics

	courier sync.Mutex // held while messages are handed on; taken before any other
}

// New returns a broker without entities.
func New(o Options) *Broker {
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	if o.MaxMessageSize == 0 {
		o.MaxMessageSize = MaxMessageSize
	}
	if o.MaxEntities == 0 {
		o.MaxEntities = maxEntities
	}
	return &Broker{options: o, clock: o.Clock, queues: make(map[string]*Queue), topics: make(map[string]*Topic)}
}

// CreateQueue makes a queue and its dead-letter queues.
func (b *Broker) CreateQueue(o QueueOptions) (*Queue, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.roomFor(o.Name); err != nil {
		return nil, err
	}
	return b.addQueue(o.Name, KindQueue, o.withDefaults()), nil
}

// roomFor refuses another queue or topic where there are enough, or one of this name.
func (b *Broker) roomFor(name string) error {
	if err := b.vacant(name); err != nil {
		return err
	}
	if b.entities >= b.options.MaxEntities {
		return fmt.Errorf("%s: there are %d queues and topics, the most that are allowed: %w", name, b.entities, ErrQuota)
	}
	return nil
}

// vacant refuses a path that is taken.
func (b *Broker) vacant(path string) error {
	if _, taken := b.queues[fold(path)]; taken {
		return fmt.Errorf("%s: %w", path, ErrExists)
	}
	return nil
}

// addQueue makes what a queue, a topic or a subscription keeps its messages in.
func (b *Broker) addQueue(path string, kind Kind, o QueueOptions) *Queue {
	q := b.newQueue(path, kind, o)
	b.queues[fold(path)] = q
	if kind == KindQueue || kind == KindTopic {
		b.entities++
	}
	if kind != KindTopic {
		q.dead = b.newQueue(path+"/"+DeadLetterPath, KindDeadLetters, o.forDeadLetters())
		q.transfer = b.newQueue(path+"/"+TransferDeadLetterPath, KindDeadLetters, o.forDeadLetters())
		b.queues[fold(q.dead.path)] = q.dead
		b.queues[fold(q.transfer.path)] = q.transfer
	}
	q.watchIdle()
	return q
}

// UpdateQueue gives the queue of this name other options. An ImmutableError names what cannot be changed.
func (b *Broker) UpdateQueue(o QueueOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	q, err := b.find(o.Name, KindQueue)
	if err != nil {
		return err
	}
	return q.update(o.withDefaults())
}

// DeleteQueue drops a queue with its messages; who waits there gets ErrDeleted.
func (b *Broker) DeleteQueue(name string) error {
	q, err := b.find(name, KindQueue)
	if err != nil {
		return err
	}
	b.remove(q)
	return nil
}

// remove takes queues of the broker out of it.
func (b *Broker) remove(queues ...*Queue) {
	var gone []*Queue
	b.mu.Lock()
	for _, q := range queues {
		for _, each := range []*Queue{q, q.dead, q.transfer} {
			if each != nil && b.queues[fold(each.path)] == each {
				delete(b.queues, fold(each.path))
				gone = append(gone, each)
				if each.kind == KindQueue || each.kind == KindTopic {
					b.entities--
				}
			}
		}
	}
	b.mu.Unlock()
	for _, q := range gone {
		q.delete()
	}
}

// Queue finds a queue, a subscription's queue, or a dead-letter queue, by its path: what one can receive from.
func (b *Broker) Queue(path string) (*Queue, error) {
	q, err := b.Node(path)
	if err == nil && q.kind == KindTopic {
		return nil, fmt.Errorf("%s: %w", path, ErrNotFound)
	}
	return q, err
}

// Node is Queue, and finds topics too: their own queue takes in what is sent to them.
func (b *Broker) Node(path string) (*Queue, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if q, known := b.queues[fold(path)]; known {
		return q, nil
	}
	return nil, fmt.Errorf("%s: %w", path, ErrNotFound)
}

func (b *Broker) find(path string, kind Kind) (*Queue, error) {
	q, err := b.Node(path)
	if err == nil && q.kind != kind {
		return nil, fmt.Errorf("%s: %w", path, ErrNotFound)
	}
	return q, err
}

// Queues lists the names of the queues, in order, without dead-letter queues.
func (b *Broker) Queues() []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var names []string
	for _, q := range b.queues {
		if q.kind == KindQueue {
			names = append(names, q.path)
		}
	}
	slices.Sort(names)
	return names
}

// Close deletes all entities.
func (b *Broker) Close() {
	b.mu.Lock()
	queues := b.queues
	b.queues, b.topics = make(map[string]*Queue), make(map[string]*Topic)
	b.mu.Unlock()
	for _, q := range queues {
		q.delete()
	}
}

func fold(path string) string { return strings.ToLower(path) }

// Package broker is the inside of a Service Bus namespace: queues, locks, sessions, time to live, dead letters.
//
// It knows nothing of AMQP: a message is opaque bytes and the few fields that a broker needs. It lives on a
// clock.Clock, so that a test can let a lock expire. Everything is in memory, bounded by each queue's MaxSize.
// The rules are those of the service's documentation ("Message transfers, locks, and settlement", "Message
// sessions", "Dead-letter queues", "Duplicate detection", "Message expiration"). Left out: topics and
// subscriptions, auto-forwarding, partitions, transactions, deletion of idle queues.
package broker

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"passback/clock"
)

// DeadLetterPath is the last part of a dead-letter queue's path, below its queue.
const DeadLetterPath = "$DeadLetterQueue"

// A Broker holds the queues of a namespace. Names ignore case.
type Broker struct {
	clock          clock.Clock
	maxMessageSize int

	mu     sync.RWMutex
	queues map[string]*Queue // by folded path, dead-letter queues too
}

// New returns a broker without queues; c is the clock of all its locks and expiries, maxMessageSize the bytes that a
// message may have, 0 for MaxMessageSize.
func New(c clock.Clock, maxMessageSize int) *Broker {
	if maxMessageSize == 0 {
		maxMessageSize = MaxMessageSize
	}
	return &Broker{clock: c, maxMessageSize: maxMessageSize, queues: make(map[string]*Queue)}
}

// CreateQueue makes a queue and its dead-letter queue.
func (b *Broker) CreateQueue(o QueueOptions) (*Queue, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	key := fold(o.Name)
	if _, taken := b.queues[key]; taken {
		return nil, fmt.Errorf("queue %s: %w", o.Name, ErrExists)
	}
	o = o.withDefaults()
	dead := b.newQueue(o.Name+"/"+DeadLetterPath, QueueOptions{
		Name: o.Name, LockDuration: o.LockDuration, MaxDeliveryCount: o.MaxDeliveryCount, MaxSize: o.MaxSize,
	}, nil)
	q := b.newQueue(o.Name, o, dead)
	b.queues[key] = q
	b.queues[fold(dead.path)] = dead
	return q, nil
}

// DeleteQueue drops a queue with its messages; who waits there gets ErrDeleted.
func (b *Broker) DeleteQueue(name string) error {
	b.mu.Lock()
	q, known := b.queues[fold(name)]
	if !known || q.dead == nil {
		b.mu.Unlock()
		return fmt.Errorf("queue %s: %w", name, ErrNotFound)
	}
	delete(b.queues, fold(q.path))
	delete(b.queues, fold(q.dead.path))
	b.mu.Unlock()
	q.delete()
	q.dead.delete()
	return nil
}

// Queue finds a queue, or a dead-letter queue, by its path.
func (b *Broker) Queue(path string) (*Queue, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if q, known := b.queues[fold(path)]; known {
		return q, nil
	}
	return nil, fmt.Errorf("%s: %w", path, ErrNotFound)
}

// Queues lists the names, in order, without dead-letter queues.
func (b *Broker) Queues() []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var names []string
	for _, q := range b.queues {
		if q.dead != nil {
			names = append(names, q.path)
		}
	}
	slices.Sort(names)
	return names
}

// Close deletes all queues.
func (b *Broker) Close() {
	b.mu.Lock()
	queues := b.queues
	b.queues = make(map[string]*Queue)
	b.mu.Unlock()
	for _, q := range queues {
		q.delete()
	}
}

func fold(path string) string { return strings.ToLower(path) }

package broker

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// A Topic takes messages in and gives each of its subscriptions those that its rules select.
type Topic struct {
	broker *Broker
	intake *Queue // takes messages in, and keeps the scheduled ones

	mu            sync.RWMutex // taken before a queue's, never after; guards what is in subscriptions too
	options       TopicOptions
	subscriptions []*Subscription // by folded name
}

// CreateTopic makes a topic without subscriptions.
func (b *Broker) CreateTopic(o TopicOptions) (*Topic, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.roomFor(o.Name); err != nil {
		return nil, err
	}
	t := &Topic{broker: b, options: o}
	b.topics[fold(o.Name)] = t
	t.intake = b.addQueue(o.Name, KindTopic, o.asQueue())
	return t, nil
}

// UpdateTopic gives the topic of this name other options. An ImmutableError names what cannot be changed.
func (b *Broker) UpdateTopic(o TopicOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	t, err := b.Topic(o.Name)
	if err != nil {
		return err
	}
	o = o.withDefaults()
	if err := t.intake.update(o.asQueue()); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.options = o
	return nil
}

// DeleteTopic drops a topic with its subscriptions and their messages; who waits there gets ErrDeleted.
func (b *Broker) DeleteTopic(name string) error {
	t, err := b.Topic(name)
	if err != nil {
		return err
	}
	b.mu.Lock()
	delete(b.topics, fold(name))
	b.mu.Unlock()
	gone := []*Queue{t.intake}
	for _, s := range t.all() {
		gone = append(gone, s.queue)
	}
	b.remove(gone...)
	return nil
}

// Topic finds a topic by its name.
func (b *Broker) Topic(name string) (*Topic, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if t, known := b.topics[fold(name)]; known {
		return t, nil
	}
	return nil, fmt.Errorf("%s: %w", name, ErrNotFound)
}

// Topics lists the names of the topics, in order.
func (b *Broker) Topics() []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var names []string
	for _, t := range b.topics {
		names = append(names, t.intake.path)
	}
	slices.Sort(names)
	return names
}

// Name is the topic's, as it was made.
func (t *Topic) Name() string { return t.intake.path }

// Options are those the topic has, defaults filled in.
func (t *Topic) Options() TopicOptions {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.options
}

// Queue is what the topic takes messages in with: Send, CancelScheduled and Peek, of scheduled messages.
func (t *Topic) Queue() *Queue { return t.intake }

// Subscriptions lists the names of the subscriptions, in order.
func (t *Topic) Subscriptions() []string {
	var names []string
	for _, s := range t.all() {
		names = append(names, s.name)
	}
	return names
}

// Subscription finds one of the topic's by its name.
func (t *Topic) Subscription(name string) (*Subscription, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if i, found := t.place(name); found {
		return t.subscriptions[i], nil
	}
	return nil, fmt.Errorf("%s: %w", SubscriptionPath(t.Name(), name), ErrNotFound)
}

func (t *Topic) place(name string) (int, bool) {
	return slices.BinarySearchFunc(t.subscriptions, fold(name), func(s *Subscription, name string) int {
		return strings.Compare(fold(s.name), name)
	})
}

func (t *Topic) all() []*Subscription {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Clone(t.subscriptions)
}

// size is that of everything in the subscriptions.
func (t *Topic) size() int64 {
	var total int64
	for _, s := range t.all() {
		total += s.queue.size() + s.queue.dead.size() + s.queue.transfer.size()
	}
	return total
}

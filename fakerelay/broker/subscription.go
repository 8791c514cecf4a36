package broker

import (
	"fmt"
	"slices"
	"strings"
)

// A Subscription receives a topic's messages, those that one of its rules selects.
type Subscription struct {
	topic *Topic
	name  string
	queue *Queue

	// Guarded by the topic's mutex.
	options SubscriptionOptions // without Rules
	rules   []*compiled         // by folded name
}

// SubscriptionPath is where a subscription is received from.
func SubscriptionPath(topic, name string) string { return topic + "/Subscriptions/" + name }

// CreateSubscription makes a subscription of a topic.
func (b *Broker) CreateSubscription(topic string, o SubscriptionOptions) (*Subscription, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	t, err := b.Topic(topic)
	if err != nil {
		return nil, err
	}
	s := &Subscription{topic: t, name: o.Name}
	rules := o.Rules
	if rules == nil {
		rules = []Rule{{Name: DefaultRule}}
	}
	for _, r := range rules {
		if err := s.insert(r, b.clock.Now()); err != nil {
			return nil, err
		}
	}
	s.options = o.withDefaults()
	s.options.Rules = nil
	t.mu.Lock()
	defer t.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	path := SubscriptionPath(t.Name(), o.Name)
	switch {
	case b.topics[fold(topic)] != t:
		return nil, fmt.Errorf("%s: %w", topic, ErrNotFound)
	case len(t.subscriptions) >= MaxSubscriptions:
		return nil, fmt.Errorf("%s: has %d subscriptions, the most that are allowed: %w", topic, MaxSubscriptions, ErrQuota)
	}
	if err := b.vacant(path); err != nil {
		return nil, err
	}
	s.queue = b.addQueue(path, KindSubscription, s.options.asQueue().withDefaults())
	i, _ := t.place(o.Name)
	t.subscriptions = slices.Insert(t.subscriptions, i, s)
	return s, nil
}

// UpdateSubscription gives a subscription other options; its rules stay. An ImmutableError names what cannot be
// changed.
func (b *Broker) UpdateSubscription(topic string, o SubscriptionOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	s, err := b.Subscription(topic, o.Name)
	if err != nil {
		return err
	}
	o = o.withDefaults()
	o.Rules = nil
	if err := s.queue.update(o.asQueue().withDefaults()); err != nil {
		return err
	}
	s.topic.mu.Lock()
	defer s.topic.mu.Unlock()
	s.options = o
	return nil
}

// DeleteSubscription drops a subscription with its messages; who waits there gets ErrDeleted.
func (b *Broker) DeleteSubscription(topic, name string) error {
	s, err := b.Subscription(topic, name)
	if err != nil {
		return err
	}
	t := s.topic
	t.mu.Lock()
	t.subscriptions = slices.DeleteFunc(t.subscriptions, func(other *Subscription) bool { return other == s })
	t.mu.Unlock()
	b.remove(s.queue)
	return nil
}

// Subscription finds a subscription by its topic's name and its own.
func (b *Broker) Subscription(topic, name string) (*Subscription, error) {
	t, err := b.Topic(topic)
	if err != nil {
		return nil, err
	}
	return t.Subscription(name)
}

// SubscriptionAt finds a subscription by its path.
func (b *Broker) SubscriptionAt(path string) (*Subscription, error) {
	const between = "/subscriptions/"
	if i := strings.LastIndex(fold(path), between); i > 0 {
		return b.Subscription(path[:i], path[i+len(between):])
	}
	return nil, fmt.Errorf("%s: %w", path, ErrNotFound)
}

// Name is the subscription's, without its topic's.
func (s *Subscription) Name() string { return s.name }

// Topic is what it subscribes to.
func (s *Subscription) Topic() *Topic { return s.topic }

// Queue is what the subscription's messages are received from.
func (s *Subscription) Queue() *Queue { return s.queue }

// Options are those the subscription has, defaults filled in, without Rules.
func (s *Subscription) Options() SubscriptionOptions {
	s.topic.mu.RLock()
	defer s.topic.mu.RUnlock()
	return s.options
}

package fakerelay

import (
	"fmt"

	"passback/fakerelay/broker"
)

// What a namespace's entities are described by; see package broker.
type (
	// TopicOptions describe a topic.
	TopicOptions = broker.TopicOptions
	// SubscriptionOptions describe a subscription.
	SubscriptionOptions = broker.SubscriptionOptions
	// Rule selects messages for a subscription.
	Rule = broker.Rule
)

// CreateQueue makes a queue; broker.ErrExists if there is a queue or a topic of this name, broker.ErrNotFound if there
// is not what it forwards to.
func (n *Namespace) CreateQueue(o QueueOptions) error {
	if err := mayForward(n.broker(), o.Name, o.ForwardTo, o.ForwardDeadLettersTo); err != nil {
		return err
	}
	_, err := n.broker().CreateQueue(o)
	return err
}

// mayForward refuses forwarding to what does not exist.
func mayForward(b *broker.Broker, from string, targets ...string) error {
	for _, to := range targets {
		if to == "" {
			continue
		}
		if q, err := b.Node(to); err != nil || q.Kind() != broker.KindQueue && q.Kind() != broker.KindTopic {
			return fmt.Errorf("%s cannot forward to %s: %w", from, to, broker.ErrNotFound)
		}
	}
	return nil
}

// createAll makes entities that may forward to each other in any order.
func createAll(b *broker.Broker, e Entities) error {
	for _, q := range e.Queues {
		if _, err := b.CreateQueue(q); err != nil {
			return err
		}
	}
	for _, t := range e.Topics {
		if _, err := b.CreateTopic(t.TopicOptions); err != nil {
			return err
		}
	}
	for _, t := range e.Topics {
		for _, s := range t.Subscriptions {
			if err := createSubscription(b, t.Name, s); err != nil {
				return err
			}
		}
	}
	for _, q := range e.Queues {
		if err := mayForward(b, q.Name, q.ForwardTo, q.ForwardDeadLettersTo); err != nil {
			return err
		}
	}
	return nil
}

// UpdateQueue gives a queue other options and, half a second later, detaches its links, as the service does;
// broker.ErrNotFound if there is none of this name, a broker.ImmutableError if they would change what cannot be changed.
func (n *Namespace) UpdateQueue(o QueueOptions) error {
	if err := mayForward(n.broker(), o.Name, o.ForwardTo, o.ForwardDeadLettersTo); err != nil {
		return err
	}
	return n.changed(n.broker().UpdateQueue(o), o.Name)
}

// DeleteQueue drops a queue with its messages and keys and detaches its links; broker.ErrNotFound if there is
// none of this name.
func (n *Namespace) DeleteQueue(name string) error {
	return n.dropped(n.broker().DeleteQueue(name), name)
}

// CreateTopic makes a topic; broker.ErrExists if there is a queue or a topic of this name.
func (n *Namespace) CreateTopic(o TopicOptions) error {
	_, err := n.broker().CreateTopic(o)
	return err
}

// UpdateTopic is UpdateQueue for a topic. Its subscriptions and their links stay.
func (n *Namespace) UpdateTopic(o TopicOptions) error {
	if err := n.broker().UpdateTopic(o); err != nil {
		return err
	}
	n.reload(func(linked string) bool {
		linked, _ = cutManagement(linked)
		return foldPath(linked) == foldPath(o.Name)
	})
	return nil
}

// DeleteTopic drops a topic with its subscriptions, their messages and its keys, and detaches all their links.
func (n *Namespace) DeleteTopic(name string) error {
	return n.dropped(n.broker().DeleteTopic(name), name)
}

// CreateSubscription makes a subscription of a topic, with the rules of its options, else with the rule $Default
// that takes every message; broker.ErrNotFound if there is no such topic, or not what it forwards to.
func (n *Namespace) CreateSubscription(topic string, o SubscriptionOptions) error {
	return createSubscription(n.broker(), topic, o)
}

func createSubscription(b *broker.Broker, topic string, o SubscriptionOptions) error {
	if err := mayForward(b, broker.SubscriptionPath(topic, o.Name), o.ForwardTo, o.ForwardDeadLettersTo); err != nil {
		return err
	}
	_, err := b.CreateSubscription(topic, o)
	return err
}

// UpdateSubscription is UpdateQueue for a subscription. Its rules stay.
func (n *Namespace) UpdateSubscription(topic string, o SubscriptionOptions) error {
	if err := mayForward(n.broker(), broker.SubscriptionPath(topic, o.Name), o.ForwardTo, o.ForwardDeadLettersTo); err != nil {
		return err
	}
	return n.changed(n.broker().UpdateSubscription(topic, o), broker.SubscriptionPath(topic, o.Name))
}

// DeleteSubscription drops a subscription with its messages and detaches its links.
func (n *Namespace) DeleteSubscription(topic, name string) error {
	return n.dropped(n.broker().DeleteSubscription(topic, name), broker.SubscriptionPath(topic, name))
}

// CreateRule adds a rule to a subscription; broker.ErrInvalidRule if it cannot be understood.
func (n *Namespace) CreateRule(topic, subscription string, r Rule) error {
	s, err := n.broker().Subscription(topic, subscription)
	if err != nil {
		return err
	}
	return s.CreateRule(r)
}

// DeleteRule removes a rule from a subscription.
func (n *Namespace) DeleteRule(topic, subscription, name string) error {
	s, err := n.broker().Subscription(topic, subscription)
	if err != nil {
		return err
	}
	return s.DeleteRule(name)
}

// changed detaches the links of an entity that was updated without an error, and of what is below it.
func (n *Namespace) changed(err error, path string) error {
	if err == nil {
		n.reload(func(linked string) bool { return covers(path, linked) })
	}
	return err
}

// dropped detaches the links of an entity that was deleted without an error, and of what is below it; its keys go too.
func (n *Namespace) dropped(err error, path string) error {
	if err != nil {
		return err
	}
	n.keys.removeEntity(path)
	for _, c := range n.connections() {
		c.detachFrom(func(linked string) bool { return covers(path, linked) })
	}
	return nil
}

// SetKey adds or replaces a key of a queue or a topic, or of the namespace for the entity "". Links that were opened with
// a secret that is neither of the new two are detached, all of the key's where its rights change; setting the same key
// again changes nothing. There are at most 12 keys in each place.
func (n *Namespace) SetKey(entity string, k Key) error {
	if err := n.knownEntity(entity); err != nil {
		return err
	}
	if err := n.keys.set(entity, k); err != nil {
		return err
	}
	n.review()
	return nil
}

// DeleteKey removes a key and detaches the links that were opened with it; ErrNoKey if there is none.
func (n *Namespace) DeleteKey(entity, keyName string) error {
	if err := n.knownEntity(entity); err != nil {
		return err
	}
	if err := n.keys.remove(entity, keyName); err != nil {
		return err
	}
	n.review()
	return nil
}

func (n *Namespace) knownEntity(entity string) error {
	if entity == "" {
		return nil
	}
	_, err := n.broker().Node(entity)
	return err
}

// review detaches every link whose token is signed by a secret that is no more.
func (n *Namespace) review() {
	for _, c := range n.connections() {
		c.review()
	}
}

// A Queue shows what the namespace holds of a queue.
type Queue struct{ queue *broker.Queue }

// A StoredMessage is a message as it is stored: its encoded AMQP message and what the broker knows of it.
type StoredMessage = broker.Stored

// Queue looks into a queue, or into a subscription by its path; broker.ErrNotFound if there is none.
func (n *Namespace) Queue(name string) (*Queue, error) {
	q, err := n.broker().Queue(name)
	if err != nil {
		return nil, err
	}
	return &Queue{q}, nil
}

// Count is the number of messages, locked, deferred and scheduled ones too.
func (q *Queue) Count() int { return q.queue.Len() }

// Messages lists them by sequence number. Their bytes must not be changed.
func (q *Queue) Messages() []StoredMessage { return q.queue.All() }

// DeadLetterCount is the number of messages in the dead-letter queue.
func (q *Queue) DeadLetterCount() int {
	if q.queue.DeadLetters() == nil {
		return 0
	}
	return q.queue.DeadLetters().Len()
}

// DeadLetters lists them by sequence number.
func (q *Queue) DeadLetters() []StoredMessage {
	if q.queue.DeadLetters() == nil {
		return nil
	}
	return q.queue.DeadLetters().All()
}

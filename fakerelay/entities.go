package fakerelay

import (
	"passback/fakerelay/broker"
)

// CreateQueue makes a queue; broker.ErrExists if there is one of this name.
func (n *Namespace) CreateQueue(o QueueOptions) error {
	_, err := n.broker.CreateQueue(o)
	return err
}

// DeleteQueue drops a queue with its messages and keys and detaches its links; broker.ErrNotFound if there is
// none of this name.
func (n *Namespace) DeleteQueue(name string) error {
	if err := n.broker.DeleteQueue(name); err != nil {
		return err
	}
	n.keys.removeEntity(name)
	for _, c := range n.connections() {
		c.entityGone(name)
	}
	return nil
}

// SetKey adds or replaces a key of a queue, or of the namespace for the entity "". Links that were opened with
// what it replaces are detached; setting the same key again changes nothing. There are at most 12 keys in each place.
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
	_, err := n.broker.Queue(entity)
	return err
}

// review detaches every link whose token's key has changed.
func (n *Namespace) review() {
	for _, c := range n.connections() {
		c.review()
	}
}

// A Queue shows what the namespace holds of a queue.
type Queue struct{ queue *broker.Queue }

// A StoredMessage is a message as it is stored: its encoded AMQP message and what the broker knows of it.
type StoredMessage = broker.Stored

// Queue looks into a queue; broker.ErrNotFound if there is none of this name.
func (n *Namespace) Queue(name string) (*Queue, error) {
	q, err := n.broker.Queue(name)
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

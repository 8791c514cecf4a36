package broker

import (
	"fmt"
	"regexp"
	"time"
)

// TopicOptions describe a topic. Only Name is required.
type TopicOptions struct {
	Name string // as a queue's; queues and topics share their names

	DefaultTTL                 time.Duration // of messages that bring none, and the most that one may bring; default: for ever
	RequiresDuplicateDetection bool          // default false
	DuplicateWindow            time.Duration // 7 days at most; default 10 min
	AutoDeleteOnIdle           time.Duration // with its subscriptions unused for so long it is deleted, 5 min at least; default: never
	Status                     Status        // not StatusReceiveDisabled; default StatusActive
	MaxSize                    int64         // bytes of all messages of all subscriptions together; default 1 GiB
	MaxMessageKB               int64         // of 1024 bytes, of one message or batch; default: the broker's

	Descriptive
}

// SubscriptionOptions describe a subscription. Only Name is required.
type SubscriptionOptions struct {
	Name string // 1 to 50 letters, digits, '.', '-' and '_'; case is kept and ignored

	LockDuration           time.Duration // of messages and sessions, 5 min at most; default 1 min
	MaxDeliveryCount       int           // failed deliveries before a message is dead-lettered; default 10
	DefaultTTL             time.Duration // of messages that bring none, and the most that one may bring; default: the topic's
	RequiresSession        bool          // default false
	DeadLetterOnExpiration bool          // else what outlives its time to live is dropped; default false
	// DeadLetterOnFilterErrors dead-letters a message that a rule could not be evaluated for; else such a rule does
	// not match. Default false.
	DeadLetterOnFilterErrors bool

	ForwardTo            string        // path of a queue or a topic that takes every message; default: none. Not with sessions
	ForwardDeadLettersTo string        // the same for dead letters
	AutoDeleteOnIdle     time.Duration // unused for so long it is deleted, 5 min at least; default: never
	Status               Status        // default StatusActive

	// Rules are those it is made with; default (nil): DefaultRule, which takes every message. Ignored by an update.
	Rules []Rule

	Descriptive
}

var partName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,48}[A-Za-z0-9_])?$`)

// asQueue are the options of the queue that takes in what is sent to the topic.
func (o TopicOptions) asQueue() QueueOptions {
	return QueueOptions{
		Name: o.Name, DefaultTTL: o.DefaultTTL, RequiresDuplicateDetection: o.RequiresDuplicateDetection,
		DuplicateWindow: o.DuplicateWindow, AutoDeleteOnIdle: o.AutoDeleteOnIdle, Status: o.Status, MaxSize: o.MaxSize,
		MaxMessageKB: o.MaxMessageKB, Descriptive: o.Descriptive,
	}
}

func (o TopicOptions) check() error {
	what := "topic " + o.Name
	switch {
	case !queueName.MatchString(o.Name):
		return fmt.Errorf("topic name %q: must be 1 to 260 letters, digits, '.', '-', '_' or '/', and begin with a letter or digit", o.Name)
	case o.Status == StatusReceiveDisabled:
		return fmt.Errorf("%s: %v: a topic is not received from", what, o.Status)
	}
	return o.asQueue().checkShared(what)
}

func (o TopicOptions) withDefaults() TopicOptions {
	q := o.asQueue().withDefaults()
	o.DuplicateWindow, o.MaxSize = q.DuplicateWindow, q.MaxSize
	return o
}

// asQueue are the options of the queue that holds the subscription's messages.
func (o SubscriptionOptions) asQueue() QueueOptions {
	return QueueOptions{
		Name: o.Name, LockDuration: o.LockDuration, MaxDeliveryCount: o.MaxDeliveryCount, DefaultTTL: o.DefaultTTL,
		RequiresSession: o.RequiresSession, DeadLetterOnExpiration: o.DeadLetterOnExpiration,
		ForwardTo: o.ForwardTo, ForwardDeadLettersTo: o.ForwardDeadLettersTo, AutoDeleteOnIdle: o.AutoDeleteOnIdle,
		Status: o.Status, Descriptive: o.Descriptive,
	}
}

func (o SubscriptionOptions) check() error {
	if !partName.MatchString(o.Name) {
		return fmt.Errorf("subscription name %q: must be 1 to 50 letters, digits, '.', '-' or '_', and begin with a letter or digit", o.Name)
	}
	return o.asQueue().checkProperties("subscription " + o.Name)
}

func (o SubscriptionOptions) withDefaults() SubscriptionOptions {
	q := o.asQueue().withDefaults()
	o.LockDuration, o.MaxDeliveryCount = q.LockDuration, q.MaxDeliveryCount
	return o
}

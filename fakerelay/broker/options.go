package broker

import (
	"fmt"
	"regexp"
	"time"
)

// Limits as the service documents them (Service Bus quotas): those of the Standard tier, where they differ.
const (
	MaxMessageSize        = 256 << 10 // bytes of one message, and of a batch
	MaxPremiumMessageSize = 1 << 20
	MaxMessageLimitKB     = 100 << 10 // that a premium entity may be made for
	MaxSessionState       = 256 << 10 // bytes
	MaxSessionID          = 128       // characters; message ids are bounded alike
	MaxLockDuration       = 5 * time.Minute
	MaxDeliveryLimit      = 2000
	MaxDuplicates         = 1 << 20 // message ids remembered by one queue; our own bound
	MaxPeek               = 1000    // messages of one Peek; our own bound
	MaxHops               = 4       // times that a message is forwarded
	MaxSubscriptions      = 2000    // of a topic
	MaxRules              = 2000    // of a topic
	MaxUserMetadata       = 1024    // characters
	MinIdle               = 5 * time.Minute
	maxEntities           = 10_000 // queues and topics of a namespace
)

const (
	defaultLockDuration    = time.Minute
	defaultMaxDelivery     = 10
	defaultDuplicateWindow = 10 * time.Minute
	defaultMaxSize         = 1 << 30
	maxDuplicateWindow     = 7 * 24 * time.Hour
)

// QueueOptions describe a queue. Only Name is required.
type QueueOptions struct {
	Name string // letters, digits, '.', '-', '_' and '/'; case is kept and ignored

	LockDuration     time.Duration // of messages and sessions, 5 min at most; default 1 min
	MaxDeliveryCount int           // failed deliveries before a message is dead-lettered; default 10
	DefaultTTL       time.Duration // of messages that bring none, and the most that one may bring; default: for ever

	RequiresSession            bool          // default false
	RequiresDuplicateDetection bool          // default false
	DuplicateWindow            time.Duration // 7 days at most; default 10 min
	DeadLetterOnExpiration     bool          // else what outlives its time to live is dropped; default false

	ForwardTo            string        // path of a queue or a topic that takes every message; default: none. Not with sessions
	ForwardDeadLettersTo string        // the same for dead letters
	AutoDeleteOnIdle     time.Duration // unused for so long it is deleted, 5 min at least; default: never
	Status               Status        // default StatusActive

	MaxSize      int64 // bytes of all messages together; default 1 GiB
	MaxMessageKB int64 // of 1024 bytes, of one message or batch, the service's MaxMessageSizeInKilobytes; default: the broker's

	Descriptive
}

// Descriptive are properties that the broker keeps and tells, and that change nothing of what it does.
type Descriptive struct {
	UserMetadata string // 1024 characters at most
	Partitioned  bool   // cannot be changed later
	Unbatched    bool   // the service's EnableBatchedOperations is off
	Ordering     bool   // the service's SupportOrdering
	Express      bool   // the service's EnableExpress

	// ForwardTo and ForwardDeadLettersTo as the URLs that they were given as; empty: they were given as paths.
	ForwardToURL, ForwardDeadLettersToURL string
}

var queueName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,258}[A-Za-z0-9_])?$`)

// check refuses what the service would refuse.
func (o QueueOptions) check() error {
	if !queueName.MatchString(o.Name) {
		return fmt.Errorf("queue name %q: must be 1 to 260 letters, digits, '.', '-', '_' or '/', and begin with a letter or digit", o.Name)
	}
	return o.checkProperties("queue " + o.Name)
}

// checkProperties is for queues and subscriptions; what names it in errors.
func (o QueueOptions) checkProperties(what string) error {
	switch {
	case o.LockDuration < 0 || o.LockDuration > MaxLockDuration:
		return fmt.Errorf("%s: LockDuration %v: must be from 0 (1 min) to %v", what, o.LockDuration, MaxLockDuration)
	case o.MaxDeliveryCount < 0 || o.MaxDeliveryCount > MaxDeliveryLimit:
		return fmt.Errorf("%s: MaxDeliveryCount %d: must be from 0 (%d) to %d", what, o.MaxDeliveryCount, defaultMaxDelivery, MaxDeliveryLimit)
	case o.RequiresSession && o.ForwardTo != "":
		return fmt.Errorf("%s: ForwardTo %s: a queue or subscription that requires sessions cannot forward its messages", what, o.ForwardTo)
	}
	return o.checkShared(what)
}

// checkShared is for topics too.
func (o QueueOptions) checkShared(what string) error {
	switch {
	case o.DefaultTTL < 0:
		return fmt.Errorf("%s: DefaultTTL %v: must not be negative", what, o.DefaultTTL)
	case o.DuplicateWindow < 0 || o.DuplicateWindow > maxDuplicateWindow:
		return fmt.Errorf("%s: DuplicateWindow %v: must be from 0 (10 min) to %v", what, o.DuplicateWindow, maxDuplicateWindow)
	case o.AutoDeleteOnIdle < 0 || o.AutoDeleteOnIdle > 0 && o.AutoDeleteOnIdle < MinIdle:
		return fmt.Errorf("%s: AutoDeleteOnIdle %v: must be 0 (never) or at least %v", what, o.AutoDeleteOnIdle, MinIdle)
	case !o.Status.known():
		return fmt.Errorf("%s: %v: must be Active, Disabled, SendDisabled or ReceiveDisabled", what, o.Status)
	case o.MaxSize < 0:
		return fmt.Errorf("%s: MaxSize %d: must not be negative", what, o.MaxSize)
	case o.MaxMessageKB < 0 || o.MaxMessageKB > MaxMessageLimitKB:
		return fmt.Errorf("%s: MaxMessageKB %d: must be from 0 (the broker's) to %d", what, o.MaxMessageKB, MaxMessageLimitKB)
	case len(o.UserMetadata) > MaxUserMetadata:
		return fmt.Errorf("%s: UserMetadata: has %d characters, %d are allowed", what, len(o.UserMetadata), MaxUserMetadata)
	}
	return nil
}

func (o QueueOptions) withDefaults() QueueOptions {
	if o.LockDuration == 0 {
		o.LockDuration = defaultLockDuration
	}
	if o.MaxDeliveryCount == 0 {
		o.MaxDeliveryCount = defaultMaxDelivery
	}
	if o.DuplicateWindow == 0 {
		o.DuplicateWindow = defaultDuplicateWindow
	}
	if o.MaxSize == 0 {
		o.MaxSize = defaultMaxSize
	}
	return o
}

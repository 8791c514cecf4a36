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
	MaxSessionState       = 256 << 10 // bytes
	MaxSessionID          = 128       // characters; message ids are bounded alike
	MaxLockDuration       = 5 * time.Minute
	MaxDeliveryLimit      = 2000
	MaxDuplicates         = 1 << 20 // message ids remembered by one queue; our own bound
	MaxPeek               = 1000    // messages of one Peek; our own bound
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

	MaxSize int64 // bytes of all messages together; default 1 GiB
}

var queueName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,258}[A-Za-z0-9_])?$`)

// check refuses what the service would refuse.
func (o QueueOptions) check() error {
	switch {
	case !queueName.MatchString(o.Name):
		return fmt.Errorf("queue name %q: must be 1 to 260 letters, digits, '.', '-', '_' or '/', and begin with a letter or digit", o.Name)
	case o.LockDuration < 0 || o.LockDuration > MaxLockDuration:
		return fmt.Errorf("queue %s: LockDuration %v: must be from 0 (1 min) to %v", o.Name, o.LockDuration, MaxLockDuration)
	case o.MaxDeliveryCount < 0 || o.MaxDeliveryCount > MaxDeliveryLimit:
		return fmt.Errorf("queue %s: MaxDeliveryCount %d: must be from 0 (%d) to %d", o.Name, o.MaxDeliveryCount, defaultMaxDelivery, MaxDeliveryLimit)
	case o.DefaultTTL < 0:
		return fmt.Errorf("queue %s: DefaultTTL %v: must not be negative", o.Name, o.DefaultTTL)
	case o.DuplicateWindow < 0 || o.DuplicateWindow > maxDuplicateWindow:
		return fmt.Errorf("queue %s: DuplicateWindow %v: must be from 0 (10 min) to %v", o.Name, o.DuplicateWindow, maxDuplicateWindow)
	case o.MaxSize < 0:
		return fmt.Errorf("queue %s: MaxSize %d: must not be negative", o.Name, o.MaxSize)
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

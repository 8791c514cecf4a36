package broker

import (
	"time"

	"github.com/google/uuid"
)

// A Message is what a sender hands in: opaque bytes, and what the broker must know of them.
type Message struct {
	Body         []byte        // kept and handed out unchanged; must not be modified afterwards
	ID           string        // for duplicate detection; empty: never a duplicate
	SessionID    *string       // nil: none; the empty string is a session of its own
	TTL          time.Duration // 0: the queue's
	ScheduledFor time.Time     // not delivered before; zero: at once
}

// A State tells where in its life a stored message is.
type State int

// The states, with the service's own numbers. A locked message is active.
const (
	Active State = iota
	Deferred
	Scheduled
)

// Stored is a message as the broker keeps it.
type Stored struct {
	Message
	SequenceNumber         int64 // in this queue
	EnqueuedSequenceNumber int64 // in the queue that it was first sent to
	EnqueuedAt             time.Time
	ExpiresAt              time.Time // zero: never
	Failures               uint32    // deliveries that were abandoned or whose lock expired
	State                  State
	Hops                   int    // times that it was forwarded
	DeadLetterSource       string // path of the queue whose dead letter it was, once that was forwarded; else empty
	// Properties were added by settling: the reason of a dead letter, what abandon modified. Read only.
	Properties map[string]any
}

// A Delivery is a message under a lock.
type Delivery struct {
	Stored
	LockToken   uuid.UUID
	LockedUntil time.Time
}

// item is a message's place in a queue: Stored, and what the queue knows of it besides.
type item struct {
	Stored
	session *session // nil in a queue without sessions

	token       uuid.UUID // zero while not locked
	lockedUntil time.Time
	lockEnd     *appointment // nil in a session: its lock is the session's
	due         *appointment // the end of its time to live, or the instant it is scheduled for

	place int // in its line's stock; -1: not there
}

func (it *item) locked() bool { return it.token != uuid.Nil }

func (it *item) delivery() Delivery {
	d := Delivery{Stored: it.Stored, LockToken: it.token, LockedUntil: it.lockedUntil}
	if it.session != nil {
		d.LockedUntil = it.session.lockedUntil
	}
	return d
}

// addProperties copies before it writes: deliveries share the map.
func (it *item) addProperties(properties map[string]any) {
	if len(properties) == 0 {
		return
	}
	merged := make(map[string]any, len(it.Properties)+len(properties))
	for k, v := range it.Properties {
		merged[k] = v
	}
	for k, v := range properties {
		merged[k] = v
	}
	it.Properties = merged
}

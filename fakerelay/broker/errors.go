package broker

import (
	"errors"
	"fmt"
)

// What a broker refuses with. Each is wrapped with what it was about; match with errors.Is.
var (
	// ErrNotFound says that no entity of this path, or no rule of this name, exists.
	ErrNotFound = errors.New("no such entity")
	// ErrExists says that an entity of this path, or a rule of this name, exists already.
	ErrExists = errors.New("it exists already")
	// ErrDeleted ends what was going on with an entity that has been deleted.
	ErrDeleted = errors.New("the entity has been deleted")
	// ErrDisabled says that the entity's Status forbids to send to it, or to receive from it.
	ErrDisabled = errors.New("the entity is disabled")
	// ErrForwards says that nothing can be received from a queue that forwards its messages.
	ErrForwards = errors.New("the entity forwards its messages")
	// ErrInvalidRule says that a rule's name, filter or action is not what the service takes.
	ErrInvalidRule = errors.New("the rule is not valid")
	// ErrTooLarge says that a message has more bytes than the broker takes.
	ErrTooLarge = errors.New("the message is too large")
	// ErrQuota says that the queue is full: receive messages first, or make it with a larger MaxSize.
	ErrQuota = errors.New("the queue has reached its maximum size")
	// ErrNoSessionID says that a message without a session id was sent to a queue that requires sessions.
	ErrNoSessionID = errors.New("the message has no session id")
	// ErrInvalidSessionID says that a session id is longer than MaxSessionID.
	ErrInvalidSessionID = errors.New("the session id is too long")
	// ErrSessionRequired says that a queue that requires sessions is received from by session only.
	ErrSessionRequired = errors.New("the queue requires sessions")
	// ErrNoSessions says that a session was asked of a queue without sessions.
	ErrNoSessions = errors.New("the queue has no sessions")
	// ErrSessionLocked says that another receiver holds the session.
	ErrSessionLocked = errors.New("the session is locked by another receiver")
	// ErrLockLost says that the lock expired, or that the message was settled already.
	ErrLockLost = errors.New("the message lock is lost")
	// ErrSessionLockLost says that the session lock expired or was given back.
	ErrSessionLockLost = errors.New("the session lock is lost")
	// ErrNotScheduled says that no scheduled message has this sequence number.
	ErrNotScheduled = errors.New("no scheduled message has this sequence number")
	// ErrNotDeferred says that no deferred message has this sequence number.
	ErrNotDeferred = errors.New("no deferred message has this sequence number")
	// ErrState says that a session's state exceeds MaxSessionState.
	ErrState = errors.New("the session state is too large")
)

// An ImmutableError says that an update would change what is fixed when an entity is made: delete it and make it
// anew.
type ImmutableError struct {
	Kind     Kind
	Path     string
	Property string // as the service names it
}

func (e *ImmutableError) Error() string {
	return fmt.Sprintf("%s: %s cannot be changed: delete it and make it anew", e.Path, e.Property)
}

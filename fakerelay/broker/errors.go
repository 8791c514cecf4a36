package broker

import "errors"

// What a broker refuses with. Each is wrapped with what it was about; match with errors.Is.
var (
	// ErrNotFound says that no queue of this path exists.
	ErrNotFound = errors.New("no such queue")
	// ErrExists says that a queue of this name exists already.
	ErrExists = errors.New("the queue exists already")
	// ErrDeleted ends what was going on with a queue that has been deleted.
	ErrDeleted = errors.New("the queue has been deleted")
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

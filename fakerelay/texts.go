package fakerelay

// Conditions and texts that the service answers with. Most are quoted in public issues and asserted by the
// SDKs' tests; texts of one operation stand beside it.

import (
	"fmt"
	"math/rand/v2"

	"github.com/google/uuid"

	"passback/clock"
	"passback/fakerelay/amqp"
)

// Conditions that AMQP does not define.
const (
	condServerBusy          amqp.Symbol = "com.microsoft:server-busy"
	condTimeout             amqp.Symbol = "com.microsoft:timeout"
	condMessageLockLost     amqp.Symbol = "com.microsoft:message-lock-lost"
	condSessionLockLost     amqp.Symbol = "com.microsoft:session-lock-lost"
	condSessionCannotLock   amqp.Symbol = "com.microsoft:session-cannot-be-locked"
	condDeadLetter          amqp.Symbol = "com.microsoft:dead-letter"
	condArgumentError       amqp.Symbol = "com.microsoft:argument-error"
	condEntityNotFound      amqp.Symbol = "com.microsoft:entity-not-found"
	condMessageNotFound     amqp.Symbol = "com.microsoft:message-not-found"
	condEntityDisabled      amqp.Symbol = "com.microsoft:entity-disabled"
	condEntityExists        amqp.Symbol = "com.microsoft:entity-already-exists"
	condAuthorizationFailed amqp.Symbol = "com.microsoft:auth-failed"
)

const (
	textEntityNotFound = "The messaging entity 'sb://%s/%s' could not be found. To know more visit https://aka.ms/sbResourceMgrExceptions. "
	textUnauthorized   = "Unauthorized access. '%s' claim(s) are required to perform this operation. Resource: 'sb://%s/%s'."
	textEntityGone     = "The link '%s' is force detached by the broker because the entity has been closed. Details: %s closed because entity has been deleted, updated or unexpectedly reloaded."
	textDisabled       = "Messaging entity 'sb://%s/%s' is currently disabled."
	textExists         = "The messaging entity '%s' already exists."
	textForwards       = "Can not create a message receiver on an entity with auto-forwarding enabled."
	textTopicReceiver  = "Messages cannot be received from a topic: '%s'. Receive from one of its subscriptions."
	textNoSender       = "Messages cannot be sent to '%s': send to its queue or topic."
	textQuota          = "The maximum entity size has been reached or exceeded for Queue: '%s'. "
	textMessageSize    = "The received message (delivery-id, size) exceeds the limit (%d bytes) currently allowed on the link."
	textNoSessionID    = "The SessionId was not set on a message, and it cannot be sent to the entity. Entities that have session support enabled can only receive messages that have the SessionId set to a valid value."
	textLockLost       = "The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue. For more information please see https://aka.ms/ServiceBusExceptions ."
	textSessionLost    = "The session lock has expired on the MessageSession. Accept a new MessageSession."
	textSessionLocked  = "The requested session '%s' cannot be accepted. It may be locked by another receiver."
	textNeedsSession   = "It is not possible for an entity that requires sessions to create a non-sessionful message receiver."
	textNoSessions     = "A sessionful message receiver cannot be created on an entity that does not require sessions."
	textNoSession      = "The operation did not complete within the allotted timeout: no session is available."
	textNotFound       = "Failed to lock one or more specified messages. The message does not exist."
	// The service says so of a namespace without transactions, which is one of the Basic tier. Here all are without.
	textNoTransactions = "Transaction is unsupported because the namespace %s is of 'Basic' tier."
	textNotSupported   = "The operation '%s' is not supported in this version of the namespace."
	textInvalidRule    = "%v."
	textBadArgument    = "The argument '%s' is missing or is not what the operation takes."
)

func notSupported(what string) string { return fmt.Sprintf(textNotSupported, what) }

func badArgument(name string) string { return fmt.Sprintf(textBadArgument, name) }

// tracking is the last part of most texts: what one quotes to the service's support.
func tracking(system string) string {
	return fmt.Sprintf(" TrackingId:%s_G%d, SystemTracker:%s, Timestamp:%s",
		uuid.New(), rand.IntN(100), system, clock.Real().Now().UTC().Format("2006-01-02T15:04:05"))
}

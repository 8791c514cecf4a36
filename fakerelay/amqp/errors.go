package amqp

import (
	"errors"
	"fmt"
)

// Error is the composite type error (2.8.14): why a link, session or connection ended, or a message was rejected.
type Error struct {
	Condition   Symbol
	Description string // "": none
	Info        Map    // nil: none
}

// Error gives the condition and the description, as far as they go.
func (e *Error) Error() string {
	if e.Description == "" {
		return string(e.Condition)
	}
	return string(e.Condition) + ": " + e.Description
}

// Errorf makes an Error; its description is formatted.
func Errorf(condition Symbol, format string, args ...any) *Error {
	return &Error{Condition: condition, Description: fmt.Sprintf(format, args...)}
}

// Conditions of 2.8.15 (amqp-error).
const (
	CondInternalError         Symbol = "amqp:internal-error"
	CondNotFound              Symbol = "amqp:not-found"
	CondUnauthorizedAccess    Symbol = "amqp:unauthorized-access"
	CondDecodeError           Symbol = "amqp:decode-error"
	CondResourceLimitExceeded Symbol = "amqp:resource-limit-exceeded"
	CondNotAllowed            Symbol = "amqp:not-allowed"
	CondInvalidField          Symbol = "amqp:invalid-field"
	CondNotImplemented        Symbol = "amqp:not-implemented"
	CondResourceLocked        Symbol = "amqp:resource-locked"
	CondPreconditionFailed    Symbol = "amqp:precondition-failed"
	CondResourceDeleted       Symbol = "amqp:resource-deleted"
	CondIllegalState          Symbol = "amqp:illegal-state"
	CondFrameSizeTooSmall     Symbol = "amqp:frame-size-too-small"
)

// Conditions of 2.8.16 (connection-error), 2.8.17 (session-error) and 2.8.18 (link-error).
const (
	CondConnectionForced   Symbol = "amqp:connection:forced"
	CondFramingError       Symbol = "amqp:connection:framing-error"
	CondConnectionRedirect Symbol = "amqp:connection:redirect"

	CondWindowViolation  Symbol = "amqp:session:window-violation"
	CondErrantLink       Symbol = "amqp:session:errant-link"
	CondHandleInUse      Symbol = "amqp:session:handle-in-use"
	CondUnattachedHandle Symbol = "amqp:session:unattached-handle"

	CondDetachForced          Symbol = "amqp:link:detach-forced"
	CondTransferLimitExceeded Symbol = "amqp:link:transfer-limit-exceeded"
	CondMessageSizeExceeded   Symbol = "amqp:link:message-size-exceeded"
	CondLinkRedirect          Symbol = "amqp:link:redirect"
	CondStolen                Symbol = "amqp:link:stolen"
)

// What the methods of links return. A link that is gone has told, or will tell, why by its OnClosed.
var (
	// ErrLinkClosed: the link was detached, or its session or connection ended.
	ErrLinkClosed = errors.New("amqp: the link is closed")
	// ErrQueueFull: too many deliveries wait for credit.
	ErrQueueFull = errors.New("amqp: too many deliveries wait for link credit")
)

func (e *Error) descriptor() uint64 { return codeError }

func (e *Error) fields() List {
	return List{e.Condition, omit(e.Description, ""), omitMap(e.Info)}
}

func (e *Error) read(r *fieldReader) {
	e.Condition = required[Symbol](r, "condition")
	e.Description = optional(r, "description", "")
	e.Info = optional(r, "info", Map(nil))
}

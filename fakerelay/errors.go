package fakerelay

import (
	"errors"
	"fmt"

	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

// A refusal is what the service says to one of the broker's errors: as a condition and a text on links, and
// with a status on $management.
type refusal struct {
	status    int32
	condition amqp.Symbol
	text      string
}

// refusalOf finds the words for an error of the broker.
func (n *Namespace) refusalOf(err error, host, path string) refusal {
	for _, known := range []struct {
		err error
		refusal
	}{
		{broker.ErrNotFound, refusal{404, amqp.CondNotFound, fmt.Sprintf(textEntityNotFound, host, path)}},
		{broker.ErrDeleted, refusal{404, amqp.CondNotFound, fmt.Sprintf(textEntityNotFound, host, path)}},
		{broker.ErrExists, refusal{409, condEntityExists, fmt.Sprintf(textExists, path)}},
		{broker.ErrDisabled, refusal{403, condEntityDisabled, fmt.Sprintf(textDisabled, host, path)}},
		{broker.ErrForwards, refusal{400, amqp.CondNotAllowed, textForwards}},
		{broker.ErrInvalidRule, refusal{400, condArgumentError, err.Error() + "."}},
		{broker.ErrLockLost, refusal{410, condMessageLockLost, textLockLost}},
		{broker.ErrSessionLockLost, refusal{410, condSessionLockLost, textSessionLost}},
		{broker.ErrTooLarge, refusal{400, amqp.CondMessageSizeExceeded, fmt.Sprintf(textMessageSize, n.largestMessage(path))}},
		{broker.ErrQuota, refusal{403, amqp.CondResourceLimitExceeded, fmt.Sprintf(textQuota, path)}},
		{broker.ErrNoSessionID, refusal{400, amqp.CondNotAllowed, textNoSessionID}},
		{broker.ErrInvalidSessionID, refusal{400, condArgumentError, fmt.Sprintf(textBadArgument, "session-id")}},
		{broker.ErrSessionRequired, refusal{400, amqp.CondNotAllowed, textNeedsSession}},
		{broker.ErrNoSessions, refusal{400, amqp.CondNotAllowed, textNoSessions}},
		{broker.ErrNotScheduled, refusal{404, condMessageNotFound, textNotFound}},
		{broker.ErrNotDeferred, refusal{404, condMessageNotFound, textNotFound}},
		{broker.ErrState, refusal{400, condArgumentError, fmt.Sprintf(textBadArgument, "session-state")}},
	} {
		if errors.Is(err, known.err) {
			known.text += tracking(path)
			return known.refusal
		}
	}
	return refusal{500, amqp.CondInternalError, err.Error() + tracking(path)}
}

func (n *Namespace) largestMessage(path string) int {
	if q, err := n.broker().Node(path); err == nil {
		return q.LargestMessage()
	}
	return n.tier.MaxMessageSize()
}

func (c *connection) linkError(err error, path string) *amqp.Error {
	r := c.ns.refusalOf(err, c.host(), path)
	return &amqp.Error{Condition: r.condition, Description: r.text}
}

// statuses are what $cbs and $management tell a condition as; any other is 500.
var statuses = map[amqp.Symbol]int32{
	condServerBusy: 503, condTimeout: 408, amqp.CondUnauthorizedAccess: 401, condAuthorizationFailed: 401,
	amqp.CondNotFound: 404, condEntityNotFound: 404, condMessageNotFound: 404, condMessageLockLost: 410, condSessionLockLost: 410,
	condEntityDisabled: 403, amqp.CondResourceLimitExceeded: 403, condArgumentError: 400, amqp.CondNotAllowed: 400,
	amqp.CondNotImplemented: 501,
}

func refusalByCondition(condition amqp.Symbol, text string) refusal {
	status, known := statuses[condition]
	if !known {
		status = 500
	}
	return refusal{status, condition, text}
}

func (r refusal) err() *amqp.Error { return &amqp.Error{Condition: r.condition, Description: r.text} }

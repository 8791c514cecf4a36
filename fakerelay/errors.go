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

// brokerRefusals are what the service says to the broker's errors; with gives what goes into the text.
var brokerRefusals = []struct {
	err error
	refusal
	with func(n *Namespace, err error, host, path string) []any // nil: nothing
}{
	{broker.ErrNotFound, refusal{404, amqp.CondNotFound, textEntityNotFound}, hostAndPath},
	{broker.ErrDeleted, refusal{404, amqp.CondNotFound, textEntityNotFound}, hostAndPath},
	{broker.ErrExists, refusal{409, condEntityExists, textExists}, pathAlone},
	{broker.ErrDisabled, refusal{403, condEntityDisabled, textDisabled}, hostAndPath},
	{broker.ErrForwards, refusal{400, amqp.CondNotAllowed, textForwards}, nil},
	{broker.ErrInvalidRule, refusal{400, condArgumentError, textInvalidRule}, theError},
	{broker.ErrLockLost, refusal{410, condMessageLockLost, textLockLost}, nil},
	{broker.ErrSessionLockLost, refusal{410, condSessionLockLost, textSessionLost}, nil},
	{broker.ErrTooLarge, refusal{400, amqp.CondMessageSizeExceeded, textMessageSize}, largestMessage},
	{broker.ErrQuota, refusal{403, amqp.CondResourceLimitExceeded, textQuota}, pathAlone},
	{broker.ErrNoSessionID, refusal{400, amqp.CondNotAllowed, textNoSessionID}, nil},
	{broker.ErrInvalidSessionID, refusal{400, condArgumentError, badArgument("session-id")}, nil},
	{broker.ErrSessionRequired, refusal{400, amqp.CondNotAllowed, textNeedsSession}, nil},
	{broker.ErrNoSessions, refusal{400, amqp.CondNotAllowed, textNoSessions}, nil},
	{broker.ErrNotScheduled, refusal{404, condMessageNotFound, textNotFound}, nil},
	{broker.ErrNotDeferred, refusal{404, condMessageNotFound, textNotFound}, nil},
	{broker.ErrState, refusal{400, condArgumentError, badArgument("session-state")}, nil},
}

func hostAndPath(_ *Namespace, _ error, host, path string) []any { return []any{host, path} }

func pathAlone(_ *Namespace, _ error, _, path string) []any { return []any{path} }

func theError(_ *Namespace, err error, _, _ string) []any { return []any{err} }

func largestMessage(n *Namespace, _ error, _, path string) []any {
	if q, err := n.broker().Node(path); err == nil {
		return []any{q.LargestMessage()}
	}
	return []any{n.tier.MaxMessageSize()}
}

// refusalOf finds the words for an error of the broker.
func (n *Namespace) refusalOf(err error, host, path string) refusal {
	for _, known := range brokerRefusals {
		if !errors.Is(err, known.err) {
			continue
		}
		r := known.refusal
		if known.with != nil {
			r.text = fmt.Sprintf(r.text, known.with(n, err, host, path)...)
		}
		r.text += tracking(path)
		return r
	}
	return refusal{500, amqp.CondInternalError, err.Error() + tracking(path)}
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

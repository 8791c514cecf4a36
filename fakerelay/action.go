package fakerelay

import (
	"context"
	"fmt"

	"passback/fakerelay/amqp"
)

// An Action is what a hook wants done about an event. Where an event leaves no room for it, it passes: what is
// delivered cannot be refused, and what has no lock cannot lose it.
type Action struct {
	verb   verb
	until  <-chan struct{} // of hold
	answer refusal         // of refuse and detach
	passed func()          // called once the step has been taken
}

type verb int

const (
	pass verb = iota
	drop
	disconnect
	hold
	detach
	duplicate
	loseLock
	refuse
	corrupt
)

var (
	// Pass lets the event take its course. It is the zero Action.
	Pass = Action{}
	// Drop swallows it: what has not happened does not, and the client is not told.
	Drop = Action{verb: drop}
	// Disconnect closes the client's connection without a word. What has not happened does not.
	Disconnect = Action{verb: disconnect}
	// Duplicate has a message enqueued, or transferred, twice.
	Duplicate = Action{verb: duplicate}
	// LoseLock ends the lock on the message, or on its session, as if it had expired; then the event takes its course.
	LoseLock = Action{verb: loseLock}
	// Corrupt spoils the next frame that the client gets; the event takes its course.
	Corrupt = Action{verb: corrupt}
	// ForceDetach detaches the link with amqp:link:detach-forced. What has not happened does not.
	ForceDetach = Action{verb: detach}
	// Throttle refuses it as the service does when it is busy.
	Throttle = Action{verb: refuse, answer: refusalByCondition(condServerBusy, textThrottled)}
)

// Hold lets the event take its course when until is closed. If the connection or the link ends before that, it is
// dropped. Other messages of the connection pass meanwhile.
func Hold(until <-chan struct{}) Action { return Action{verb: hold, until: until} }

// Refuse answers with an error: a condition, such as amqp:internal-error, and its description. What has not happened
// does not; what has is told as if it had not.
func Refuse(condition, description string) Action {
	return Action{verb: refuse, answer: refusalByCondition(amqp.Symbol(condition), description)}
}

// Texts of what is done to order. The service says them of errors of its own.
const (
	textThrottled    = "The request was terminated because the entity is being throttled. Error code: 50009. Please wait 2 seconds and try again."
	textServerError  = "The service was unable to process the request; please retry the operation."
	textForcedDetach = "The link is force detached. Code: ServerError. Details: %s"
)

// A step is an event with what can be done about it where it happens.
type step struct {
	Event
	ctx    context.Context   // ends waiting; nil: the connection's end alone does
	detach func(*amqp.Error) // the link that it comes on
	refuse func(refusal)     // answers the client; nil: it awaits no answer
	lose   func()            // ends the lock; nil: there is none
	twice  bool              // it is to happen twice
}

// consult asks the hooks about a step and goes on with then, now or later, unless they say otherwise.
func (c *connection) consult(s *step, then func()) {
	if !c.ns.hooks.any.Load() {
		then()
		return
	}
	s.Connection = c.number
	if open := c.amqp.Peer(); open != nil {
		s.Container = open.ContainerID
	}
	action := c.ns.hooks.ask(s.Event)
	if action.verb == hold {
		go func() {
			if c.wait(s.ctx, action.until) {
				then()
			}
		}()
		return
	}
	if c.goesOn(s, action) {
		then()
	}
	if action.passed != nil {
		action.passed()
	}
}

// goesOn does what an action asks for, and reports whether the step takes its course.
func (c *connection) goesOn(s *step, a Action) bool {
	switch a.verb {
	case drop:
		return false
	case disconnect:
		c.amqp.Abort()
		return false
	case detach:
		e := &amqp.Error{Condition: a.answer.condition, Description: a.answer.text}
		if e.Condition == "" {
			e.Condition = amqp.CondDetachForced
		}
		if e.Description == "" {
			e.Description = fmt.Sprintf(textForcedDetach, textServerError)
		}
		e.Description += tracking(s.Entity)
		s.detach(e)
		return false
	case refuse:
		if s.refuse == nil {
			return true
		}
		answer := a.answer
		answer.text += tracking(s.Entity)
		s.refuse(answer)
		return false
	case duplicate:
		s.twice = true
	case loseLock:
		if s.lose != nil {
			s.lose()
		}
	case corrupt:
		c.amqp.CorruptNext()
	}
	return true
}

func (c *connection) wait(ctx context.Context, until <-chan struct{}) bool {
	if ctx == nil {
		ctx = context.Background()
	}
	select {
	case <-until:
		return true
	case <-ctx.Done():
	case <-c.amqp.Done():
	}
	return false
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

// refuseDelivery answers a message that was sent.
func refuseDelivery(d *amqp.Delivery) func(refusal) {
	return func(r refusal) { d.Settle(amqp.Rejected{Error: r.err()}) }
}

func (r refusal) err() *amqp.Error { return &amqp.Error{Condition: r.condition, Description: r.text} }

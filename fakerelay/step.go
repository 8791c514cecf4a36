package fakerelay

import (
	"context"
	"fmt"

	"passback/fakerelay/amqp"
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
				c.amqp.Flush()
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
	case refuse, throttle:
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

// refuseDelivery answers a message that was sent.
func refuseDelivery(d *amqp.Delivery) func(refusal) {
	return func(r refusal) { d.Settle(amqp.Rejected{Error: r.err()}) }
}

package fakerelay

// Session receiver links: the client names a session in a filter on its source, or leaves it null and gets the
// next free one. The answer names it, and tells until when it is locked.

import (
	"context"
	"errors"
	"time"

	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

const (
	sessionFilter            amqp.Symbol = "com.microsoft:session-filter"
	propertyLockedUntil      amqp.Symbol = "com.microsoft:locked-until-utc"
	propertyTimeout          amqp.Symbol = "com.microsoft:timeout"
	defaultAcceptTimeout                 = time.Minute // for the next free session, where the client gives none
	unixEpochTicks                       = 621_355_968_000_000_000
	nanosecondsPerTick                   = 100
	maxAcceptTimeout                     = time.Hour
	textSessionFilterInvalid             = "The session filter must hold a string or null."
)

// sessionWish reads the filter: nil for any session, and given reports whether there is one at all.
func sessionWish(s *amqp.Source) (wish any, given bool) {
	if s == nil {
		return nil, false
	}
	value, given := s.Filter.Get(sessionFilter)
	if d, ok := value.(amqp.Described); ok {
		value = d.Value
	}
	return value, given
}

func (c *connection) attachSession(r *amqp.AttachRequest, q *broker.Queue, path string, wish any) {
	switch id := wish.(type) {
	case string:
		session, err := q.Accept(id)
		if err != nil {
			r.Refuse(c.sessionError(err, path, id))
			return
		}
		c.openSession(r, q, path, session)
	case nil:
		c.ns.wg.Go(func() { c.attachNextSession(r, q, path) })
	default:
		r.Refuse(amqp.Errorf(amqp.CondInvalidField, "%s%s", textSessionFilterInvalid, tracking(path)))
	}
}

// attachNextSession waits as long as the client allows.
func (c *connection) attachNextSession(r *amqp.AttachRequest, q *broker.Queue, path string) {
	timeout := defaultAcceptTimeout
	if ms, ok := amqp.Lookup[uint32](r.Attach.Properties, propertyTimeout); ok {
		timeout = min(time.Duration(ms)*time.Millisecond, maxAcceptTimeout)
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	session, err := q.AcceptNext(ctx)
	if err != nil {
		r.Refuse(c.sessionError(err, path, ""))
		return
	}
	c.openSession(r, q, path, session)
}

func (c *connection) sessionError(err error, path, id string) *amqp.Error {
	switch {
	case errors.Is(err, broker.ErrSessionLocked):
		return amqp.Errorf(condSessionCannotLock, textSessionLocked+"%s", id, tracking(path))
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return amqp.Errorf(condTimeout, "%s%s", textNoSession, tracking(path))
	}
	return c.linkError(err, path)
}

func (c *connection) openSession(r *amqp.AttachRequest, q *broker.Queue, path string, s *broker.Session) {
	granted := *r.Attach.Source
	granted.Filter = granted.Filter.With(sessionFilter, grantedFilter(granted.Filter, s.ID()))
	l := c.newReceiverLink(r, q, path)
	l.from, l.session, l.ended = s, s, s.Ended()
	l.accept(r, amqp.Answer{
		Source:     &granted,
		Properties: amqp.Map{{Key: propertyLockedUntil, Value: ticks(s.LockedUntil())}},
	}, s.Close)
}

// grantedFilter names the session in the form that the client asked in: Go and .NET describe the value, JavaScript
// does not and would not understand it.
func grantedFilter(wished amqp.Map, id string) any {
	value, _ := wished.Get(sessionFilter)
	if d, ok := value.(amqp.Described); ok {
		return amqp.Described{Descriptor: d.Descriptor, Value: id}
	}
	return id
}

// ticks counts as .NET does: hundreds of nanoseconds since the year 1.
func ticks(t time.Time) int64 { return t.UnixNano()/nanosecondsPerTick + unixEpochTicks }

// heldSession finds the session that one of the connection's links holds.
func (c *connection) heldSession(path, id string) (*broker.Session, error) {
	for _, l := range c.openLinks() {
		if l.session != nil && foldPath(l.path) == foldPath(path) && l.session.ID() == id {
			return l.session, nil
		}
	}
	return nil, broker.ErrSessionLockLost
}

package fakerelay

// Settlement: what a receiver says of a message, by disposition or by $management, and the broker's answer.

import (
	"github.com/google/uuid"

	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

// An outcome is what is to become of a locked message.
type outcome struct {
	kind       Kind
	properties map[string]any // added to the message
}

// settle applies a disposition. An outcome that succeeds is echoed without an error: the SDK's dead-lettering
// fails on a rejected that carries one.
func (l *receiverLink) settle(d *amqp.Sent, state amqp.DeliveryState, _ bool) {
	l.idle.touch()
	if l.ahead.fell() {
		l.kick()
	}
	token, ok := tokenOf(d.Tag())
	if !ok {
		d.Settle(amqp.Rejected{Error: l.c.linkError(broker.ErrLockLost, l.path)})
		return
	}
	o, confirmed := outcomeOf(state)
	if confirmed == nil {
		d.Settle(amqp.Rejected{Error: l.c.noTransactions(l.path)})
		return
	}
	if !l.c.ns.hooks.any.Load() { // as mostly: a step would cost as much as the settlement
		l.confirm(d, confirmed, apply(l.queue, token, o))
		return
	}
	s := &step{ctx: l.ctx, detach: l.detach, refuse: func(r refusal) { d.Settle(amqp.Rejected{Error: r.err()}) }}
	l.c.settleToken(s, l.queue, token, o, func(err error) { l.confirm(d, confirmed, err) })
}

func (l *receiverLink) confirm(d *amqp.Sent, confirmed amqp.DeliveryState, err error) {
	if err != nil {
		confirmed = amqp.Rejected{Error: l.c.linkError(err, l.path)}
	}
	d.Settle(confirmed)
}

// outcomeOf reads a disposition, and says how it is confirmed; nil: not at all. A receiver that settles without
// an outcome gives the message back.
func outcomeOf(state amqp.DeliveryState) (outcome, amqp.DeliveryState) {
	switch s := state.(type) {
	case amqp.Accepted:
		return outcome{kind: Complete}, amqp.Accepted{}
	case amqp.Released, nil, amqp.Received:
		return outcome{kind: Release}, amqp.Released{}
	case amqp.Modified:
		o := outcome{kind: Abandon, properties: propertiesOf(s.MessageAnnotations)}
		if s.UndeliverableHere {
			o.kind = Defer
		}
		return o, s
	case amqp.Rejected:
		o := outcome{kind: DeadLetter, properties: make(map[string]any)}
		if s.Error != nil {
			o.properties = propertiesOf(s.Error.Info)
			if s.Error.Condition != condDeadLetter {
				o.properties[broker.DeadLetterReason] = string(s.Error.Condition)
				o.properties[broker.DeadLetterDescription] = s.Error.Description
			}
		}
		return o, amqp.Rejected{}
	}
	return outcome{}, nil
}

// propertiesOf takes a map with keys of either kind of string.
func propertiesOf(m amqp.Map) map[string]any {
	properties := make(map[string]any, len(m))
	for _, e := range m {
		switch key := e.Key.(type) {
		case string:
			properties[key] = e.Value
		case amqp.Symbol:
			properties[string(key)] = e.Value
		}
	}
	return properties
}

// settleToken asks the hooks before and after, and tells done how it went unless they say otherwise. The step knows
// how to answer the client.
func (c *connection) settleToken(s *step, q *broker.Queue, token uuid.UUID, o outcome, done func(error)) {
	d, err := q.Locked(token)
	if err != nil {
		done(err)
		return
	}
	s.Event = eventOf(o.kind, q, d)
	s.lose = func() { c.loseLock(q, token) }
	c.consult(s, func() {
		if err := apply(q, token, o); err != nil {
			done(err)
			return
		}
		s.Done = true
		c.consult(s, func() { done(nil) })
	})
}

// loseLock ends a lock as if it had expired.
func (c *connection) loseLock(q *broker.Queue, token uuid.UUID) {
	if err := q.LoseLock(token); err != nil {
		c.log.Debug("lose lock", "entity", q.Path(), "err", err)
	}
}

func apply(q *broker.Queue, token uuid.UUID, o outcome) error {
	switch o.kind {
	case Complete:
		return q.Complete(token)
	case Abandon:
		return q.Abandon(token, o.properties)
	case Defer:
		return q.Defer(token, o.properties)
	case DeadLetter:
		return q.DeadLetter(token, o.properties)
	}
	return q.Release(token)
}

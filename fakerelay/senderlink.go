package fakerelay

// Sender links: the client sends to an entity. What it sends is confirmed once the broker has it.

import (
	"errors"

	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

const (
	senderCredit = 1000
	// The service tells batching clients how large a batch may get.
	propertyMaxBatch amqp.Symbol = "com.microsoft:max-message-batch-size"
)

func (c *connection) attachSender(r *amqp.AttachRequest, path string) {
	q, ok := c.entity(r, path, path, Send)
	if !ok {
		return
	}
	if kind := q.Kind(); kind != broker.KindQueue && kind != broker.KindTopic {
		r.Refuse(amqp.Errorf(amqp.CondNotAllowed, textNoSender+"%s", q.Path(), tracking(q.Path())))
		return
	}
	if err := q.Sendable(); err != nil {
		r.Refuse(c.linkError(err, path))
		return
	}
	most := uint64(q.LargestMessage())
	l := &entityLink{path: path, queue: q, right: Send, name: r.Attach.Name, detach: r.Detach, idle: idleWatch{clock: c.ns.clock}}
	c.enter(l)
	_, err := r.AcceptReceiver(amqp.ReceiverOptions{
		Answer: amqp.Answer{
			MaxMessageSize: most,
			Properties:     amqp.Map{{Key: propertyMaxBatch, Value: most}},
		},
		Credit: senderCredit,
		// The service does, whatever it agreed to: uamqp, the C library below Python's SDK, asks for mode second and
		// waits for a disposition that settles (its link.c).
		SettleFirst: true,
		OnTransfer: func(d *amqp.Delivery) {
			l.idle.touch()
			c.take(d, q)
		},
		OnClosed: func(*amqp.Receiver, *amqp.Error) { c.exit(l) },
	})
	if err != nil {
		c.exit(l)
		return
	}
	c.watchIdle(l, publisher)
}

// take stores what was sent, all messages of a batch or none, and confirms it.
func (c *connection) take(d *amqp.Delivery, q *broker.Queue) {
	if _, transactional := d.State.(amqp.OtherState); transactional {
		d.Settle(amqp.Rejected{Error: c.noTransactions(q.Path())})
		return
	}
	messages, err := stored(d.Format, d.Payload, d.Message)
	if err != nil {
		var malformed *amqp.Error
		if !errors.As(err, &malformed) {
			malformed = &amqp.Error{Condition: amqp.CondDecodeError, Description: err.Error()}
		}
		d.Settle(amqp.Rejected{Error: malformed})
		return
	}
	if !c.ns.hooks.any.Load() { // as mostly: a step costs something for each message
		c.confirm(d, q, c.post(q, messages))
		return
	}
	s := &step{Event: Event{Kind: Enqueue, Entity: q.Path()}, detach: d.Receiver().Detach, refuse: refuseDelivery(d)}
	if len(messages) > 0 {
		s.MessageID, s.SessionID = messages[0].ID, deref(messages[0].SessionID)
	}
	c.consult(s, func() {
		err := c.post(q, messages)
		if err == nil && s.twice {
			err = c.post(q, messages)
		}
		if err != nil {
			c.confirm(d, q, err)
			return
		}
		s.Done = true
		c.consult(s, func() { c.confirm(d, q, nil) })
	})
}

func (c *connection) confirm(d *amqp.Delivery, q *broker.Queue, err error) {
	if err != nil {
		d.Settle(amqp.Rejected{Error: c.linkError(err, q.Path())})
		return
	}
	d.Settle(amqp.Accepted{})
}

// post stores messages, and delivers those that others wait for.
func (c *connection) post(q *broker.Queue, messages []broker.Message) error {
	due, err := q.Post(messages...)
	for _, h := range due {
		l, ok := h.To.(*receiverLink)
		if !ok || c.ns.hooks.any.Load() { // which may take their time
			go h.To.Take(h.Delivery, nil)
			continue
		}
		l.take(h.Delivery, nil)
		c.amqp.FlushWith(l.c.amqp)
	}
	return err
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

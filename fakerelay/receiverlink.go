package fakerelay

// Receiver links: the client receives from an entity, or from one of its sessions, as long as it gives credit.

import (
	"context"

	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

type receiverLink struct {
	entityLink
	c       *connection
	from    source
	ended   <-chan struct{} // the session's lock has ended; nil: no session
	deletes bool            // receive-and-delete
	sender  *amqp.Sender
	ahead   prefetch
	ctx     context.Context
	end     context.CancelFunc
	pump    pump
}

func (c *connection) attachReceiver(r *amqp.AttachRequest, path string) {
	q, ok := c.entity(r, path, path, Listen)
	if !ok {
		return
	}
	if q.Kind() == broker.KindTopic {
		r.Refuse(amqp.Errorf(amqp.CondNotAllowed, textTopicReceiver+"%s", q.Path(), tracking(q.Path())))
		return
	}
	if err := q.Receivable(); err != nil {
		r.Refuse(c.linkError(err, path))
		return
	}
	if wish, given := sessionWish(r.Attach.Source); given {
		c.attachSession(r, q, path, wish)
		return
	}
	if q.Options().RequiresSession {
		r.Refuse(c.linkError(broker.ErrSessionRequired, path))
		return
	}
	l := c.newReceiverLink(r, q, path)
	l.from = q
	l.accept(r, amqp.Answer{}, func() {})
}

func (c *connection) newReceiverLink(r *amqp.AttachRequest, q *broker.Queue, path string) *receiverLink {
	l := &receiverLink{
		entityLink: entityLink{
			path: path, queue: q, right: Listen, name: r.Attach.Name, detach: r.Detach, idle: idleWatch{clock: c.ns.clock},
		},
		c:       c,
		deletes: r.Attach.SndSettleMode == amqp.SenderSettled,
	}
	l.pump.running, l.pump.place.Taker = true, l
	l.ctx, l.end = context.WithCancel(c.ns.ctx)
	return l
}

// accept answers the attach and starts to deliver; closed is called when the link has ended.
func (l *receiverLink) accept(r *amqp.AttachRequest, answer amqp.Answer, closed func()) {
	l.c.enter(&l.entityLink)
	sender, err := r.AcceptSender(amqp.SenderOptions{
		Answer:    answer,
		OnCredit:  func(*amqp.Sender) { l.kick() },
		OnDrain:   func(*amqp.Sender) { l.drain() },
		OnOutcome: l.settle,
		OnClosed: func(*amqp.Sender, *amqp.Error) {
			l.end()
			l.kick() // which ends its waiting
			l.c.exit(&l.entityLink)
			closed()
		},
	})
	if err != nil {
		l.end()
		l.c.exit(&l.entityLink)
		closed()
		return
	}
	l.c.watchIdle(&l.entityLink, consumer)
	if l.ended != nil {
		l.c.ns.wg.Go(l.watchSession)
	}
	l.pump.mu.Lock()
	l.sender = sender
	l.goOn()
	l.pump.mu.Unlock()
	l.flush()
}

// watchSession notices the end of the session's lock where nothing is delivered.
func (l *receiverLink) watchSession() {
	select {
	case <-l.ended:
		l.kick()
	case <-l.ctx.Done():
	}
}

func (l *receiverLink) deliver(d broker.Delivery) {
	l.idle.touch()
	if !l.c.ns.hooks.any.Load() {
		l.transfer(d, 1)
		return
	}
	l.c.amqp.Flush() // since the hooks may take their time
	s := &step{Event: eventOf(Deliver, l.queue, d), ctx: l.ctx, detach: l.detach, lose: func() { l.c.loseLock(l.queue, d.LockToken) }}
	l.c.consult(s, func() {
		times := 1
		if s.twice {
			times = 2
		}
		if s.Done = l.transfer(d, times); s.Done {
			l.c.consult(s, func() {})
		}
	})
}

// transfer reports whether the message has left.
func (l *receiverLink) transfer(d broker.Delivery, times int) bool {
	payload, err := delivered(d, !l.deletes)
	if err != nil {
		l.c.log.Error("message not delivered", "entity", l.path, "sequence", d.SequenceNumber, "err", err)
		l.sender.Detach(amqp.Errorf(amqp.CondInternalError, "The message %d could not be encoded.%s", d.SequenceNumber, tracking(l.path)))
		return false
	}
	if !l.deletes {
		l.ahead.delivered()
	}
	out := amqp.Outgoing{Payload: payload, Tag: tagOf(d.LockToken), Settled: l.deletes, Flushed: true}
	for range times {
		if _, err = l.sender.Send(out); err != nil {
			l.report("release", l.queue.Release(d.LockToken))
			return false
		}
	}
	if l.deletes {
		l.report("complete", l.queue.Complete(d.LockToken))
	}
	return true
}

// report logs what nobody waits for: a lock that expired meanwhile.
func (l *receiverLink) report(what string, err error) {
	if err != nil {
		l.c.log.Debug(what, "entity", l.path, "err", err)
	}
}

func eventOf(kind Kind, q *broker.Queue, d broker.Delivery) Event {
	return Event{
		Kind: kind, Entity: q.Path(), MessageID: d.ID, SessionID: deref(d.SessionID), DeliveryCount: d.Failures + 1,
	}
}

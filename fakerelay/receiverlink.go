package fakerelay

// Receiver links: the client receives from an entity, or from one of its sessions. A goroutine per link takes
// messages off the broker as long as the client gives credit, so that receivers are served in their order and a
// slow one keeps nobody waiting.

import (
	"context"
	"errors"
	"sync"

	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

// A source is where a receiver link takes messages from: a queue, or a session of one.
type source interface {
	TryReceive() (broker.Delivery, bool, error)
	Receive(context.Context) (broker.Delivery, error)
}

type receiverLink struct {
	entityLink
	c       *connection
	from    source
	ended   <-chan struct{} // the session's lock has ended; nil: no session
	deletes bool            // receive-and-delete
	sender  *amqp.Sender
	credit  chan struct{} // holds one: credit may have grown, or a drain was asked for
	ahead   prefetch
	ctx     context.Context
	end     context.CancelFunc

	mu        sync.Mutex
	draining  bool
	interrupt context.CancelFunc // of the wait that is going on
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
		credit:  make(chan struct{}, 1),
		ahead:   prefetch{settled: make(chan struct{}, 1)},
	}
	l.ctx, l.end = context.WithCancel(c.ns.ctx)
	return l
}

// accept answers the attach and starts to deliver; closed is called when the link has ended.
func (l *receiverLink) accept(r *amqp.AttachRequest, answer amqp.Answer, closed func()) {
	l.c.enter(&l.entityLink)
	sender, err := r.AcceptSender(amqp.SenderOptions{
		Answer:   answer,
		OnCredit: func(*amqp.Sender) { l.kick() },
		OnDrain: func(*amqp.Sender) {
			l.drain()
			l.kick()
		},
		OnOutcome: l.settle,
		OnClosed: func(*amqp.Sender, *amqp.Error) {
			l.end()
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
	l.sender = sender
	l.c.watchIdle(&l.entityLink, consumer)
	l.c.ns.wg.Go(l.pump)
}

// kick wakes the pump: credit may have grown, or a drain was asked for.
func (l *receiverLink) kick() {
	l.idle.touch()
	select {
	case l.credit <- struct{}{}:
	default:
	}
}

// drain makes a wait for messages end: the client wants what there is, and its other credit back.
func (l *receiverLink) drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draining = true
	if l.interrupt != nil {
		l.interrupt()
	}
}

func (l *receiverLink) drained() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.draining
	l.draining = false
	return was
}

// pump delivers until the link ends. What it sends is written together, whenever there is nothing more to send.
func (l *receiverLink) pump() {
	defer l.c.amqp.Flush()
	for l.ctx.Err() == nil {
		if l.sender.Credit() == 0 {
			if l.drained() {
				l.sender.Drained()
			}
			l.c.amqp.Flush()
			select {
			case <-l.credit:
			case <-l.ended:
				l.fail(broker.ErrSessionLockLost)
				return
			case <-l.ctx.Done():
			}
			continue
		}
		if l.ahead.used() {
			l.c.amqp.Flush()
			l.ahead.wait(l.ctx, l.ended)
		}
		d, ok, err := l.next()
		switch {
		case err != nil:
			l.fail(err)
			return
		case ok && l.sender.Credit() == 0: // taken back meanwhile
			l.report("release", l.queue.Release(d.LockToken))
		case ok:
			l.deliver(d)
		}
	}
}

// next takes a message; it reports false if there was none and the wait was interrupted.
func (l *receiverLink) next() (broker.Delivery, bool, error) {
	d, ok, err := l.from.TryReceive()
	if ok || err != nil {
		return d, ok, err
	}
	if l.drained() {
		l.sender.Drained()
		return d, false, nil
	}
	l.c.amqp.Flush()
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	l.mu.Lock()
	l.interrupt = cancel
	if l.draining {
		cancel()
	}
	l.mu.Unlock()
	d, err = l.from.Receive(ctx)
	if errors.Is(err, context.Canceled) {
		return d, false, nil
	}
	return d, err == nil, err
}

// fail ends the link because its source has ended.
func (l *receiverLink) fail(err error) {
	if errors.Is(err, broker.ErrDeleted) {
		l.detach(l.gone())
		return
	}
	l.detach(l.c.linkError(err, l.path))
}

func (l *receiverLink) deliver(d broker.Delivery) {
	l.idle.touch()
	if l.c.ns.hooks.any.Load() { // which may take their time
		l.c.amqp.Flush()
	}
	s := &step{Event: eventOf(Deliver, l.queue, d), ctx: l.ctx, detach: l.detach, lose: func() { l.c.loseLock(l.queue, d.LockToken) }}
	l.c.consult(s, func() { l.transfer(s, d) })
}

func (l *receiverLink) transfer(s *step, d broker.Delivery) {
	payload, err := delivered(d, !l.deletes)
	if err != nil {
		l.c.log.Error("message not delivered", "entity", l.path, "sequence", d.SequenceNumber, "err", err)
		l.sender.Detach(amqp.Errorf(amqp.CondInternalError, "The message %d could not be encoded.%s", d.SequenceNumber, tracking(l.path)))
		return
	}
	if !l.deletes {
		l.ahead.delivered()
	}
	out := amqp.Outgoing{Payload: payload, Tag: tagOf(d.LockToken), Settled: l.deletes, Flushed: true}
	_, err = l.sender.Send(out)
	if err == nil && s.twice {
		_, err = l.sender.Send(out)
	}
	if err != nil {
		l.report("release", l.queue.Release(d.LockToken))
		return
	}
	if l.deletes {
		l.report("complete", l.queue.Complete(d.LockToken))
	}
	s.Done = true
	l.c.consult(s, func() {})
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

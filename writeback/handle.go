package writeback

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"

	"passback/clock"
	"passback/writeback/protocol"
	"passback/writeback/relay"
)

// handle takes one delivery from the relay to its end: open it, decide it, settle and answer it.
//
//	does not open outside           logged by id and completed: it is not for us to judge
//	not sealed to a key of ours     abandoned, for an agent that has the key; at the last delivery refused
//	anything else                   decided by the directory, and answered
//
// What ctx cuts off stays locked, and comes again.
func (t *term) handle(r *relay.Client, d *relay.Delivery) {
	defer t.survive(d)
	defer t.worsened()
	ctx := t.work
	if t.isAhead(d) {
		t.give(ctx, d)
		return
	}
	p, err := t.open(ctx, d)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		t.log.event(eventOf(err), "A message that does not open was removed.", "tracking_id", limit(d.Message.ID), "error", err)
		t.complete(ctx, d)
		return
	}
	received, count := clock.Real().Now().UTC(), delivery{count: d.Count}
	if err := p.Request.CheckTime(clock.Real().Now()); errors.Is(err, protocol.ErrInvalid) {
		t.clockIsOff(theCloud, clock.Real().Now().Sub(p.Request.IssuedAt)) // it comes from our future
		t.give(ctx, d)
		return
	}
	t.log.started(p.Request, count)
	ctx, span := t.telemetry.request(ctx, p.Request, count)
	defer span.End()
	decision, decided := t.decide(ctx, p, count)
	if !decided {
		t.log.event(eventDecryptionError, "The request is not sealed to this agent's key; left to another agent.", "tracking_id", p.Request.TrackingID)
		t.record.sealedElsewhere()
		notify(t.renewNow)
		t.give(ctx, d)
		return
	}
	t.log.decided(p.Request, decision)
	entry := newJournalEntry(p.Request, count, decision)
	entry.Received, entry.Decided = received, clock.Real().Now().UTC()
	entry.Answered, entry.Completed = t.settle(ctx, r, d, p, decision)
	entry.Settled = clock.Real().Now().UTC()
	t.keep(entry)
	t.telemetry.settled(ctx, span, entry)
	if decision.outcome == protocol.DirectoryUnavailable {
		notify(t.probe)
	}
}

// isAhead reports whether the relay took the message later than it is here, by more than clocks may differ.
func (t *term) isAhead(d *relay.Delivery) bool {
	behind := clock.Real().Now().Sub(d.Enqueued)
	if d.Enqueued.IsZero() || behind >= -protocol.MaxClockSkew {
		return false
	}
	t.clockIsOff(d.Host(), behind)
	return true
}

// open opens the message outside. A package key that is not known may be newer than those at hand: they are asked for
// again, as soon as may be, unless that was done after the message was sent.
func (t *term) open(ctx context.Context, d *relay.Delivery) (p protocol.Package, err error) {
	open := func() bool {
		p, err = protocol.OpenRequest(t.current().PackageKeys, t.enrolment.Tenant, d.Message)
		return !errors.Is(err, protocol.ErrUnknownKey)
	}
	if open() {
		return p, err
	}
	ctx, cancel := context.WithTimeout(ctx, openWithRenewal)
	defer cancel()
	sent := d.Enqueued.Add(protocol.MaxClockSkew) // at the latest, by this host's clock
	if now := wireNow(); d.Enqueued.IsZero() || sent.After(now) {
		sent = now
	}
	for {
		newer := t.newerThan(sent)
		if open() || newer || t.renew(ctx) != nil || open() || clock.Sleep(ctx, clock.Real(), t.restBeforeRenewal()) != nil {
			return p, err
		}
	}
}

// decide returns false for a request that another agent can still open.
func (t *term) decide(ctx context.Context, p protocol.Package, count delivery) (decision, bool) {
	if err := p.Request.Validate(); err != nil {
		return undirected(err, count), true
	}
	if count.first() {
		if refusal := t.throttle.begin(p.Request, wireNow()); refusal != "" {
			return decision{outcome: protocol.Throttled, detail: refusal, settle: completeThenAnswer}, true
		}
	}
	job := task{request: p.Request, delivery: count}
	secrets, err := protocol.OpenSecrets(p, t.keys.all())
	switch {
	case errors.Is(err, protocol.ErrNoRecipient) && !count.last():
		return decision{}, false
	case errors.Is(err, protocol.ErrInvalid):
		job.refusal, job.detail = protocol.InvalidRequest, err.Error()
	case err != nil:
		job.refusal, job.detail = protocol.DecryptionFailed, err.Error()
	default:
		job.secrets = secrets
	}
	return t.applier.apply(ctx, job), true
}

// undirected refuses a request that names no user or no directory to keep the refusal in.
func undirected(err error, count delivery) decision {
	if !count.first() {
		return decision{outcome: protocol.Unknown, detail: err.Error()}
	}
	return decision{outcome: protocol.InvalidRequest, detail: err.Error(), settle: completeThenAnswer}
}

// settle answers and completes, in the order that the decision demands.
func (t *term) settle(ctx context.Context, r *relay.Client, d *relay.Delivery, p protocol.Package, decision decision) (answered, completed bool) {
	if decision.settle == completeThenAnswer {
		completed = t.complete(ctx, d)
		return completed && t.answer(ctx, r, p, decision), completed
	}
	if !t.answer(ctx, r, p, decision) {
		t.give(ctx, d)
		return false, false
	}
	return true, t.complete(ctx, d)
}

// keep remembers what became of a request, for people.
func (t *term) keep(e journalEntry) {
	t.record.request(e)
	if err := t.journal.write(e); err != nil {
		t.log.Error("a request is missing from the journal", "tracking_id", e.TrackingID, "outcome", e.Outcome, "error", err)
	}
}

// answer seals and sends, again and again until the deadline: until then somebody waits.
func (t *term) answer(ctx context.Context, r *relay.Client, p protocol.Package, d decision) bool {
	ctx, span := t.telemetry.span(ctx, "answer")
	defer span.End()
	m, err := protocol.SealAnswer(t.sealingKey(), protocol.Answer{
		TrackingID: p.Request.TrackingID, Tenant: t.enrolment.Tenant, RequestHash: p.Hash, ReplySession: p.Request.ReplySession,
		AgentID: t.enrolment.AgentID, Outcome: d.outcome, Violation: d.violation, Notes: d.notes, DC: d.dc, Detail: limit(d.detail),
		IssuedAt: clock.Real().Now().UTC(),
	})
	if err != nil {
		t.log.event(eventNotSettled, "The answer could not be sealed.", "tracking_id", p.Request.TrackingID, "outcome", d.outcome, "error", err)
		return false
	}
	m.ID = uuid.NewString() // one and the same, however often it is given
	wait := newSettleBackOff()
	for {
		if err = r.Answer(ctx, m); err == nil {
			return true
		}
		t.log.event(eventNotSettled, "The answer was not taken.", "tracking_id", p.Request.TrackingID, "outcome", d.outcome, "error", err)
		if errors.Is(err, relay.ErrUnauthorized) {
			notify(t.renewNow)
		}
		if late := clock.Real().Now().After(p.Request.Deadline); late || clock.Sleep(ctx, clock.Real(), wait.NextBackOff()) != nil {
			return false
		}
	}
}

// complete removes the message from the queue. Where the relay refuses our keys it tries again, for as long as a lock
// can hold: the keys are being renewed.
func (t *term) complete(ctx context.Context, d *relay.Delivery) bool {
	ctx, cancel := context.WithTimeout(ctx, protocol.LockDuration)
	defer cancel()
	wait := newSettleBackOff()
	for {
		err := d.Complete(ctx)
		if err == nil {
			return true
		}
		t.log.event(eventNotSettled, "The request was not completed; it may come again.", "tracking_id", limit(d.Message.ID), "error", err)
		if !errors.Is(err, relay.ErrUnauthorized) {
			return false
		}
		notify(t.renewNow)
		if clock.Sleep(ctx, clock.Real(), wait.NextBackOff()) != nil {
			return false
		}
	}
}

// newSettleBackOff waits from 0.25 s to 2 s, jittered: somebody waits.
func newSettleBackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 250*time.Millisecond, 2*time.Second
	return b
}

// give abandons the message: it comes again at once, here or elsewhere.
func (t *term) give(ctx context.Context, d *relay.Delivery) {
	if err := d.Abandon(ctx); err != nil {
		t.log.event(eventNotSettled, "The request was not abandoned; it comes again when its lock lapses.", "tracking_id", limit(d.Message.ID), "error", err)
	}
}

// eventOf is the event of a message that does not open.
func eventOf(err error) eventKind {
	for _, sealed := range []error{protocol.ErrTampered, protocol.ErrUnknownKey, protocol.ErrForeignTenant} {
		if errors.Is(err, sealed) {
			return eventDecryptionError
		}
	}
	return eventInvalid
}

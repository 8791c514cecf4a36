package cloud

import (
	"context"
	"errors"
	"slices"
	"time"

	"passback/sim/trace"
	"passback/writeback/protocol"
)

// writeBack seals the request, records it, sends it and waits for the answer until the deadline. Then, and only
// after the directory's success, it sets the cloud's copy.
func (o *operation) writeBack() {
	t := o.tenant
	message, r, deadline, refused, err := o.seal()
	if refused != nil {
		o.result = o.result.refusedBy(refused)
		return
	}
	if err != nil {
		t.log.Error("a request could not be sealed", "trackingId", o.result.TrackingID, "error", err)
		o.result = o.result.decided(protocol.InternalError)
		return
	}
	ctx, cancel := context.WithDeadline(t.ctx, deadline)
	defer cancel()
	err = t.front.send(ctx, message)
	if errors.Is(err, errNotSent) {
		t.log.Warn("no relay took a request", "trackingId", r.id, "error", err)
		t.mu.Lock()
		t.settle(r, protocol.ChangedNo)
		t.mu.Unlock()
		o.result = o.result.decided(protocol.WritebackUnavailable)
		return
	}
	if err != nil {
		t.log.Warn("it is not known whether a relay took a request; it counts as sent", "trackingId", r.id, "error", err)
	}
	o.result.Sent = true
	select {
	case answer := <-r.answered:
		o.conclude(answer)
	case <-ctx.Done():
		t.trace.Add(string(r.id), trace.Cloud, "no answer in time", "")
		o.result = o.result.decided(protocol.Unknown)
	}
}

// seal records the request and makes its message.
func (o *operation) seal() (m protocol.Message, r *request, deadline time.Time, refused *Gate, err error) {
	t := o.tenant
	now := wire().UTC()
	asked := protocol.Request{
		TrackingID: o.result.TrackingID, Tenant: t.id, Operation: o.way.operation,
		CloudAnchor: o.user.CloudAnchor(), SourceAnchor: o.user.SourceAnchor, UPN: o.user.UPN,
		Domain: o.user.Domain, Actor: o.ask.Actor,
		Unlock:     o.way.operation != protocol.Change,
		MustChange: o.way.mustChange, IssuedAt: now,
	}
	r, key, to, refused := t.enter(&asked, o.user.ID)
	if refused != nil {
		return m, nil, deadline, refused, nil
	}
	m, err = protocol.SealRequest(key, asked, o.secrets(), to)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.settle(r, protocol.ChangedNo) // it will never be sent
		return m, nil, deadline, nil, err
	}
	r.hash = m.Hash()
	t.trace.Add(string(r.id), trace.Cloud, "sealed", "for "+asked.DC)
	return m, r, asked.Deadline, nil, nil
}

// enter completes the request from one state of the tenant, records it, and returns what to seal it with. Sealing takes
// a while, so it is done without the tenant's lock.
func (t *Tenant) enter(asked *protocol.Request, user string) (r *request, key protocol.PackageKey, to []protocol.PublicKey, refused *Gate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if asked.DC, refused = t.route(asked.Domain); refused != nil {
		return nil, key, nil, refused
	}
	asked.Deadline, asked.ReplySession = asked.IssuedAt.Add(t.settings.deadline()), t.front.session
	asked.Supersedes = t.ledger.unknownOf(user, asked.IssuedAt)
	r = &request{
		id: asked.TrackingID, user: user, entered: asked.IssuedAt, supersedes: asked.Supersedes,
		answered: make(chan protocol.Answer, 1),
	}
	t.ledger.enter(r)
	return r, t.keys[0].PackageKey, t.recipients(), nil
}

func (o *operation) conclude(answer protocol.Answer) {
	o.result = o.result.decided(answer.Outcome)
	o.result.Violation, o.result.Notes = answer.Violation, answer.Notes
	o.result.DC, o.result.Detail, o.result.AgentID = answer.DC, answer.Detail, answer.AgentID
	if answer.Outcome != protocol.Success || !o.way.operation.SetsPassword() {
		return
	}
	if o.user.Model == Federated {
		o.result.MustChange = o.way.mustChange && !slices.Contains(answer.Notes, protocol.MustChangeDropped)
		return
	}
	if !o.setCopy() {
		o.tenant.log.Warn("the directory took a password and the cloud's copy was not set", "trackingId", o.result.TrackingID)
		o.result = o.result.decided(protocol.CloudWriteFailed)
	}
}

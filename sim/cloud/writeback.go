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

// seal makes the message and records the request, all of it at one state of the tenant.
func (o *operation) seal() (m protocol.Message, r *request, deadline time.Time, refused *Gate, err error) {
	t := o.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	dc, refused := t.route(o.user.Domain)
	if refused != nil {
		return m, nil, deadline, refused, nil
	}
	now := wire().UTC()
	deadline = now.Add(t.settings.deadline())
	id := o.result.TrackingID
	r = &request{id: id, user: o.user.ID, supersedes: t.unknownOf(o.user.ID, now), answered: make(chan protocol.Answer, 1)}
	m, err = protocol.SealRequest(t.keys[0].PackageKey, protocol.Request{
		TrackingID: id, Tenant: t.id, Operation: o.way.operation,
		CloudAnchor: o.user.CloudAnchor(), SourceAnchor: o.user.SourceAnchor, UPN: o.user.UPN,
		Domain: o.user.Domain, DC: dc, Actor: o.ask.Actor,
		Unlock:     o.way.operation != protocol.Change,
		MustChange: o.way.mustChange, Supersedes: r.supersedes,
		IssuedAt: now, Deadline: deadline, ReplySession: t.front.session,
	}, o.secrets(), t.recipients())
	if err != nil {
		return m, nil, deadline, nil, err
	}
	r.hash = m.Hash()
	t.enter(r, now)
	t.trace.Add(string(id), trace.Cloud, "sealed", "for "+dc)
	return m, r, deadline, nil, nil
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

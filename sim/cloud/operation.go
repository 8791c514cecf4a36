package cloud

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"passback/sim/trace"
	"passback/writeback/protocol"
)

// An Ask is one person's or administrator's wish. The passwords are held for as long as the call lasts.
type Ask struct {
	ID    protocol.TrackingID // default: a new one
	Way   Way
	User  string          // object id or UPN
	Actor string          // UPN of the administrator, where the way is one; default: the user
	Old   protocol.Secret // of a change
	New   protocol.Secret // of all but an unlock
}

// Perform does it, whatever becomes of ctx, and returns what is to be told: within the request's deadline.
func (t *Tenant) Perform(ctx context.Context, ask Ask) Result {
	w, known := ways[ask.Way]
	if !known {
		return Result{Way: ask.Way, User: ask.User}.refusedBy(&Gate{Name: "UnknownWay", Outcome: protocol.InvalidRequest,
			User: "There is no such way in.", Admin: "There is no such way in."})
	}
	id := ask.ID
	if id == "" {
		var err error
		if id, err = protocol.NewTrackingID(); err != nil {
			return Result{Way: ask.Way, User: ask.User}.decided(protocol.InternalError)
		}
	}
	o := &operation{tenant: t, way: w, ask: ask, result: Result{Way: ask.Way, User: ask.User, TrackingID: id}}
	t.trace.Add(string(id), trace.Cloud, "asked", string(ask.Way)+" for "+ask.User)
	o.run(context.WithoutCancel(ctx))
	t.trace.Add(string(id), trace.Cloud, "told", string(o.result.Outcome)+" "+o.result.SSPR)
	t.log.Info("operation ended", "trackingId", id, "way", ask.Way, "user", o.result.User, "outcome", o.result.Outcome)
	return o.result
}

// operation is one Ask on its way.
type operation struct {
	tenant *Tenant
	way    way
	ask    Ask
	user   User // as it was when the gates opened
	result Result
}

func (o *operation) run(ctx context.Context) {
	refused := o.begin()
	if refused != nil {
		o.refuse(refused)
		return
	}
	defer o.end()
	o.perform(ctx)
	o.audit()
}

// begin asks the gates, the cloud's own password check, and for the user to be free.
func (o *operation) begin() *Gate {
	t := o.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.find(o.ask.User)
	if a != nil {
		o.user, o.result.User = a.shown(), a.UPN
	}
	if o.ask.Actor == "" {
		o.ask.Actor = o.result.User
	}
	if g := t.actorGate(o.way, o.ask.Actor, a); g != nil {
		return g
	}
	if g := t.gate(o.way, a); g != nil {
		return g
	}
	if o.secrets().Validate(o.way.operation) != nil {
		return &gateBadPassword
	}
	if o.way.operation.SetsPassword() && banned(o.ask.New, t.settings.BannedWords) {
		return &gateBanned
	}
	if t.onItsWay[a.ID] != "" {
		return &gateBusy
	}
	for _, name := range o.user.names() {
		t.onItsWay[name] = o.result.TrackingID
	}
	return nil
}

// CheckPassword is the cloud's own password check alone. A nil gate is open.
func (t *Tenant) CheckPassword(password protocol.Secret) *Gate {
	t.mu.Lock()
	defer t.mu.Unlock()
	if banned(password, t.settings.BannedWords) {
		return &gateBanned
	}
	return nil
}

func (o *operation) end() {
	t := o.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range o.user.names() {
		delete(t.onItsWay, name)
	}
}

// OnItsWay is the operation that is under way for the user of this DN, or <GUID=...>, of a directory; empty: none.
func (t *Tenant) OnItsWay(target string) protocol.TrackingID {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.onItsWay[strings.ToLower(target)]
}

// secrets are those that the operation needs: others, which a form may carry along, go nowhere.
func (o *operation) secrets() protocol.Secrets {
	var s protocol.Secrets
	if o.way.needsOld {
		s.Old = o.ask.Old
	}
	if o.way.operation.SetsPassword() {
		s.New = o.ask.New
	}
	return s
}

// perform goes on-premises first, and to the cloud's copy second.
func (o *operation) perform(ctx context.Context) {
	if refused, ok := o.currentPassword(ctx); !ok {
		if refused != nil {
			o.result = o.result.refusedBy(refused)
		}
		return
	}
	switch {
	case o.user.Model == CloudOnly:
		o.setCopy()
		o.result = o.result.decided(protocol.Success)
	case !o.way.writtenBack:
		o.divergeCopy()
	default:
		o.writeBack()
	}
}

// currentPassword checks it in the cloud where nothing later does, and where a sign-in has to come first. Where it
// is not right it has decided the result, or returns the gate that does.
func (o *operation) currentPassword(ctx context.Context) (*Gate, bool) {
	forced := o.way.name == ForcedChange
	if !o.way.needsOld || !forced && o.way.writtenBack && o.user.Model != CloudOnly {
		return nil, true
	}
	outcome := protocol.InternalError
	switch s := o.tenant.SignIn(ctx, o.user.UPN, o.ask.Old); s.Status {
	case SignedIn:
		return &gateNotRequired, !forced
	case SignInChange:
		return nil, true
	case SignInWrong:
		outcome = protocol.IncorrectPassword
	case SignInDisabled, SignInBarred:
		outcome = protocol.AccountDisabled
	case SignInLocked:
		outcome = protocol.AccountLockedOut
	case SignInUnreachable:
		outcome = protocol.DirectoryUnavailable
	}
	o.result = o.result.decided(outcome)
	return nil, false
}

// divergeCopy is what the documentation warns of: the cloud's copy changes and the directory's does not.
func (o *operation) divergeCopy() {
	o.result = o.result.decided(protocol.Success)
	o.result.Warning = o.way.warning
	if o.user.Model == Federated {
		o.result.Warning += warnNoCopy
		o.result.Changed = protocol.ChangedNo
		return
	}
	o.setCopy()
}

// setCopy writes the cloud's copy, and reports whether it could. What an administrator sets is temporary.
func (o *operation) setCopy() bool {
	fresh := newCopy(o.ask.New)
	t := o.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.accounts[o.user.ID]
	if a == nil || t.failWrites > 0 || !cloudTakes(o.ask.New) {
		t.failWrites = max(t.failWrites-1, 0)
		return false
	}
	temporary := o.way.mustChange && !slices.Contains(o.result.Notes, protocol.MustChangeDropped)
	a.copy, a.mustChange, o.result.MustChange = fresh, temporary, temporary
	if a.copyAt = (time.Time{}); o.way.writtenBack {
		a.copyAt = t.clock.Now()
		a.fromAD.mustChange, a.fromAD.expires = false, fileTime("0") // until the next synchronisation tells anew
	}
	t.trace.Add(string(o.result.TrackingID), trace.Cloud, "cloud copy set", "")
	return true
}

// cloudTakes is the cloud's own rule for characters, which a directory does not share: no Unicode beyond ASCII.
func cloudTakes(password protocol.Secret) bool {
	return !strings.ContainsFunc(password.Reveal(), func(r rune) bool { return r > unicode.MaxASCII || r < ' ' })
}

func (o *operation) refuse(g *Gate) {
	o.result = o.result.refusedBy(g)
	t := o.tenant
	t.trace.Add(string(o.result.TrackingID), trace.Cloud, "refused by a gate", g.Name)
	t.mu.Lock()
	defer t.mu.Unlock()
	activity := o.way.activity
	if o.way.selfService && g.SSPR != "" {
		activity = ActivityBlocked
	}
	t.record(AuditEntry{Activity: activity, Reason: g.Name, Actor: o.ask.Actor, Target: o.result.User, TrackingID: o.result.TrackingID})
}

func (o *operation) audit() {
	t := o.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	entry := AuditEntry{
		Activity: o.way.activity, Success: o.result.Succeeded(), Reason: o.result.Reason, TrackingID: o.result.TrackingID,
		Actor: o.ask.Actor, Target: o.result.User, Agent: t.agentName(o.result.AgentID),
	}
	if o.result.Sent && o.way.name == PortalReset {
		t.record(progress(entry, "User submitted a new password"))
	}
	t.record(entry)
	if entry.Success && o.way.name == PortalReset {
		t.record(progress(entry, "User successfully reset password"))
	}
}

func progress(entry AuditEntry, reason string) AuditEntry {
	entry.Activity, entry.Reason, entry.Success = ActivityProgress, reason, true
	return entry
}

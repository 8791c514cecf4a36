package scenarios

import (
	"time"

	"passback/writeback/protocol"
)

const sourceFeedback = "Entra: concept-sspr-writeback, zero-delay feedback; writeback/protocol: outcomes"

// shortDeadline leaves an agent five seconds in which it may still send a password: none is sent later than the
// deadline less the LDAP timeout (10 s) less 5 s.
const shortDeadline = 20 * time.Second

// The answer comes in the same call, and it is true.
var feedbackScenarios = []Scenario{
	{ID: "PB-FEEDBACK-001", Title: "success is told in the same call, with the tracking id that the directory holds", Area: AreaFeedback, Source: sourceFeedback,
		Run: func(t *T) { writtenBack(PortalReset)(t, Person{}) }},
	{ID: "PB-FEEDBACK-002", Title: "a wrong current password is told, and is never turned into a reset", Area: AreaFeedback, Source: sourceFeedback,
		Run: wrongCurrent},
	{ID: "PB-FEEDBACK-003", Title: "a person who left the directory is not found", Area: AreaFeedback, Source: sourceFeedback,
		Run: leftTheDirectory},
	{ID: "PB-FEEDBACK-004", Title: "two enabled people of one source anchor are refused, both untouched", Area: AreaFeedback, Source: sourceFeedback,
		Run: twoOfOneAnchor},
	{ID: "PB-FEEDBACK-005", Title: "an agent without rights is told as such", Area: AreaFeedback, Source: sourceFeedback, Requires: []Capability{AgentRights},
		Run: withoutRights},
	{ID: "PB-FEEDBACK-006", Title: "a protected account is refused to an administrator", Area: AreaFeedback, Source: "Entra: concept-sspr-writeback, protected groups; CVE-2017-8613",
		Run: protectedAccount},
	{ID: "PB-FEEDBACK-007", Title: "a disabled account is refused, by reset and by change", Area: AreaFeedback, Source: sourceFeedback,
		Run: disabledAccount},
	{ID: "PB-FEEDBACK-008", Title: "a change of a locked account is refused, even with the right password", Area: AreaFeedback, Source: sourceFeedback,
		Run: lockedAccount},
	{ID: "PB-FEEDBACK-009", Title: "a change by a person who cannot change the password is refused", Area: AreaFeedback, Source: sourceFeedback,
		Run: cannotChange},
	{ID: "PB-FEEDBACK-010", Title: "with the directory down a reset is refused in time, and works when it is back", Area: AreaFeedback, Source: sourceFeedback, Requires: []Capability{StopDirectory}, Slow: true,
		Run: directoryDown},
	{ID: "PB-FEEDBACK-011", Title: "without an agent a reset is refused at once", Area: AreaFeedback, Source: sourceFeedback,
		Setup: Setup{NoAgent: true}, Run: withoutAgent},
	{ID: "PB-FEEDBACK-012", Title: "a request that no agent took in time is told as unknown, and is never applied", Area: AreaFeedback, Source: sourceFeedback, Requires: []Capability{RelayTraps}, Slow: true,
		Setup: Setup{Deadline: shortDeadline}, Run: timedOut},
	{ID: "PB-FEEDBACK-013", Title: "a second operation of one person is refused while the first is under way", Area: AreaFeedback, Source: sourceFeedback, Requires: []Capability{RelayTraps},
		Run: oneAtATime},
	{ID: "PB-FEEDBACK-014", Title: "a password that the directory took and the cloud's copy did not is told as a success that takes a little time", Area: AreaFeedback, Source: "Entra: troubleshoot-sspr, OnPremisesSuccessCloudFailure",
		Run: copyFails},
	{ID: "PB-FEEDBACK-015", Title: "a password on the banned list is refused in the cloud, and nothing is sent", Area: AreaFeedback, Source: "Entra: concept-password-ban-bad, evaluated before writeback", Requires: []Capability{RawRelay},
		Run: bannedPassword},
	{ID: "PB-FEEDBACK-016", Title: "an agent without the right to the marker is told as such, and writes no password that it could not mark", Area: AreaFeedback, Source: sourceOnce, Requires: []Capability{AgentRights},
		Run: withoutMarker},
	{ID: "PB-FEEDBACK-017", Title: "a reset by an agent without Unexpire Password is written, and must be changed", Area: AreaFeedback, Source: "MS-SAMR 3.1.1.8.7; Entra: tutorial-enable-sspr-writeback, Unexpire Password", Requires: []Capability{UnexpireRight},
		Run: withoutUnexpire},
	{ID: "PB-FEEDBACK-018", Title: "an account that inherits no rights is refused, by reset and by change", Area: AreaFeedback, Source: "Entra: troubleshoot-sspr-writeback, inheritance disabled", Requires: []Capability{AgentRights},
		Run: inheritanceBlocked},
	{ID: "PB-FEEDBACK-019", Title: "an administrator of the directory, whom AdminSDHolder protects, is refused, and by the own reset too", Area: AreaFeedback, Source: "MS-ADTS 3.1.1.6.1; Entra: concept-sspr-writeback, protected groups", Requires: []Capability{AdvanceClock, AgentRights},
		Run: administratorsProtected},
}

func wrongCurrent(t *T) {
	u := t.Seed(Person{})
	before, wrong, password := t.Mark(u, u.Password), t.Password(), t.Password()
	a := t.Change(u, wrong, password)
	t.Refused(a, protocol.IncorrectPassword)
	before.Unchanged(password, wrong)
	t.Marked(u, a)
}

func leftTheDirectory(t *T) {
	u := t.Seed(Person{})
	t.Alter(u, Alteration{Delete: true})
	t.Refused(t.Reset(u, t.Password()), protocol.UserNotFound)
	t.AccountIs(u, "nobody", func(a Account) bool { return !a.Exists })
}

func twoOfOneAnchor(t *T) {
	u, twin := t.Seed(Person{}), t.Seed(Person{})
	t.Alter(twin, Alteration{TwinOf: &u})
	before, beforeTwin, password := t.Mark(u, u.Password), t.Mark(twin, twin.Password), t.Password()
	t.Refused(t.Reset(u, password), protocol.MultipleMatches)
	before.Unchanged(password)
	beforeTwin.Unchanged(password)
	t.Alter(twin, Alteration{Disable: true})
	t.Succeeded(t.Reset(u, password))
	before.Changed(password)
}

func withoutRights(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	t.Must(t.Target.RevokeAgentRights(t.ctx))
	t.Refused(t.Reset(u, password), protocol.AccessDenied)
	before.Unchanged(password)
}

func withoutMarker(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	t.Must(t.Target.RevokeAgentRights(t.ctx, WriteMarker))
	t.Refused(t.Reset(u, password), protocol.AccessDenied)
	t.Refused(t.Change(u, u.Password, password), protocol.AccessDenied)
	before.Unchanged(password)
	t.AccountIs(u, "no marker", func(a Account) bool { return len(a.Markers) == 0 })
}

// withoutUnexpire: the person's own change sets the age of the password right again.
func withoutUnexpire(t *T) {
	u := t.Seed(Person{})
	t.Must(t.Target.RevokeAgentRights(t.ctx, Unexpire))
	before, temporary, own := t.Mark(u, u.Password), t.Password(), t.Password()
	a := t.Reset(u, temporary)
	t.Succeeded(a)
	t.Marked(u, a)
	t.AccountIs(u, "a password that must change", func(a Account) bool { return a.MustChange })
	before.Changed(temporary)
	t.Must(t.Target.Synchronise(t.ctx))
	t.Succeeded(t.Ask(Ask{Way: ForcedChange, User: u, Old: temporary, New: own}))
	before.ChangedTimes(2, own)
	t.AccountIs(u, "a password that need not change", func(a Account) bool { return !a.MustChange })
}

func inheritanceBlocked(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	t.Alter(u, Alteration{BlockInheritance: true})
	t.Refused(t.Reset(u, password), protocol.AccessDenied)
	t.Refused(t.Change(u, u.Password, password), protocol.AccessDenied)
	before.Unchanged(password)
}

// administratorsProtected: after the pass the rights that the agents were given do not reach the account.
func administratorsProtected(t *T) {
	u := t.Seed(Person{})
	t.Alter(u, Alteration{Administrator: true})
	t.Must(t.Target.Advance(t.ctx, time.Hour+time.Minute))
	before, password := t.Mark(u, u.Password), t.Password()
	t.Refused(t.Reset(u, password), protocol.AccessDenied)
	t.Refused(t.Ask(Ask{Way: AdminPortalReset, User: u, New: password}), protocol.ProtectedAccount)
	before.Unchanged(password)
}

func protectedAccount(t *T) {
	u := t.Seed(Person{Protected: true})
	before, password := t.Mark(u, u.Password), t.Password()
	t.Refused(t.Ask(Ask{Way: AdminPortalReset, User: u, New: password}), protocol.ProtectedAccount)
	before.Unchanged(password)
}

func disabledAccount(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password).account, t.Password()
	t.Alter(u, Alteration{Disable: true})
	t.Refused(t.Reset(u, password), protocol.AccountDisabled)
	t.Refused(t.Change(u, u.Password, password), protocol.AccountDisabled)
	t.BindRefused(u, u.Password, BindDisabled)
	t.BindRefused(u, password, BindWrongPassword)
	t.AccountIs(u, "no password write", func(a Account) bool { return a.Writes == before.Writes })
}

func lockedAccount(t *T) {
	t.Policy(lockingPolicy)
	u := t.Seed(Person{Locked: true})
	before, password := t.Account(u), t.Password()
	t.Refused(t.Change(u, u.Password, password), protocol.AccountLockedOut)
	t.AccountIs(u, "still locked, no password write", func(a Account) bool { return a.Locked && a.Writes == before.Writes })
	t.Succeeded(t.Ask(Ask{Way: UnlockOnly, User: u}))
	t.Binds(u, u.Password)
}

func cannotChange(t *T) {
	u := t.Seed(Person{CannotChange: true})
	before, changed, reset := t.Mark(u, u.Password), t.Password(), t.Password()
	t.Refused(t.Change(u, u.Password, changed), protocol.CannotChange)
	before.Unchanged(changed)
	t.Succeeded(t.Reset(u, reset))
	before.Changed(reset)
}

// directoryDown: what is told may be that nothing was sent, or, once a beat has told the cloud, that writeback is
// down; in either case nothing changed.
func directoryDown(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	start := must(t.Target.StopDirectory(t.ctx))(t)
	a := t.Reset(u, password)
	t.Must(start())
	if a.Outcome != protocol.DirectoryUnavailable && a.Outcome != protocol.WritebackUnavailable {
		t.Fatalf("the answer is %q, want %q or %q", a.Outcome, protocol.DirectoryUnavailable, protocol.WritebackUnavailable)
	}
	t.outcome(a, a.Outcome)
	before.Unchanged(password)
	t.eventually("a reset works again", func() bool { return t.Reset(u, password).Outcome == protocol.Success })
	before.Changed(password)
}

func withoutAgent(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	a := t.Reset(u, password)
	t.Refused(a, protocol.WritebackUnavailable)
	t.refusedAtTheGate(a, codeConnectivity)
	before.Unchanged(password)
}

func timedOut(t *T) {
	u := t.Seed(Person{})
	before, late, next := t.Mark(u, u.Password), t.Password(), t.Password()
	trap := t.Trap(AtDelivery)
	asking := t.Begin(Ask{Way: PortalReset, User: u, New: late})
	t.Caught(trap, AtDelivery)
	t.outcome(asking.Answer(), protocol.Unknown)
	trap.Release(GoOn)
	t.Succeeded(t.Reset(u, next))
	before.Changed(next)
	t.BindRefused(u, late, BindWrongPassword)
}

func oneAtATime(t *T) {
	u := t.Seed(Person{})
	before, first, second := t.Mark(u, u.Password), t.Password(), t.Password()
	trap := t.Trap(AtDelivery)
	asking := t.Begin(Ask{Way: PortalReset, User: u, New: first})
	t.Caught(trap, AtDelivery)
	a := t.Reset(u, second)
	if a.Outcome == protocol.Success || a.Changed != protocol.ChangedNo {
		t.Fatalf("the second is told %q, changed %q; want a refusal that changed nothing", a.Outcome, a.Changed)
	}
	trap.Release(GoOn)
	t.Succeeded(asking.Answer())
	before.Changed(first)
	t.BindRefused(u, second, BindWrongPassword)
}

// copyFails: the directory's password is the new one whatever the cloud keeps; a synchronisation sets that right.
func copyFails(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	t.SignsIn(u, u.Password)
	t.Must(t.Target.FailNextCopy(t.ctx))
	a := t.Reset(u, password)
	t.outcome(a, protocol.CloudWriteFailed)
	before.Changed(password)
	t.Must(t.Target.Synchronise(t.ctx))
	t.SignsIn(u, password)
}

func bannedPassword(t *T) {
	u := t.Seed(Person{})
	before, banned := t.Mark(u, u.Password), t.Secret("P@ssw0rd")
	sent := t.requests()
	t.Refused(t.Reset(u, banned), protocol.PolicyViolation)
	t.Refused(t.Change(u, u.Password, banned), protocol.PolicyViolation)
	if now := t.requests(); now != sent {
		t.Fatalf("%d requests were sent", now-sent)
	}
	before.Unchanged(banned)
	t.Succeeded(t.Reset(u, t.Password()))
	if now := t.requests(); now != sent+1 {
		t.Fatalf("%d requests were seen for a reset that was sent, want 1", now-sent)
	}
}

// requests counts what the relay has stored of requests.
func (t *T) requests() int {
	n := 0
	for _, m := range must(t.Target.Traffic(t.ctx))(t) {
		if m.Queue == protocol.QueueRequests {
			n++
		}
	}
	return n
}

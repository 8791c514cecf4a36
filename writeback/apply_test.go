package writeback

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"passback/clock"
	"passback/fakead"
	"passback/writeback/directory"
	"passback/writeback/protocol"
)

func TestOperations(t *testing.T) {
	b := newBench(t)
	a := b.agent()
	policy := b.dc.Policy()
	policy.LockoutThreshold, policy.LockoutDuration, policy.LockoutWindow = 3, 30*time.Minute, 30*time.Minute
	b.dc.SetPolicy(policy)
	for i, tt := range []struct {
		what string
		user fakead.User
		op   protocol.Operation
		edit func(*protocol.Request)
		want func(fakead.UserState) bool
	}{
		{"reset", fakead.User{}, protocol.Reset, nil, func(u fakead.UserState) bool { return u.PasswordIs(newPassword) && !u.MustChange }},
		{"a reset does not unlock by itself", fakead.User{Locked: true}, protocol.Reset, nil, func(u fakead.UserState) bool { return u.PasswordIs(newPassword) && u.Locked }},
		{"reset and unlock", fakead.User{Locked: true}, protocol.Reset, func(r *protocol.Request) { r.Unlock = true }, func(u fakead.UserState) bool { return u.PasswordIs(newPassword) && !u.Locked }},
		{"change", fakead.User{}, protocol.Change, nil, func(u fakead.UserState) bool { return u.PasswordIs(newPassword) }},
		{"a forced change", fakead.User{MustChange: true}, protocol.Change, nil, func(u fakead.UserState) bool { return u.PasswordIs(newPassword) && !u.MustChange }},
		{"an administrator's reset", fakead.User{}, protocol.AdminReset, func(r *protocol.Request) { r.MustChange = true }, func(u fakead.UserState) bool { return u.PasswordIs(newPassword) && u.MustChange }},
		{"unlock", fakead.User{Locked: true}, protocol.Unlock, nil, func(u fakead.UserState) bool { return u.PasswordIs(firstPassword) && !u.Locked }},
	} {
		tt.user.SAM = fmt.Sprint("user", i)
		b.addUser(tt.user)
		job := b.request(tt.user.SAM, tt.op)
		if tt.edit != nil {
			tt.edit(&job.request)
		}
		d := a.apply(t.Context(), job)
		b.want(d, protocol.Success, answerThenComplete)
		if !tt.want(b.state(tt.user.SAM)) {
			t.Errorf("%s: the account is now %+v", tt.what, b.state(tt.user.SAM))
		}
		if got := b.markers(tt.user.SAM); !slices.Equal(got, values(job.request.TrackingID, "")) {
			t.Errorf("%s: markers %q", tt.what, got)
		}
		if d.dc != job.request.DC {
			t.Errorf("%s: decided by %q", tt.what, d.dc)
		}
	}
}

func TestMustChangeIsDroppedForAPasswordThatNeverExpires(t *testing.T) {
	b := newBench(t)
	b.addUser(fakead.User{SAM: "never", NeverExpires: true})
	job := b.request("never", protocol.AdminReset)
	job.request.MustChange = true
	for _, delivery := range []string{"first", "second"} {
		d := b.agent().apply(t.Context(), job)
		b.want(d, protocol.Success, answerThenComplete)
		if !slices.Equal(d.notes, []protocol.Note{protocol.MustChangeDropped}) {
			t.Errorf("%s delivery: notes %q", delivery, d.notes)
		}
	}
	if b.state("never").PasswordSet.IsZero() {
		t.Error("must-change was set")
	}
}

// Each refusal of an account that was found is kept in the directory before it is said: whatever changes afterwards,
// the same request is answered alike and never applied.
func TestRefusalsAreBurnt(t *testing.T) {
	const bad = "-refused-"
	b := newBench(t, fakead.Options{Filters: []fakead.PasswordFilter{func(r fakead.FilterRequest) bool { return !strings.Contains(r.Password, bad) }}})
	policy := b.dc.Policy()
	policy.LockoutThreshold, policy.LockoutDuration, policy.LockoutWindow = 3, 30*time.Minute, 30*time.Minute
	b.dc.SetPolicy(policy)
	a := b.agent()
	now := clock.Real().Now()
	set := func(p string) func(*task) { return func(t *task) { t.secrets.New = protocol.NewSecret(p) } }

	for i, tt := range []struct {
		what      string
		user      fakead.User
		op        protocol.Operation
		edit      func(*task)
		want      protocol.Outcome
		rule      protocol.Rule
		certainty protocol.Certainty
	}{
		{"too short", fakead.User{}, protocol.Reset, set("Aa1!"), protocol.PolicyViolation, protocol.RuleLength, protocol.Certain},
		{"not complex", fakead.User{}, protocol.Change, set("alllowercase"), protocol.PolicyViolation, protocol.RuleComplexity, protocol.Certain},
		{"contains a name", fakead.User{DisplayName: "Ivy Larkspur"}, protocol.Reset, set("My-larkspur-77"), protocol.PolicyViolation, protocol.RuleContainsName, protocol.Certain},
		{"too young, reset", fakead.User{PasswordSet: now}, protocol.Reset, nil, protocol.PolicyViolation, protocol.RuleMinimumAge, protocol.Certain},
		{"too young, change", fakead.User{PasswordSet: now}, protocol.Change, nil, protocol.PolicyViolation, protocol.RuleMinimumAge, protocol.Certain},
		{"in history, reset", fakead.User{OldPasswords: []string{newPassword}}, protocol.Reset, nil, protocol.PolicyViolation, protocol.RuleHistory, protocol.Likely},
		{"the same again", fakead.User{}, protocol.Change, set(firstPassword), protocol.PolicyViolation, protocol.RuleHistory, protocol.Certain},
		{"a filter", fakead.User{}, protocol.Reset, set("Autumn" + bad + "9"), protocol.PolicyViolation, protocol.RuleHistory, protocol.Likely},
		{"wrong old password", fakead.User{}, protocol.Change, func(t *task) { t.secrets.Old = protocol.NewSecret("Not-My-Password-1") }, protocol.IncorrectPassword, "", ""},
		{"locked out", fakead.User{Locked: true}, protocol.Change, nil, protocol.AccountLockedOut, "", ""},
		{"cannot change", fakead.User{CannotChange: true}, protocol.Change, nil, protocol.CannotChange, "", ""},
		{"disabled", fakead.User{Disabled: true}, protocol.Reset, nil, protocol.AccountDisabled, "", ""},
		{"adminCount, by an administrator", fakead.User{Attributes: map[string][]string{"adminCount": {"1"}}}, protocol.AdminReset, nil, protocol.ProtectedAccount, "", ""},
		{"too late", fakead.User{}, protocol.Reset, func(t *task) { t.request.Deadline = clock.Real().Now().Add(lastSend - time.Second) }, protocol.Expired, "", ""},
		{"too late to unlock", fakead.User{Locked: true}, protocol.Unlock, func(t *task) { t.request.Deadline = clock.Real().Now() }, protocol.Expired, "", ""},
		{"does not open", fakead.User{}, protocol.Reset, func(t *task) { t.refusal, t.secrets = protocol.DecryptionFailed, protocol.Secrets{} }, protocol.DecryptionFailed, "", ""},
		{"a change without the old password is no reset", fakead.User{}, protocol.Change, func(t *task) { t.secrets.Old = protocol.Secret{} }, protocol.InvalidRequest, "", ""},
	} {
		t.Run(tt.what, func(t *testing.T) {
			b := &bench{TB: t, dc: b.dc, logs: b.logs}
			tt.user.SAM = fmt.Sprint("user", i)
			b.addUser(tt.user)
			job := b.request(tt.user.SAM, tt.op)
			if tt.edit != nil {
				tt.edit(&job)
			}
			settle := answerThenComplete
			if tt.want == protocol.ProtectedAccount { // AdminSDHolder denies the burn too
				settle = completeThenAnswer
			}
			d := a.apply(t.Context(), job)
			b.want(d, tt.want, settle)
			if tt.rule != "" && (d.violation == nil || d.violation.Rule != tt.rule || d.violation.Certainty != tt.certainty) {
				t.Errorf("violation %+v, want %s, %s", d.violation, tt.rule, tt.certainty)
			}
			if !b.state(tt.user.SAM).PasswordIs(firstPassword) {
				t.Error("the password changed")
			}
			if settle == completeThenAnswer {
				return
			}
			if got, want := b.markers(tt.user.SAM), values(job.request.TrackingID, tt.want); !sameValues(got, want) {
				t.Errorf("markers %q, want %q", got, want)
			}
			_, sent := b.writes(tt.user.SAM)
			again := b.request(tt.user.SAM, tt.op) // as if everything were in order now
			again.request.TrackingID = job.request.TrackingID
			again.delivery.count = 2
			b.want(a.apply(t.Context(), again), tt.want, answerThenComplete)
			if _, now := b.writes(tt.user.SAM); now != sent {
				t.Error("a refused request sent its password again")
			}
		})
	}
}

func sameValues(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

func TestMinimumAgeTellsWhenItEnds(t *testing.T) {
	b := newBench(t)
	set := clock.Real().Now().Add(-time.Hour).Truncate(time.Second)
	b.addUser(fakead.User{SAM: "young", PasswordSet: set})
	d := b.agent().apply(t.Context(), b.request("young", protocol.Reset))
	b.want(d, protocol.PolicyViolation, answerThenComplete)
	ends := set.Add(b.dc.Policy().MinAge)
	if d.violation == nil || d.violation.Until == nil || !d.violation.Until.Equal(ends) {
		t.Fatalf("violation %+v, want one that ends at %s", d.violation, ends)
	}
	if p := d.violation.Policy; p == nil || p.Name != b.dc.Domain() || p.MinimumAgeSeconds != 86400 || p.MinimumLength != 7 || p.History != 24 || !p.Complexity {
		t.Errorf("policy %+v, want that of a new domain", p)
	}
}

func TestNoBurnIsPossible(t *testing.T) {
	b := newBench(t)
	b.addUser(fakead.User{SAM: "alice"})
	b.addUser(fakead.User{SAM: "boss", Groups: []string{"Domain Admins"}})
	for _, tt := range []struct {
		what  string
		agent *agent
		job   func() task
		want  protocol.Outcome
	}{
		{"nobody carries the anchor", b.agent(), func() task {
			job := b.request("alice", protocol.Reset)
			job.request.SourceAnchor = "AAAAAAAAAAAAAAAAAAAAAA=="
			return job
		}, protocol.UserNotFound},
		{"the directory is not reached", b.agent(func(o *directory.Options) { o.Servers = []string{"127.0.0.1:1"} }), func() task { return b.request("alice", protocol.Reset) }, protocol.DirectoryUnavailable},
		{"another domain controller is named", b.agent(), func() task {
			job := b.request("alice", protocol.Reset)
			job.request.DC = "dc9." + b.dc.Domain()
			return job
		}, protocol.DirectoryUnavailable},
		{"another domain is named", b.agent(), func() task {
			job := b.request("alice", protocol.Reset)
			job.request.Domain = "other.example"
			return job
		}, protocol.DirectoryMisconfigured},
		{"the bind is refused", b.agent(func(o *directory.Options) { o.Password = protocol.NewSecret("Wrong-Service-1") }), func() task { return b.request("alice", protocol.Reset) }, protocol.DirectoryMisconfigured},
		{"no right on this user", b.agent(), func() task { return b.request("boss", protocol.Reset) }, protocol.AccessDenied},
	} {
		job := tt.job()
		first := tt.agent.apply(t.Context(), job)
		b.want(first, tt.want, completeThenAnswer)
		job.delivery.count = 2 // what the first one did is not known
		b.want(tt.agent.apply(t.Context(), job), protocol.Unknown, answerThenComplete)
	}
	for _, sam := range []string{"alice", "boss"} {
		if taken, _ := b.writes(sam); taken != 0 || !b.state(sam).PasswordIs(firstPassword) {
			t.Errorf("the password of %s changed", sam)
		}
	}
}

func TestSeveralEnabledAccounts(t *testing.T) {
	b := newBench(t)
	anchor := map[string][]string{"mS-DS-ConsistencyGuid": {"0123456789abcdef"}}
	b.addUser(fakead.User{SAM: "one", Attributes: anchor})
	b.addUser(fakead.User{SAM: "two", Attributes: anchor})
	b.addUser(fakead.User{SAM: "three", Attributes: anchor, Disabled: true})
	job := b.request("one", protocol.Reset)
	job.request.SourceAnchor = "MDEyMzQ1Njc4OWFiY2RlZg=="
	b.want(b.agent().apply(t.Context(), job), protocol.MultipleMatches, answerThenComplete)

	b.must(b.dc.SetAttribute("two", "userAccountControl", "514")) // now one is left
	b.want(b.agent().apply(t.Context(), job), protocol.MultipleMatches, answerThenComplete)
	next := b.request("one", protocol.Reset)
	next.request.SourceAnchor = job.request.SourceAnchor
	b.want(b.agent().apply(t.Context(), next), protocol.Success, answerThenComplete)
	if !b.state("one").PasswordIs(newPassword) || !b.state("two").PasswordIs(firstPassword) {
		t.Error("want the password set on the enabled account and on no other")
	}
}

func TestTheSameAnchorInAnotherDomain(t *testing.T) {
	b := newBench(t)
	other := newBench(t, fakead.Options{Domain: "lab.example"})
	anchor := map[string][]string{"mS-DS-ConsistencyGuid": {"0123456789abcdef"}}
	b.addUser(fakead.User{SAM: "one", Attributes: anchor})
	other.addUser(fakead.User{SAM: "one", Attributes: anchor})
	a, away := b.agent(), other.agent()
	_, err := away.domains[0].WriteTo(t.Context())
	b.must(err)
	a.domains = append(a.domains, away.domains...)
	job := b.request("one", protocol.Reset)
	job.request.SourceAnchor = "MDEyMzQ1Njc4OWFiY2RlZg=="
	b.want(a.apply(t.Context(), job), protocol.MultipleMatches, answerThenComplete)
	if n := len(other.markers("one")); n != 0 {
		t.Errorf("%d markers in a domain that the request does not name", n)
	}
	b.must(other.dc.SetAttribute("one", "userAccountControl", "514"))
	next := b.request("one", protocol.Reset)
	next.request.SourceAnchor = job.request.SourceAnchor
	b.want(a.apply(t.Context(), next), protocol.Success, answerThenComplete)
}

func TestNoResetSkipsThePolicy(t *testing.T) {
	b := newBench(t)
	b.addUser(fakead.User{SAM: "alice"})
	a := b.agent()
	b.dc.SetPolicyHints(false)
	d := a.apply(t.Context(), b.request("alice", protocol.Reset))
	b.want(d, protocol.DirectoryMisconfigured, answerThenComplete)
	if !strings.Contains(d.engine, "doesn't contain the LDAP password policy control") {
		t.Errorf("event 6329 says %q", d.engine)
	}
	if _, all := b.writes("alice"); all != 0 {
		t.Error("a password was sent to a controller without policy hints")
	}
	b.want(a.apply(t.Context(), b.request("alice", protocol.Change)), protocol.Success, answerThenComplete) // always judged in full
}

func TestTwoAgentsOnOneRequest(t *testing.T) {
	b := newBench(t)
	for round := range 5 {
		sam := fmt.Sprint("user", round)
		b.addUser(fakead.User{SAM: sam})
		job := b.request(sam, protocol.Reset)
		var all sync.WaitGroup
		for i := range 3 {
			a := b.agent()
			job := job
			job.delivery.count = i + 1
			all.Go(func() { b.want(a.apply(context.Background(), job), protocol.Success, answerThenComplete) })
		}
		all.Wait()
		if taken, _ := b.writes(sam); taken != 1 {
			t.Errorf("the password was written %d times", taken)
		}
	}
}

func TestTheRequestIsTooOldToBeRemembered(t *testing.T) {
	b := newBench(t)
	b.addUser(fakead.User{SAM: "alice"})
	job := b.request("alice", protocol.Reset)
	job.request.TrackingID = b.idOf(clock.Real().Now().Add(-2 * time.Hour))
	b.want(b.agent().apply(t.Context(), job), protocol.Unknown, answerThenComplete)
	if _, all := b.writes("alice"); all != 0 {
		t.Error("a replay of an old request sent a password")
	}
}

// The policy in effect is the account's own: its rules refuse, and its name and numbers are answered.
func TestAFineGrainedPolicyIsNamed(t *testing.T) {
	b := newBench(t)
	rights := serviceRights
	rights.ReadPolicies = true
	b.must(b.dc.Delegate(service, rights))
	b.addUser(fakead.User{SAM: "wren", PasswordSet: clock.Real().Now().Add(-2 * time.Hour)})
	b.addUser(fakead.User{SAM: "rook"})
	b.must(b.dc.AddGroup(fakead.Group{SAM: "Clerks", Members: []string{"wren"}}))
	b.must(b.dc.AddPSO(fakead.PSO{Name: "clerks", Precedence: 1, AppliesTo: []string{"Clerks"}, Policy: fakead.Policy{MinLength: 20, History: 3, MinAge: time.Hour}}))
	a := b.agent()

	d := a.apply(t.Context(), b.request("wren", protocol.Reset))
	b.want(d, protocol.PolicyViolation, answerThenComplete)
	want := protocol.Policy{Name: "clerks", MinimumLength: 20, History: 3, MinimumAgeSeconds: 3600}
	if v := d.violation; v == nil || v.Rule != protocol.RuleLength || v.Certainty != protocol.Certain || v.Policy == nil || *v.Policy != want {
		t.Errorf("violation %+v, want length of %+v", d.violation, want)
	}
	b.want(a.apply(t.Context(), b.request("rook", protocol.Reset)), protocol.Success, answerThenComplete)
	simple := b.request("wren", protocol.Reset)
	simple.secrets.New = protocol.NewSecret("twenty and some small letters")
	b.want(a.apply(t.Context(), simple), protocol.Success, answerThenComplete)

	b.must(b.dc.Delegate(service, serviceRights))
	b.must(b.dc.SetPassword("wren", firstPassword, clock.Real().Now().Add(-longAgo)))
	d = a.apply(t.Context(), b.request("wren", protocol.Reset))
	b.want(d, protocol.PolicyViolation, answerThenComplete)
	if v := d.violation; v == nil || v.Rule != protocol.RuleUnknown || v.Certainty != protocol.Uncertain {
		t.Errorf("without a right to read it: %+v, want an unknown rule", d.violation)
	}
}

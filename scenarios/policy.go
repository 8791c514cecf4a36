package scenarios

import (
	"time"

	"passback/writeback/protocol"
)

const (
	sourcePolicy = "MS-SAMR 3.1.1.7.1, 3.1.1.7.2; Entra: password policies are the on-premises domain's"
	sourceHints  = "MS-ADTS 3.1.1.3.4.1.27; Entra: history and minimum age hold for a reset"

	sourceFineGrained = "MS-SAMR 3.1.1.5: a settings object takes the place of the domain's policy as a whole"
)

// Each rule of the directory's policy, refused, and beside it the nearest password that passes.
var policyScenarios = []Scenario{
	{ID: "PB-POLICY-001", Title: "a reset to a password that is one character too short is refused", Area: AreaPolicy, Source: sourcePolicy,
		Run: refusedReset(Person{}, Policy{MinLength: 9, Complexity: true}, "Pb1!abcd", protocol.RuleLength)},
	{ID: "PB-POLICY-002", Title: "a reset to a password of just the minimum length is taken", Area: AreaPolicy, Source: sourcePolicy,
		Run: takenReset(Person{}, Policy{MinLength: 9, Complexity: true}, "Pb1!abcde")},
	{ID: "PB-POLICY-003", Title: "a reset to a password of two categories is refused", Area: AreaPolicy, Source: sourcePolicy,
		Run: refusedReset(Person{}, Policy{MinLength: 7, Complexity: true}, "qzxwvkjhgf7", protocol.RuleComplexity)},
	{ID: "PB-POLICY-004", Title: "a reset to a password of three categories is taken", Area: AreaPolicy, Source: sourcePolicy,
		Run: takenReset(Person{}, Policy{MinLength: 7, Complexity: true}, "qzxWvkjhgf7")},
	{ID: "PB-POLICY-005", Title: "a reset to a password of two categories is taken where complexity is off", Area: AreaPolicy, Source: sourcePolicy,
		Run: takenReset(Person{}, Policy{MinLength: 7}, "qzxwvkjhgf7")},
	{ID: "PB-POLICY-006", Title: "a reset to a password that contains the account's name is refused", Area: AreaPolicy, Source: sourcePolicy, Requires: []Capability{NameCheck},
		Run: refusedReset(Person{SAM: "pbmarlowe"}, DefaultPolicy, "Xy7!PBMarlowe", protocol.RuleContainsName)},
	{ID: "PB-POLICY-007", Title: "a reset to a password that contains a part of the display name is refused", Area: AreaPolicy, Source: sourcePolicy, Requires: []Capability{NameCheck},
		Run: refusedReset(Person{DisplayName: "Ilse Quandtner"}, DefaultPolicy, "Xy7!quandtner", protocol.RuleContainsName)},
	{ID: "PB-POLICY-008", Title: "a reset to a password that contains a part of the display name of two letters is taken", Area: AreaPolicy, Source: sourcePolicy,
		Run: takenReset(Person{DisplayName: "Bo Quandtner"}, DefaultPolicy, "Xy7!BoZwetschge")},
	{ID: "PB-POLICY-009", Title: "a change to a password in the history is refused", Area: AreaPolicy, Source: sourcePolicy,
		Run: historyOnChange},
	{ID: "PB-POLICY-010", Title: "a reset to the current password is refused", Area: AreaPolicy, Source: sourceHints,
		Run: historyOnReset},
	{ID: "PB-POLICY-011", Title: "a password that has left the history is taken by change and by reset", Area: AreaPolicy, Source: sourcePolicy,
		Run: pastHistory},
	{ID: "PB-POLICY-012", Title: "a change within the minimum age is refused, and the answer tells when it ends", Area: AreaPolicy, Source: sourcePolicy,
		Run: withinMinimumAge(AccessPanelChange)},
	{ID: "PB-POLICY-013", Title: "a reset within the minimum age is refused, and the answer tells when it ends", Area: AreaPolicy, Source: sourceHints,
		Run: withinMinimumAge(PortalReset)},
	{ID: "PB-POLICY-014", Title: "a change and a reset after the minimum age are taken", Area: AreaPolicy, Source: sourcePolicy, Requires: []Capability{AdvanceClock},
		Run: pastMinimumAge},
	{ID: "PB-POLICY-015", Title: "a forced change within the minimum age is taken, because the password must change", Area: AreaPolicy, Source: "MS-SAMR 3.1.1.7.1: pwdLastSet 0 is older than any age",
		Run: forcedWithinMinimumAge},
	{ID: "PB-POLICY-016", Title: "a password that a filter refuses is refused, on reset and on change", Area: AreaPolicy, Source: "Entra: third-party password filters hold for writeback", Requires: []Capability{PasswordFilters},
		Run: refusedByFilter},
	{ID: "PB-POLICY-017", Title: "a reset is refused where the directory does not offer policy hints, a change is taken", Area: AreaPolicy, Source: "Entra: event 6329, the server doesn't contain the LDAP password policy control", Requires: []Capability{HintsSwitch},
		Run: withoutHints},
	{ID: "PB-POLICY-018", Title: "a change to a password that is too short, or not complex, is refused", Area: AreaPolicy, Source: sourcePolicy,
		Run: refusedChange},
	{ID: "PB-POLICY-019", Title: "where a fine-grained policy asks for more than the domain's, it refuses, a reset and a change", Area: AreaPolicy, Source: sourceFineGrained,
		Run: fineGrainedRefuses},
	{ID: "PB-POLICY-020", Title: "where a fine-grained policy asks for less than the domain's, it takes what the domain's would refuse", Area: AreaPolicy, Source: sourceFineGrained,
		Run: fineGrainedTakes},
}

func refusedReset(p Person, policy Policy, password string, rule protocol.Rule) func(*T) {
	return func(t *T) {
		u := t.Seed(p)
		t.Policy(policy)
		before, refused := t.Mark(u, u.Password), t.Secret(password)
		a := t.Reset(u, refused)
		t.Violated(a, rule)
		before.Unchanged(refused)
		t.Marked(u, a)
	}
}

func takenReset(p Person, policy Policy, password string) func(*T) {
	return func(t *T) {
		u := t.Seed(p)
		t.Policy(policy)
		before, taken := t.Mark(u, u.Password), t.Secret(password)
		a := t.Reset(u, taken)
		t.Succeeded(a)
		before.Changed(taken)
		t.Marked(u, a)
	}
}

func refusedChange(t *T) {
	u := t.Seed(Person{})
	t.Policy(Policy{MinLength: 9, Complexity: true})
	before := t.Mark(u, u.Password)
	short, plain := t.Secret("Pb1!abcd"), t.Secret("qzxwvkjhgf7")
	t.Violated(t.Change(u, u.Password, short), protocol.RuleLength)
	t.Violated(t.Change(u, u.Password, plain), protocol.RuleComplexity)
	before.Unchanged(short, plain)
}

func historyOnChange(t *T) {
	u := t.Seed(Person{})
	second, third := t.Password(), t.Password()
	t.Succeeded(t.Change(u, u.Password, second))
	t.Succeeded(t.Change(u, second, third))
	before := t.Mark(u, third)
	a := t.Change(u, third, u.Password)
	t.Violated(a, protocol.RuleHistory)
	before.Unchanged(u.Password)
	t.Marked(u, a)
}

func historyOnReset(t *T) {
	u := t.Seed(Person{})
	second := t.Password()
	t.Succeeded(t.Reset(u, second))
	before := t.Mark(u, second)
	for _, used := range []protocol.Secret{second, u.Password} {
		t.Violated(t.Reset(u, used), protocol.RuleHistory)
		before.Unchanged()
	}
}

// pastHistory: with a history of 2, the current password and one before it are refused, and the one before that is not.
func pastHistory(t *T) {
	u := t.Seed(Person{})
	t.Policy(Policy{MinLength: 7, Complexity: true, History: 2})
	second, third := t.Password(), t.Password()
	t.Succeeded(t.Change(u, u.Password, second))
	t.Succeeded(t.Change(u, second, third))
	before := t.Mark(u, third)
	t.Succeeded(t.Change(u, third, u.Password))
	t.Succeeded(t.Reset(u, second))
	before.ChangedTimes(2, second)
}

func withinMinimumAge(way Way) func(*T) {
	return func(t *T) {
		u := t.Seed(Person{})
		first, second := t.Password(), t.Password()
		t.Succeeded(t.Change(u, u.Password, first))
		t.Policy(Policy{MinLength: 7, Complexity: true, History: 24, MinAge: 24 * time.Hour})
		before := t.Mark(u, first)
		a := t.Ask(Ask{Way: way, User: u, Old: first, New: second})
		t.Violated(a, protocol.RuleMinimumAge)
		before.Unchanged(second)
		if v := a.Violation; v.Rule == protocol.RuleMinimumAge {
			ends := t.Account(u).PasswordSet.Add(24 * time.Hour)
			if v.Until == nil || !near(*v.Until, ends) {
				t.Fatalf("the minimum age is told to end at %v, want %s", v.Until, ends)
			}
		}
	}
}

func pastMinimumAge(t *T) {
	u := t.Seed(Person{})
	first, second := t.Password(), t.Password()
	t.Policy(Policy{MinLength: 7, Complexity: true, History: 24, MinAge: 24 * time.Hour})
	before := t.Mark(u, u.Password)
	t.Must(t.Target.Advance(t.ctx, 25*time.Hour))
	t.Succeeded(t.Change(u, u.Password, first))
	t.Must(t.Target.Advance(t.ctx, 25*time.Hour))
	t.Succeeded(t.Reset(u, second))
	before.ChangedTimes(2, second)
}

func forcedWithinMinimumAge(t *T) {
	u := t.Seed(Person{MustChange: true})
	t.Policy(Policy{MinLength: 7, Complexity: true, History: 24, MinAge: 24 * time.Hour})
	writes, password := t.Account(u).Writes, t.Password()
	t.Succeeded(t.Ask(Ask{Way: ForcedChange, User: u, Old: u.Password, New: password}))
	t.Binds(u, password)
	t.AccountIs(u, "one more password write", func(a Account) bool { return a.Writes == writes+1 && !a.MustChange })
}

func refusedByFilter(t *T) {
	u := t.Seed(Person{})
	before, refused, taken := t.Mark(u, u.Password), t.Password(), t.Password()
	t.Must(t.Target.RefusePassword(t.ctx, refused))
	t.Violated(t.Reset(u, refused), protocol.RuleFilter)
	t.Violated(t.Change(u, u.Password, refused), protocol.RuleFilter)
	before.Unchanged(refused)
	t.Succeeded(t.Reset(u, taken))
	before.Changed(taken)
}

func withoutHints(t *T) {
	u := t.Seed(Person{})
	before, refused, taken := t.Mark(u, u.Password), t.Password(), t.Password()
	t.Must(t.Target.OfferPolicyHints(t.ctx, false))
	t.Refused(t.Reset(u, refused), protocol.DirectoryMisconfigured)
	t.Refused(t.Ask(Ask{Way: GraphReset, User: u, New: refused}), protocol.DirectoryMisconfigured)
	before.Unchanged(refused)
	t.Succeeded(t.Change(u, u.Password, taken))
	before.Changed(taken)
}

func fineGrainedRefuses(t *T) {
	u := t.Seed(Person{})
	t.Policy(Policy{MinLength: 7})
	t.FineGrained(u, Policy{MinLength: 16, Complexity: true})
	before := t.Mark(u, u.Password)
	short, plain, taken := t.Secret("Pb1!abcdefghijk"), t.Secret("qzxwvkjhgfqzxwv7"), t.Secret("Pb1!abcdefghijkl")
	a := t.Reset(u, short)
	t.Violated(a, protocol.RuleLength)
	t.Marked(u, a)
	t.Violated(t.Change(u, u.Password, plain), protocol.RuleComplexity)
	before.Unchanged(short, plain)
	t.Succeeded(t.Reset(u, taken))
	before.Changed(taken)
}

func fineGrainedTakes(t *T) {
	u, other := t.Seed(Person{}), t.Seed(Person{})
	t.Policy(Policy{MinLength: 12, Complexity: true, MinAge: 24 * time.Hour})
	t.FineGrained(u, Policy{MinLength: 7})
	before, beforeOther, taken := t.Mark(u, u.Password), t.Mark(other, other.Password), t.Secret("qzxwvkj")
	t.Succeeded(t.Reset(u, taken))
	before.Changed(taken)
	a := t.Reset(other, taken)
	t.Refused(a, protocol.PolicyViolation)
	beforeOther.Unchanged(taken)
}

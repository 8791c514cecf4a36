package scenarios

import (
	"fmt"
	"time"

	"passback/writeback/protocol"
)

const sourceWays = "Entra: concept-sspr-writeback, supported and unsupported operations"

// What each way into the cloud does; each row is a scenario for a hash-synchronised person and for a federated one.
var wayRows = []struct {
	title    string
	person   Person
	run      func(*T, Person)
	requires []Capability
}{
	{title: "a forgotten password is reset and written back", run: writtenBack(PortalReset)},
	{title: "a password that is known is changed and written back", run: writtenBack(AccessPanelChange)},
	{title: "a password that must change is changed at sign-in and written back", person: Person{MustChange: true}, run: forcedChange},
	{title: "an administrator's reset in the Entra portal is written back, and must be changed", run: temporary(AdminPortalReset), requires: []Capability{HintedMustChange}},
	{title: "an administrator's reset through Graph is written back, and must be changed", run: temporary(GraphReset), requires: []Capability{HintedMustChange}},
	{title: "an administrator's reset in the Microsoft 365 admin center is not written back, and says so", run: cloudOnly(M365Reset)},
	{title: "a person's change by Graph changePassword is not written back, and says so", run: cloudOnly(GraphChange)},
	{title: "an unlock without reset unlocks, and leaves the password alone", person: Person{Locked: true}, run: unlocked},
	{title: "a reset of a locked account unlocks it", person: Person{Locked: true}, run: resetUnlocks},
	{title: "a password that expired is changed at sign-in and written back", run: expired, requires: []Capability{AdvanceClock}},
}

// waysScenarios numbers the rows from 1 for the hash-synchronised and from 101 for the federated, so that a row can be
// added without another's id moving.
func waysScenarios() []Scenario {
	all := []Scenario{{ID: "PB-WAYS-201", Title: "must-change is dropped, and the answer says so, where the password never expires",
		Area: AreaWays, Source: "Entra: concept-sspr-writeback, note on 'Password never expires'", Run: mustChangeDropped}}
	for _, kind := range []struct {
		name      string
		federated bool
		first     int
	}{{"hash-synchronised", false, 1}, {"federated", true, 101}} {
		for i, row := range wayRows {
			person := row.person
			person.Federated = kind.federated
			all = append(all, Scenario{
				ID: fmt.Sprintf("PB-WAYS-%03d", kind.first+i), Title: kind.name + ": " + row.title, Area: AreaWays, Source: sourceWays,
				Requires: row.requires, Run: func(t *T) { row.run(t, person) },
			})
		}
	}
	return all
}

func writtenBack(way Way) func(*T, Person) {
	return func(t *T, p Person) {
		u := t.Seed(p)
		before, password := t.Mark(u, u.Password), t.Password()
		a := t.Ask(Ask{Way: way, User: u, Old: u.Password, New: password})
		t.Succeeded(a)
		before.Changed(password)
		t.Marked(u, a)
		t.SignsIn(u, password)
		t.AccountIs(u, "a password that need not change", func(a Account) bool { return !a.MustChange })
	}
}

func forcedChange(t *T, p Person) {
	u := t.Seed(p)
	before, password := t.Account(u), t.Password()
	t.BindRefused(u, u.Password, BindMustChange)
	a := t.Ask(Ask{Way: ForcedChange, User: u, Old: u.Password, New: password})
	t.Succeeded(a)
	t.Binds(u, password)
	t.SignsIn(u, password)
	t.AccountIs(u, "one more password write, none due", func(a Account) bool { return a.Writes == before.Writes+1 && !a.MustChange })
}

// temporary: the directory wants the password changed at the next sign-in, which a forced change then does.
func temporary(way Way) func(*T, Person) {
	return func(t *T, p Person) {
		u := t.Seed(p)
		before, password, own := t.Mark(u, u.Password), t.Password(), t.Password()
		t.Succeeded(t.Ask(Ask{Way: way, User: u, New: password}))
		t.AccountIs(u, "a password that must change", func(a Account) bool { return a.MustChange })
		before.Changed(password)
		t.Succeeded(t.Ask(Ask{Way: ForcedChange, User: u, Old: password, New: own}))
		before.ChangedTimes(2, own)
		t.SignsIn(u, own)
	}
}

func expired(t *T, p Person) {
	t.Policy(Policy{MinLength: 7, Complexity: true, History: 24, MaxAge: 30 * 24 * time.Hour})
	u := t.Seed(p)
	before, password := t.Mark(u, u.Password), t.Password()
	t.Must(t.Target.Advance(t.ctx, 31*24*time.Hour))
	t.BindRefused(u, u.Password, BindExpired)
	t.Succeeded(t.Ask(Ask{Way: ForcedChange, User: u, Old: u.Password, New: password}))
	before.Changed(password)
	t.SignsIn(u, password)
}

// cloudOnly: a hash-synchronised person has two passwords afterwards; for a federated one, who has no copy in
// the cloud, nothing changes.
func cloudOnly(way Way) func(*T, Person) {
	return func(t *T, p Person) {
		u := t.Seed(p)
		before, password := t.Mark(u, u.Password), t.Password()
		a := t.Ask(Ask{Way: way, User: u, Old: u.Password, New: password})
		before.Unchanged(password)
		if !a.NotWrittenBack {
			t.Fatalf("the answer %q does not say that the directory kept its password", a.Outcome)
		}
		if u.Federated {
			if a.Changed != protocol.ChangedNo {
				t.Fatalf("changed %q was told; a federated person has no copy in the cloud that could have changed", a.Changed)
			}
			t.SignsIn(u, u.Password)
			return
		}
		t.SignsIn(u, password)
		t.SignInRefused(u, u.Password)
	}
}

var lockingPolicy = Policy{MinLength: 7, Complexity: true, History: 24, LockoutThreshold: 3}

func unlocked(t *T, p Person) {
	t.Policy(lockingPolicy)
	u := t.Seed(p)
	before := t.Account(u)
	t.BindRefused(u, u.Password, BindLocked)
	a := t.Ask(Ask{Way: UnlockOnly, User: u})
	t.Succeeded(a)
	t.Marked(u, a)
	t.Binds(u, u.Password)
	t.AccountIs(u, "unlocked, the password untouched", func(a Account) bool {
		return !a.Locked && a.Writes == before.Writes && a.PasswordSet.Equal(before.PasswordSet)
	})
}

func resetUnlocks(t *T, p Person) {
	t.Policy(lockingPolicy)
	u := t.Seed(p)
	before, password := t.Account(u), t.Password()
	t.BindRefused(u, u.Password, BindLocked)
	t.Succeeded(t.Reset(u, password))
	t.Binds(u, password)
	t.SignsIn(u, password)
	t.AccountIs(u, "unlocked, one more password write", func(a Account) bool { return !a.Locked && a.Writes == before.Writes+1 })
}

func mustChangeDropped(t *T) {
	u := t.Seed(Person{NeverExpires: true})
	before, password := t.Mark(u, u.Password), t.Password()
	a := t.Ask(Ask{Way: AdminPortalReset, User: u, New: password})
	t.Succeeded(a)
	if len(a.Notes) != 1 || a.Notes[0] != protocol.MustChangeDropped {
		t.Fatalf("the answer's notes are %v, want %s", a.Notes, protocol.MustChangeDropped)
	}
	before.Changed(password)
	t.AccountIs(u, "a password that need not change", func(a Account) bool { return !a.MustChange })
}

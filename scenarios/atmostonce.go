package scenarios

import (
	"slices"
	"time"

	"passback/writeback/protocol"
)

const sourceOnce = "writeback/protocol: marker; ARCHITECTURE.md, The directory keeps the decision"

// shortLock is the shortest lock that Service Bus knows: a killed agent's request comes back after it.
const shortLock = 5 * time.Second

var redelivery = Setup{Lock: shortLock}

// Cut at each point of a request's path, and delivered again: one request, one change at most, and a true answer.
var atMostOnceScenarios = []Scenario{
	once("PB-ONCE-001", "killed with the request in hand, before the directory heard of it: applied once, by the next delivery",
		killedAt(AtDelivery, Lose), RelayTraps),
	once("PB-ONCE-002", "killed with the modify on its way, and it is lost: applied once, by the next delivery",
		killedAt(BeforeModify, Lose), DirectoryTraps),
	once("PB-ONCE-003", "killed with the modify on its way, and it lands after the next delivery was applied: refused by its marker, applied once",
		landsLate, DirectoryTraps),
	once("PB-ONCE-004", "killed after the directory applied the modify: the next delivery finds the marker, applied once",
		killedAt(AfterModify, Lose), DirectoryTraps),
	once("PB-ONCE-005", "the result of the modify is lost: the agent reads the marker and answers success",
		resultLost, DirectoryTraps),
	once("PB-ONCE-006", "killed after the answer was sent and before it was stored: answered again, applied once",
		killedAt(AtAnswer, Lose), RelayTraps),
	once("PB-ONCE-007", "killed after answering and before settling: the redelivery changes nothing",
		killedAt(AtSettlement, Lose), RelayTraps),
	once("PB-ONCE-008", "killed after a refusal was burnt: refused again, though the password would now be accepted",
		refusalKilled, DirectoryTraps),
	once("PB-ONCE-009", "a change, killed after the directory applied it: success, and no wrong password is counted",
		changeKilled, DirectoryTraps),
	once("PB-ONCE-010", "an unlock, killed after the directory applied it: success, and a later lock is not undone",
		unlockKilled, DirectoryTraps),
	{ID: "PB-ONCE-011", Title: "a modify that hangs is burnt before the refusal is told: it lands late and changes nothing", Area: AreaAtMostOnce, Source: sourceOnce,
		Requires: []Capability{DirectoryTraps}, Slow: true, Run: hangsThenLands},
	once("PB-ONCE-012", "two agents, many requests: each is decided once",
		twoAgents),
	{ID: "PB-ONCE-013", Title: "a second request supersedes an unknown one, whose modify then lands late and changes nothing", Area: AreaAtMostOnce, Source: sourceOnce,
		Requires: []Capability{DirectoryTraps}, Slow: true, Setup: Setup{Deadline: shortDeadline, Lock: shortLock}, Run: superseded},
	once("PB-ONCE-014", "stopped with a request in hand, the agent decides and answers it before it goes",
		drains, DirectoryTraps),
	once("PB-ONCE-015", "the lock lapses while a modify hangs: the next delivery is applied, and what hung lands late and changes nothing",
		lockLapses, DirectoryTraps),
}

func once(id, title string, run func(*T), requires ...Capability) Scenario {
	return Scenario{ID: id, Title: title, Area: AreaAtMostOnce, Source: sourceOnce, Requires: requires, Slow: true, Setup: redelivery, Run: run}
}

// killedAt: a reset is held at p, the agent is killed, what was held meets its fate, and the agent is started again.
func killedAt(p Point, fate Fate) func(*T) {
	return func(t *T) {
		u := t.Seed(Person{})
		before, password := t.Mark(u, u.Password), t.Password()
		trap := t.Trap(p)
		asking := t.Begin(Ask{Way: PortalReset, User: u, New: password})
		t.Caught(trap, p)
		killed := t.KillAll()
		trap.Release(fate)
		t.Restart(killed)
		a := asking.Answer()
		t.Succeeded(a)
		before.Changed(password)
		t.Marked(u, a)
		t.settledWithout(before, password)
	}
}

// settledWithout waits, where it can be seen, until every delivery is done, and checks that none wrote again.
func (t *T) settledWithout(m Mark, current protocol.Secret) {
	if t.Target.Lacks(RawRelay) != "" {
		return
	}
	t.Must(t.Target.Settled(t.ctx, protocol.QueueRequests))
	m.Changed(current)
}

func landsLate(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	trap := t.Trap(BeforeModify)
	asking := t.Begin(Ask{Way: PortalReset, User: u, New: password})
	t.Caught(trap, BeforeModify)
	t.Restart(t.KillAll())
	a := asking.Answer()
	t.Succeeded(a)
	before.Changed(password)
	trap.Release(GoOn)
	t.Succeeded(t.Reset(u, t.Password())) // later than the late one: the directory has answered both
	t.AccountIs(u, "two password writes since", func(now Account) bool { return now.Writes == before.account.Writes+2 })
	t.Marked(u, a)
}

// lockLapses: nobody was killed, so the same agent has the request twice.
func lockLapses(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	trap := t.Trap(BeforeModify)
	asking := t.Begin(Ask{Way: PortalReset, User: u, New: password})
	t.Caught(trap, BeforeModify)
	a := asking.Answer()
	t.Succeeded(a)
	trap.Release(GoOn)
	t.Succeeded(t.Ask(Ask{Way: UnlockOnly, User: u})) // later than the late one
	before.Changed(password)
	t.Marked(u, a)
}

func resultLost(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	trap := t.Trap(AfterModify)
	asking := t.Begin(Ask{Way: PortalReset, User: u, New: password})
	t.Caught(trap, AfterModify)
	trap.Release(Lose)
	a := asking.Answer()
	t.Succeeded(a)
	before.Changed(password)
	t.Marked(u, a)
}

func refusalKilled(t *T) {
	u := t.Seed(Person{})
	t.Policy(Policy{MinLength: 12, Complexity: true})
	before, refused := t.Mark(u, u.Password), t.Secret("Pb1!abcdefg")
	trap := t.Trap(AfterModify) // of the burn: the modify with the password was not applied
	asking := t.Begin(Ask{Way: PortalReset, User: u, New: refused})
	t.Caught(trap, AfterModify)
	killed := t.KillAll()
	trap.Release(Lose)
	t.Policy(Policy{MinLength: 7, Complexity: true})
	t.Restart(killed)
	a := asking.Answer()
	t.Refused(a, protocol.PolicyViolation)
	before.Unchanged(refused)
	t.Marked(u, a)
}

func changeKilled(t *T) {
	t.Policy(lockingPolicy) // so that wrong passwords are counted
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	trap := t.Trap(AfterModify)
	asking := t.Begin(Ask{Way: AccessPanelChange, User: u, Old: u.Password, New: password})
	t.Caught(trap, AfterModify)
	killed := t.KillAll()
	trap.Release(Lose)
	t.Restart(killed)
	t.Succeeded(asking.Answer())
	t.AccountIs(u, "no wrong password counted", func(a Account) bool { return a.BadCount == 0 && !a.Locked })
	before.Changed(password)
}

func unlockKilled(t *T) {
	t.Policy(lockingPolicy)
	u := t.Seed(Person{Locked: true})
	trap := t.Trap(AfterModify)
	asking := t.Begin(Ask{Way: UnlockOnly, User: u})
	t.Caught(trap, AfterModify)
	killed := t.KillAll()
	trap.Release(Lose)
	t.lock(u)
	t.Restart(killed)
	t.Succeeded(asking.Answer())
	t.AccountIs(u, "still locked: the unlock was earlier than the lock", func(a Account) bool { return a.Locked })
}

// lock locks a person by wrong passwords.
func (t *T) lock(u User) {
	for range lockingPolicy.LockoutThreshold {
		must(t.Target.Bind(t.ctx, u, t.Password()))(t)
	}
	t.AccountIs(u, "locked", func(a Account) bool { return a.Locked })
}

// hangsThenLands: the agent's LDAP timeout passes; what it tells must be true whatever lands later.
func hangsThenLands(t *T) {
	u := t.Seed(Person{})
	before, password, next := t.Mark(u, u.Password), t.Password(), t.Password()
	trap := t.Trap(BeforeModify)
	asking := t.Begin(Ask{Way: PortalReset, User: u, New: password})
	t.Caught(trap, BeforeModify)
	a := asking.Answer()
	if a.Changed != protocol.ChangedNo {
		t.Fatalf("the answer is %q, changed %q; want a refusal, since the modify was never applied and can be burnt", a.Outcome, a.Changed)
	}
	trap.Release(GoOn)
	before.Unchanged(password)
	t.Marked(u, a)
	t.Succeeded(t.Reset(u, next))
	before.Changed(next)
	t.BindRefused(u, password, BindWrongPassword)
}

func twoAgents(t *T) {
	t.StartAgent()
	const people = 12
	var marks []Mark
	var passwords []protocol.Secret
	var askings []*Asking
	for range people {
		u := t.Seed(Person{})
		marks, passwords = append(marks, t.Mark(u, u.Password)), append(passwords, t.Password())
	}
	for i, m := range marks {
		askings = append(askings, t.Begin(Ask{Way: PortalReset, User: m.user, New: passwords[i]}))
	}
	for i, asking := range askings {
		a := asking.Answer()
		t.Succeeded(a)
		t.Marked(marks[i].user, a)
	}
	for i, m := range marks {
		m.Changed(passwords[i])
	}
}

func superseded(t *T) {
	u := t.Seed(Person{})
	before, first, second := t.Mark(u, u.Password), t.Password(), t.Password()
	trap := t.Trap(BeforeModify)
	asking := t.Begin(Ask{Way: PortalReset, User: u, New: first})
	t.Caught(trap, BeforeModify)
	killed := t.KillAll()
	unknown := asking.Answer()
	t.outcome(unknown, protocol.Unknown)
	t.Restart(killed)
	a := t.Reset(u, second)
	t.Succeeded(a)
	before.Changed(second)
	trap.Release(GoOn)
	t.Succeeded(t.Ask(Ask{Way: UnlockOnly, User: u})) // later than the late one
	before.Changed(second)
	t.BindRefused(u, first, BindWrongPassword)
	twin := protocol.Marker{ID: unknown.TrackingID, Refused: protocol.Superseded}
	t.AccountIs(u, "the marker "+twin.String(), func(a Account) bool { return slices.Contains(a.Markers, twin) })
}

func drains(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	trap := t.Trap(BeforeModify)
	asking := t.Begin(Ask{Way: PortalReset, User: u, New: password})
	t.Caught(trap, BeforeModify)
	stopped := make(chan error, 1)
	agent := t.Target.Running()[0]
	go func() { stopped <- t.Target.Stop(t.ctx, agent) }()
	trap.Release(GoOn)
	t.Succeeded(asking.Answer())
	t.Must(<-stopped)
	before.Changed(password)
}

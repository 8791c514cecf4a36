package scenarios

import (
	"time"

	"passback/writeback/protocol"
)

const (
	sourceControllers = "ARCHITECTURE.md, The directory keeps the decision; docs/operations.md, Domain controllers"
	sourceForwarding  = "MS-SAMS 3.2.4.2 and 3.3.5.2; MS-APDS 3.1.5: the PDC emulator knows a new password first, and is asked"
)

// Hosts of the controllers.
const (
	dc1    = "dc1"
	dc2    = "dc2"
	rodc   = "rodc1"
	latest = "2025"
)

var (
	twoControllers = Setup{Controllers: []Controller{{Host: dc1}, {Host: dc2}}}
	readOnlyFirst  = Setup{Controllers: []Controller{{Host: rodc, ReadOnly: true}, {Host: dc1}}}
)

// A domain of several controllers, one of which is down, behind, read-only, or no longer what it was.
var controllerScenarios = []Scenario{
	{ID: "PB-DC-001", Title: "with the PDC emulator down a person is refused, and nothing changed, until the agents name another controller, and then written there", Area: AreaControllers, Source: sourceControllers,
		Requires: []Capability{Controllers}, Setup: twoControllers, Run: pdcDown},
	{ID: "PB-DC-002", Title: "the PDC emulator dies with the modify on its way: unknown is told, a second request is written elsewhere, and its password alone holds", Area: AreaControllers, Source: sourceControllers,
		Requires: []Capability{Controllers, DirectoryTraps, AdvanceClock}, Setup: twoControllers, Run: diesAt(BeforeModify)},
	{ID: "PB-DC-003", Title: "the PDC emulator dies before it tells others of a password that it took: unknown is told, and once it is back the later password alone holds", Area: AreaControllers, Source: sourceControllers,
		Requires: []Capability{Controllers, DirectoryTraps, AdvanceClock}, Setup: twoControllers, Run: diesAt(AfterModify)},
	{ID: "PB-DC-004", Title: "after a reset a controller that has not heard of it takes the new password, because it asks, and by its own knowledge once it has", Area: AreaControllers, Source: sourceForwarding,
		Requires: []Capability{Controllers}, Setup: twoControllers, Run: staleController},
	{ID: "PB-DC-005", Title: "killed after the directory applied the modify, and the PDC emulator has moved since: the next delivery asks the controller that took it, applied once", Area: AreaControllers, Source: sourceControllers,
		Requires: []Capability{Controllers, DirectoryTraps}, Slow: true, Setup: Setup{Lock: shortLock, Controllers: twoControllers.Controllers}, Run: pdcMoved},
	{ID: "PB-DC-006", Title: "a read-only controller is never written, not even while it is the only one", Area: AreaControllers, Source: sourceControllers,
		Requires: []Capability{Controllers}, Setup: readOnlyFirst, Run: readOnlyController},
	{ID: "PB-DC-007", Title: "where binds in clear are refused, as Windows Server 2025 does, resets and changes are written over TLS", Area: AreaControllers, Source: "Windows Server 2025: LDAP server signing is required by default; MS-ADTS 5.1.1.1.1",
		Requires: []Capability{Release2025}, Setup: Setup{Release: latest}, Run: clearRefused},
}

func pdcDown(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password).account, t.Password()
	start := t.StopController(dc1)
	t.retried(u, password)
	t.heldAt(dc2, u, password, before.Writes+1)
	t.Must(start())
	t.heldAt(dc1, u, password, before.Writes+1)
}

// retried resets until it succeeds. Until a beat has named another controller what is told is that nothing changed.
func (t *T) retried(u User, password protocol.Secret) {
	t.eventually("a reset is written at another controller", func() bool {
		a := t.Reset(u, password)
		if a.Outcome != protocol.Success && a.Changed != protocol.ChangedNo {
			t.Fatalf("the answer is %q, changed %q; want success, or a refusal that changed nothing", a.Outcome, a.Changed)
		}
		return a.Outcome == protocol.Success
	})
}

// diesAt: what the dead controller may have taken stays unknown. A second request is a later write, whatever the dead
// one holds when it is back.
func diesAt(p Point) func(*T) {
	return func(t *T) {
		u := t.Seed(Person{})
		before, first, second := t.Mark(u, u.Password).account, t.Password(), t.Password()
		release := t.HoldReplication()
		trap := t.Trap(p)
		asking := t.Begin(Ask{Way: PortalReset, User: u, New: first})
		t.Caught(trap, p)
		t.Must(t.Target.Advance(t.ctx, 2*time.Second)) // replication tells writes apart by seconds
		start := t.StopController(dc1)
		trap.Release(Lose)
		t.outcome(asking.Answer(), protocol.Unknown)
		t.retried(u, second)
		t.heldAt(dc2, u, second, before.Writes+1)
		t.Must(start())
		t.Must(release())
		for _, host := range []string{dc1, dc2} {
			t.heldAt(host, u, second, before.Writes+1)
			t.bindRefusedAt(host, u, first)
		}
	}
}

func staleController(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password).account, t.Password()
	release := t.HoldReplication()
	t.Succeeded(t.Reset(u, password))
	t.heldAt(dc1, u, password, before.Writes+1)
	t.heldAt(dc2, u, password, before.Writes)
	t.Must(release())
	t.heldAt(dc2, u, password, before.Writes+1)
	start := t.StopController(dc1) // whom it can no longer ask
	t.heldAt(dc2, u, password, before.Writes+1)
	t.bindRefusedAt(dc2, u, t.Password())
	t.Must(start())
}

func pdcMoved(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	release := t.HoldReplication()
	trap := t.Trap(AfterModify)
	asking := t.Begin(Ask{Way: PortalReset, User: u, New: password})
	t.Caught(trap, AfterModify)
	killed := t.KillAll()
	trap.Release(Lose)
	t.Must(t.Target.MovePDC(t.ctx, dc2))
	t.Restart(killed)
	a := asking.Answer()
	t.Succeeded(a)
	t.Marked(u, a)
	if sent := t.sentTo(dc2); sent != 0 {
		t.Fatalf("%d modifies were sent to %s, which the request does not name", sent, dc2)
	}
	t.Must(release())
	before.Changed(password)
	t.heldAt(dc2, u, password, before.account.Writes+1)
	t.settledWithout(before, password)
}

func readOnlyController(t *T) {
	u := t.Seed(Person{})
	before, first, second := t.Mark(u, u.Password), t.Password(), t.Password()
	t.Succeeded(t.Reset(u, first))
	before.Changed(first)
	start := t.StopController(dc1)
	a := t.Reset(u, second)
	if a.Outcome == protocol.Success || a.Changed != protocol.ChangedNo {
		t.Fatalf("the answer is %q, changed %q; want a refusal that changed nothing", a.Outcome, a.Changed)
	}
	t.Must(start())
	before.Changed(first)
	t.retried(u, second)
	before.ChangedTimes(2, second)
	if sent := t.sentTo(rodc); sent != 0 {
		t.Fatalf("%d modifies were sent to the read-only controller", sent)
	}
	if b := must(t.Target.BindAt(t.ctx, rodc, u, second))(t); !b.Accepted {
		t.Fatalf("%s cannot bind at the read-only controller, which asks a writable one: data %s", u.UPN, b.Data)
	}
}

func clearRefused(t *T) {
	u := t.Seed(Person{})
	before, first, second := t.Mark(u, u.Password), t.Password(), t.Password()
	t.refusedInClear(u, u.Password)
	t.Succeeded(t.Reset(u, first))
	t.Succeeded(t.Change(u, first, second))
	before.ChangedTimes(2, second)
	t.refusedInClear(u, second)
}

func (t *T) refusedInClear(u User, password protocol.Secret) {
	if signing := must(t.Target.BindInClear(t.ctx, u, password))(t); !signing {
		t.Fatalf("a bind in clear was judged by its password; want it refused because signing is required")
	}
}

// StopController takes a controller down.
func (t *T) StopController(host string) (start func() error) {
	start = must(t.Target.StopController(t.ctx, host))(t)
	t.Step("%s is down", host)
	return start
}

// HoldReplication keeps the controllers apart.
func (t *T) HoldReplication() (release func() error) {
	release = must(t.Target.HoldReplication(t.ctx))(t)
	t.Step("replication is held")
	return release
}

// heldAt checks that the password binds at a controller which knows of so many password writes.
func (t *T) heldAt(host string, u User, password protocol.Secret, writes int) {
	if b := must(t.Target.BindAt(t.ctx, host, u, password))(t); !b.Accepted {
		t.Fatalf("%s cannot bind at %s with the password that should be current: data %s", u.UPN, host, b.Data)
	}
	if a := must(t.Target.AccountAt(t.ctx, host, u))(t); a.Writes != writes {
		t.Fatalf("%s knows of %d password writes on %s, want %d", host, a.Writes, u.UPN, writes)
	}
	t.Step("the password binds at %s, which knows of %d write(s)", host, writes)
}

func (t *T) bindRefusedAt(host string, u User, password protocol.Secret) {
	if b := must(t.Target.BindAt(t.ctx, host, u, password))(t); b.Accepted || b.Data != BindWrongPassword {
		t.Fatalf("a bind of %s at %s was answered accepted=%t data %q; want refused with data %q", u.UPN, host, b.Accepted, b.Data, BindWrongPassword)
	}
}

func (t *T) sentTo(host string) int { return must(t.Target.SentTo(t.ctx, host))(t) }

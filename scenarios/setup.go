package scenarios

import (
	"passback/writeback/protocol"
)

const sourceSetup = "Entra: tutorial-enable-sspr-writeback; concept-sspr-howitworks, on-premises integration"

// From nothing to a tenant that writes back, and off again.
var setupScenarios = []Scenario{
	{ID: "PB-SETUP-001", Title: "before writeback is configured a reset is refused and nothing is written", Area: AreaSetup, Source: sourceSetup,
		Setup: Setup{Unconfigured: true}, Run: notConfigured},
	{ID: "PB-SETUP-002", Title: "an agent that enrols with a token, and runs, makes resets work", Area: AreaSetup, Source: sourceSetup,
		Setup: Setup{NoAgent: true}, Run: enrolled},
	{ID: "PB-SETUP-003", Title: "switched off in the tenant, resets are refused; switched on again, they work", Area: AreaSetup, Source: sourceSetup,
		Run: switchedOff},
	{ID: "PB-SETUP-004", Title: "an agent with a wrong token is not enrolled", Area: AreaSetup, Source: "writeback/protocol: enrolment",
		Setup: Setup{NoAgent: true}, Run: wrongToken},
	{ID: "PB-SETUP-005", Title: "a token enrols one agent, not two", Area: AreaSetup, Source: "writeback/protocol: enrolment",
		Setup: Setup{NoAgent: true}, Run: usedToken},
	{ID: "PB-SETUP-006", Title: "an agent that is stopped is missed at once, by its goodbye", Area: AreaSetup, Source: "writeback/protocol: heartbeat",
		Run: goodbye},
}

// SSPR codes of the gates; Entra: troubleshoot-sspr.
const (
	codeWritebackNotEnabled = "SSPR_0010"
	codeConnectivity        = "SSPR_0030"
)

// refusedAtTheGate: refused before anything was sent, whatever the gate calls it.
func (t *T) refusedAtTheGate(a Answer, code string) {
	if a.Outcome == protocol.Success || a.Changed != protocol.ChangedNo || a.Code != code {
		t.Fatalf("the answer is %q, changed %q, code %q; want a refusal that changed nothing, code %q", a.Outcome, a.Changed, a.Code, code)
	}
}

func notConfigured(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	a := t.Reset(u, password)
	if a.Outcome == protocol.Success || a.Changed != protocol.ChangedNo {
		t.Fatalf("the answer is %q, changed %q; want a refusal that changed nothing", a.Outcome, a.Changed)
	}
	before.Unchanged(password)
}

func enrolled(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	t.refusedAtTheGate(t.Reset(u, password), codeConnectivity)
	before.Unchanged(password)
	t.StartAgent()
	t.Succeeded(t.Reset(u, password))
	before.Changed(password)
}

func switchedOff(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	t.Must(t.Target.SwitchWriteback(t.ctx, false))
	t.refusedAtTheGate(t.Reset(u, password), codeWritebackNotEnabled)
	before.Unchanged(password)
	t.Must(t.Target.SwitchWriteback(t.ctx, true))
	t.Succeeded(t.Reset(u, password))
	before.Changed(password)
}

func wrongToken(t *T) {
	if err := t.Target.Enrol(t.ctx, protocol.NewSecret("not-a-token-that-was-drawn")); err == nil {
		t.Fatalf("an agent enrolled with a token that the cloud did not draw")
	}
	t.nobodyAlive()
}

func usedToken(t *T) {
	token := must(t.Target.EnrolmentToken(t.ctx))(t)
	t.Must(t.Target.Enrol(t.ctx, token))
	if err := t.Target.Enrol(t.ctx, token); err == nil {
		t.Fatalf("a second agent enrolled with the token of the first")
	}
	t.nobodyAlive()
}

func (t *T) nobodyAlive() {
	if alive := must(t.Target.Alive(t.ctx))(t); len(alive) > 0 {
		t.Fatalf("the cloud counts %v as alive, and no agent runs", alive)
	}
}

func goodbye(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	for _, a := range t.Target.Running() {
		t.Must(t.Target.Stop(t.ctx, a))
	}
	t.eventually("the cloud misses the agent", func() bool { return len(must(t.Target.Alive(t.ctx))(t)) == 0 })
	t.refusedAtTheGate(t.Reset(u, password), codeConnectivity)
	before.Unchanged(password)
}

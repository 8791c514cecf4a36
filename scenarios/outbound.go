package scenarios

import (
	"slices"
)

const sourceOutbound = "Entra: concept-sspr-writeback, no inbound firewall rules; MS prerequisites: outbound 443"

// The agent, as a process of its own, seen through the kernel's list of its sockets.
var outboundScenarios = []Scenario{
	{ID: "PB-OUTBOUND-001", Title: "from enrolment to goodbye the agent listens on nothing, and its only peers are relay, enrolment and directory", Area: AreaOutbound, Source: sourceOutbound,
		Requires: []Capability{AgentProcess}, Setup: Setup{NoAgent: true}, Run: outboundOnly},
	{ID: "PB-OUTBOUND-002", Title: "while its directory is down, and after, the agent listens on nothing and asks nobody else", Area: AreaOutbound, Source: sourceOutbound,
		Requires: []Capability{AgentProcess, StopDirectory}, Slow: true, Run: outboundWhileDown},
	{ID: "PB-OUTBOUND-003", Title: "an agent that was killed and started again listens on nothing", Area: AreaOutbound, Source: sourceOutbound,
		Requires: []Capability{AgentProcess}, Run: outboundAfterKill},
	{ID: "PB-OUTBOUND-004", Title: "no password is in anything that the agent writes", Area: AreaOutbound, Source: "writeback/protocol: Secret; Entra: concept-sspr-writeback, security",
		Run: nothingWritten},
}

func outboundOnly(t *T) {
	agent := t.StartAgent()
	workload(t)
	t.onlyOutbound(agent)
	t.Must(t.Target.Stop(t.ctx, agent))
	t.onlyOutbound(agent)
}

func outboundWhileDown(t *T) {
	agent := t.Target.Running()[0]
	directoryDown(t)
	t.onlyOutbound(agent)
}

func outboundAfterKill(t *T) {
	agent := t.Target.Running()[0]
	u := t.Seed(Person{})
	t.Restart(t.KillAll())
	t.Succeeded(t.Reset(u, t.Password()))
	t.onlyOutbound(agent)
}

// workload is something of everything: taken, refused, changed, unlocked.
func workload(t *T) {
	u := t.Seed(Person{})
	first, second := t.Password(), t.Password()
	t.Succeeded(t.Reset(u, first))
	t.Succeeded(t.Change(u, first, second))
	t.Step("a refused one: %q", t.Reset(u, t.Secret("Pb1!x")).Outcome)
	t.Succeeded(t.Ask(Ask{Way: UnlockOnly, User: u}))
	if t.Target.Lacks(HintedMustChange) == "" {
		t.Succeeded(t.Ask(Ask{Way: GraphReset, User: u, New: t.Password()}))
	}
}

// onlyOutbound waits until every peer that lasts was seen: before that nobody has looked, and nothing is shown.
func (t *T) onlyOutbound(a Agent) {
	expected := t.Target.Expected()
	lasting := slices.Concat(expected.Relays, expected.Controllers)
	var seen Sockets
	t.eventually("a look at each connection of "+a.ID, func() bool {
		seen = must(t.Target.Sockets(t.ctx, a))(t)
		return !slices.ContainsFunc(lasting, func(peer string) bool { return !slices.Contains(seen.Peers, peer) })
	})
	if len(seen.Listening) > 0 {
		t.Fatalf("%s listened on %v", a.ID, seen.Listening)
	}
	for _, peer := range seen.Peers {
		if peer != expected.Enrolment && !slices.Contains(lasting, peer) {
			t.Fatalf("%s was connected to %s, which is none of %+v", a.ID, peer, expected)
		}
	}
	t.Step("%s listened on nothing, and was connected to %v alone", a.ID, seen.Peers)
}

func nothingWritten(t *T) {
	workload(t)
	written := must(t.Target.Written(t.ctx))(t)
	if len(written) == 0 {
		t.Fatalf("the agent wrote nothing at all: there was nothing to look at")
	}
	for i, s := range t.secrets {
		if form := readable(written, s.Reveal()); form != "" {
			t.Fatalf("the password that was drawn as number %d is in what the agent wrote, as %s", i+1, form)
		}
	}
}

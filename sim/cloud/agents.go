package cloud

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"passback/writeback/protocol"
)

// An agent is one enrolled agent, as the tenant knows it.
type agent struct {
	id, name, version string
	enrolled          time.Time
	mode              protocol.Mode // granted
	reason            string        // why staging
	domains           []string
	keys              []protocol.PublicKey // the current one, and while it rolls over the next
	access            access
	beat              *protocol.Heartbeat // the newest; nil: none yet
}

// AgentState is what the tenant shows of an agent.
type AgentState struct {
	ID       string                 `json:"id"`
	Name     string                 `json:"name"`
	Version  string                 `json:"version"`
	Mode     protocol.Mode          `json:"mode"`
	Reason   string                 `json:"reason,omitempty"` // why it is staging, or takes no requests
	Domains  []string               `json:"domains"`
	Keys     []string               `json:"keys"` // thumbprints
	Enrolled time.Time              `json:"enrolled"`
	LastBeat time.Time              `json:"lastBeat,omitzero"`
	Alive    bool                   `json:"alive"` // active, with a usable directory, and beating
	Serving  []protocol.DomainState `json:"serving,omitempty"`
	Relays   []protocol.RelayState  `json:"relays,omitempty"`
	Health   []protocol.Warning     `json:"health"` // what the agent says is wrong; consequences too, see protocol.Causes
}

// Agents lists the enrolled ones, by name and id.
func (t *Tenant) Agents() []AgentState {
	now := wire()
	t.mu.Lock()
	defer t.mu.Unlock()
	states := make([]AgentState, 0, len(t.agents))
	for _, a := range t.agents {
		states = append(states, a.state(now))
	}
	slices.SortFunc(states, func(a, b AgentState) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	return states
}

func (a *agent) state(now time.Time) AgentState {
	s := AgentState{
		ID: a.id, Name: a.name, Version: a.version, Mode: a.mode, Reason: a.reason, Domains: a.domains, Enrolled: a.enrolled,
	}
	for _, k := range a.keys {
		s.Keys = append(s.Keys, k.Thumbprint())
	}
	if a.beat != nil {
		s.LastBeat, s.Serving, s.Relays, s.Health = a.beat.IssuedAt, a.beat.Domains, a.beat.Relays, a.beat.Health
		s.Alive = a.takes(now) && a.beat.Usable()
		s.Reason = firstOf(a.reason, a.beat.Reason)
	}
	return s
}

// fresh reports whether the agent has beaten within two intervals and not said goodbye.
func (a *agent) fresh(now time.Time) bool {
	return a.beat != nil && !a.beat.Goodbye && now.Sub(a.beat.IssuedAt) <= 2*protocol.HeartbeatInterval
}

// takes reports whether the agent is there and takes requests.
func (a *agent) takes(now time.Time) bool {
	return a.fresh(now) && a.active() && a.beat.Mode == protocol.Active && a.beat.Ready
}

func (a *agent) active() bool { return a.mode == protocol.Active }

// dc names the domain controller that the agent would write to; served is false for a domain that it does not know.
func (a *agent) dc(domain string) (name string, served bool) {
	for _, d := range a.beat.Domains {
		if strings.EqualFold(d.Domain, domain) {
			return d.DC, true
		}
	}
	return "", false
}

// route finds the domain controller for a request of this domain, from the newest beat of an agent that is alive,
// and needs t.mu. The gate says what is missing: an administrator's hand, or a connection.
func (t *Tenant) route(domain string) (dc string, refused *Gate) {
	if t.front == nil {
		return "", &gateUnreachable
	}
	now := wire()
	var newest time.Time
	beats, reachable := false, false
	for _, a := range t.agents {
		if !a.fresh(now) {
			continue
		}
		beats = true
		name, served := a.dc(domain)
		reachable = reachable || served && a.active() && a.beat.Mode == protocol.Active
		if name != "" && a.takes(now) && a.beat.IssuedAt.After(newest) {
			dc, newest = name, a.beat.IssuedAt
		}
	}
	switch {
	case dc != "":
		return dc, nil
	case beats && !reachable:
		return "", &gateAdminAction
	}
	return "", &gateUnreachable
}

// recipients are the keys of all enrolled active agents, alive or not, and needs t.mu. While a key rolls over both
// are recipients as far as there is room: every agent's oldest comes first, since it is on its disk for certain.
func (t *Tenant) recipients() []protocol.PublicKey {
	var first, second []protocol.PublicKey
	for _, a := range t.agents {
		if a.active() {
			first, second = append(first, a.keys[0]), append(second, a.keys[1:]...)
		}
	}
	all := append(first, second...)
	return all[:min(len(all), protocol.MaxRecipients)]
}

// heard judges a heartbeat by what is sealed in it.
func (t *Tenant) heard(m protocol.Message) error {
	now := wire()
	t.mu.Lock()
	defer t.mu.Unlock()
	beat, err := protocol.OpenHeartbeat(t.openKeys(now), t.id, m)
	if err != nil {
		return fmt.Errorf("open a heartbeat: %w", err)
	}
	a := t.agents[beat.AgentID]
	if a == nil {
		return fmt.Errorf("heartbeat of %.60q: no agent of this tenant", beat.AgentID)
	}
	var newest time.Time
	if a.beat != nil {
		newest = a.beat.IssuedAt
	}
	if err := beat.CheckFresh(now, newest); err != nil {
		return err
	}
	a.beat, a.version = &beat, beat.Version
	close(t.beaten)
	t.beaten = make(chan struct{})
	if a.access.former {
		notify(t.rotate)
	}
	if len(a.keys) > 1 && slices.Contains(beat.Keys, a.keys[1].Thumbprint()) {
		a.keys = a.keys[1:] // the new key is in use: nothing more is sealed to the old one
	}
	return nil
}

// AwaitAlive waits until n agents are alive.
func (t *Tenant) AwaitAlive(ctx context.Context, n int) error {
	for {
		alive, now := 0, wire()
		t.mu.Lock()
		for _, a := range t.agents {
			if a.takes(now) && a.beat.Usable() {
				alive++
			}
		}
		beaten := t.beaten
		t.mu.Unlock()
		if alive >= n {
			return nil
		}
		select {
		case <-beaten:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d agents are alive: %w", alive, n, context.Cause(ctx))
		}
	}
}

func (t *Tenant) agentName(id string) string {
	if a := t.agents[id]; a != nil {
		return a.name
	}
	return id
}

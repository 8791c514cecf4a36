package writeback

// status: what a running agent says of itself. Nothing listens, so it says it in a file of state_dir, written anew
// whenever something changed and every fifteen seconds; one that is older than a minute is stale.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"passback/clock"
	"passback/writeback/protocol"
)

const (
	statusFile     = "status.json"
	statusInterval = 15 * time.Second
	statusPause    = time.Second // at least, between two
	statusStale    = time.Minute
)

// States of an agent, as its status tells them.
const (
	StateRunning = "running"
	StateStopped = "stopped"
	StateStale   = "stale" // it neither runs nor has it stopped in good order, or it hangs
)

// A Status is the file.
type Status struct {
	State         string                   `json:"state"`
	Written       time.Time                `json:"written"`
	Started       time.Time                `json:"started"`
	PID           int                      `json:"pid"`
	Version       string                   `json:"version"`
	AgentID       string                   `json:"agent_id"`
	Tenant        string                   `json:"tenant"`
	Mode          protocol.Mode            `json:"mode"`
	TakesRequests bool                     `json:"takes_requests"`
	Reason        string                   `json:"reason,omitempty"` // why it takes none, or why it stopped
	Health        []protocol.Warning       `json:"health"`           // what is wrong; consequences too
	Renewed       time.Time                `json:"renewed,omitzero"` // the enrolment, since the start
	LastHeartbeat time.Time                `json:"last_heartbeat,omitzero"`
	Relays        []RelayStatus            `json:"relays"`
	Directories   []protocol.DomainState   `json:"directories"` // an empty DC: none can be written to, see the detail
	Keys          []KeyStatus              `json:"keys"`
	Clocks        []ClockStatus            `json:"clocks"`
	Requests      map[protocol.Outcome]int `json:"requests,omitempty"` // since the start
	LastSuccess   *Incident                `json:"last_success,omitempty"`
	LastError     *Incident                `json:"last_error,omitempty"`
}

// A RelayStatus is one relay.
type RelayStatus struct {
	Host      string `json:"host"`
	Listening bool   `json:"listening"`
	Error     string `json:"error,omitempty"` // of the last try to connect
}

// A KeyStatus is one of the agent's keys.
type KeyStatus struct {
	Thumbprint string    `json:"thumbprint"`
	Role       string    `json:"role"`    // current, next or old
	Created    time.Time `json:"created"` // domain time
	AgeSeconds int64     `json:"age_seconds"`
}

// A ClockStatus says by how much the agent's clock is ahead of another.
type ClockStatus struct {
	By          string  `json:"by"`
	SkewSeconds float64 `json:"skew_seconds"`
}

// status is the agent as it is now.
func (a *Agent) status() Status {
	a.mu.Lock()
	t, e := a.serving, a.enrolment
	a.mu.Unlock()
	s := Status{
		State: StateRunning, Written: clock.Real().Now().UTC(), Started: a.began, PID: os.Getpid(), Version: version(),
		AgentID: e.AgentID, Tenant: e.Tenant, Mode: e.Mode, Keys: a.keys.status(), Clocks: a.gate.clocks(),
	}
	s.Reason, _ = a.gate.state()
	if t != nil {
		s.Relays, s.Directories, s.Health = t.relayStatus(), t.domainStates(), t.warnings()
	}
	s.TakesRequests = s.Reason == "" && slices.ContainsFunc(s.Relays, func(r RelayStatus) bool { return r.Listening })
	if s.Reason == "" && !s.TakesRequests {
		s.Reason = "no relay is connected"
	}
	a.record.show(&s)
	return s
}

func (t *term) relayStatus() (all []RelayStatus) {
	for _, r := range t.relays {
		all = append(all, RelayStatus{Host: r.Host(), Listening: r.Listening()})
	}
	return all
}

// status lists the keys, the current one first.
func (k *keyring) status() []KeyStatus {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.clock.Now()
	show := func(key agentKey, role string) KeyStatus {
		return KeyStatus{key.Thumbprint(), role, key.created, int64(now.Sub(key.created) / time.Second)}
	}
	all := []KeyStatus{show(k.current, "current")}
	if k.next != nil {
		all = append(all, show(*k.next, "next"))
	}
	if k.old != nil {
		all = append(all, show(*k.old, "old"))
	}
	return all
}

// clocks lists the measurements, by name.
func (g *gate) clocks() (all []ClockStatus) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for by, skew := range g.skews {
		all = append(all, ClockStatus{by, skew.Round(time.Millisecond).Seconds()})
	}
	slices.SortFunc(all, func(a, b ClockStatus) int { return strings.Compare(a.By, b.By) })
	return all
}

// report writes the status until ctx ends.
func (a *Agent) report(ctx context.Context) {
	for ctx.Err() == nil {
		s := a.status()
		a.supervisor.alive(s)
		a.show(s)
		due := clock.Real().AfterFunc(a.supervisor.every(), a.changed)
		if clock.Sleep(ctx, clock.Real(), statusPause) == nil {
			select {
			case <-a.told:
			case <-ctx.Done():
			}
		}
		due.Stop()
	}
}

// changed asks for a status at once.
func (a *Agent) changed() { notify(a.told) }

// stopped writes the last status of a run.
func (a *Agent) stopped(err error) {
	s := a.status()
	s.State, s.TakesRequests, s.Reason = StateStopped, false, "it was told to stop"
	if err != nil {
		s.Reason = limit(err.Error())
	}
	a.show(s)
}

func (a *Agent) show(s Status) {
	text, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = a.state.show(statusFile, append(text, '\n'))
	}
	if err != nil {
		a.log.Error("the status could not be written", "error", err)
	}
}

// ReadStatus reads what the agent of this state_dir said last. State is StateStale where that is too long ago.
func ReadStatus(stateDir string) (Status, error) {
	path := filepath.Join(stateDir, statusFile)
	text, err := readLimited(path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return Status{}, fmt.Errorf("no agent has run with this state_dir: %w", err)
	}
	if err != nil {
		return Status{}, fmt.Errorf("read the status: %w", err)
	}
	var s Status
	if err := json.Unmarshal(text, &s); err != nil {
		return Status{}, fmt.Errorf("%s: %w", path, err)
	}
	if s.State == StateRunning && clock.Real().Now().Sub(s.Written) > statusStale {
		s.State = StateStale
	}
	return s, nil
}

package targets

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"passback/scenarios"
	"passback/sim"
	"passback/writeback"
	"passback/writeback/protocol"
)

// An agent is one within the world, or a process.
type agent struct {
	id      string
	running bool
	world   *sim.Agent // nil: a process
	process *process   // nil: within the world
}

func (a *agent) stateDir() string {
	if a.world != nil {
		return a.world.StateDir()
	}
	return a.process.stateDir
}

func (a *agent) kill() {
	if a.world != nil {
		a.world.Kill()
		return
	}
	a.process.kill()
}

// end is stop or kill, whichever is sooner.
func (a *agent) end() {
	if a.world != nil {
		a.world.Stop()
		return
	}
	a.process.kill()
}

// all lists the agents, running or not.
func (t *target) all() []*agent {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.agents)
}

func (t *target) agent(id string) (*agent, error) {
	for _, a := range t.all() {
		if a.id == id {
			return a, nil
		}
	}
	return nil, fmt.Errorf("no agent %s was started", id)
}

func (t *target) mark(a *agent, running bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a.running = running
}

// StartAgent implements scenarios.Target.
func (t *target) StartAgent(ctx context.Context) (scenarios.Agent, error) {
	a := &agent{id: fmt.Sprintf("agent %d", len(t.all())+1)}
	var err error
	if len(t.opener.file.Agent.Command) == 0 {
		a.world, err = t.world.StartAgent(ctx)
	} else {
		a.process, err = t.startProcess(ctx, a.id)
	}
	if err != nil {
		return scenarios.Agent{}, fmt.Errorf("start an agent: %w", err)
	}
	t.mu.Lock()
	a.running = true
	t.agents = append(t.agents, a)
	t.mu.Unlock()
	return scenarios.Agent{ID: a.id}, t.awaitAlive(ctx)
}

// awaitAlive waits until the cloud counts as many agents as run.
func (t *target) awaitAlive(ctx context.Context) error {
	return t.world.Cloud.AwaitAlive(ctx, len(t.Running()))
}

// Running implements scenarios.Target.
func (t *target) Running() []scenarios.Agent {
	t.mu.Lock()
	defer t.mu.Unlock()
	var running []scenarios.Agent
	for _, a := range t.agents {
		if a.running {
			running = append(running, scenarios.Agent{ID: a.id})
		}
	}
	return running
}

// Kill implements scenarios.Target.
func (t *target) Kill(_ context.Context, which scenarios.Agent) error {
	a, err := t.agent(which.ID)
	if err != nil {
		return err
	}
	a.kill()
	t.mark(a, false)
	return nil
}

// Stop implements scenarios.Target.
func (t *target) Stop(ctx context.Context, which scenarios.Agent) error {
	a, err := t.agent(which.ID)
	if err != nil {
		return err
	}
	t.mark(a, false)
	if a.world != nil {
		a.world.Stop()
		return nil
	}
	return a.process.stop(ctx)
}

// Restart implements scenarios.Target.
func (t *target) Restart(ctx context.Context, which scenarios.Agent) error {
	a, err := t.agent(which.ID)
	if err != nil {
		return err
	}
	if a.world != nil {
		err = a.world.Start(ctx)
	} else {
		err = a.process.run(ctx)
	}
	if err != nil {
		return fmt.Errorf("start %s again: %w", a.id, err)
	}
	t.mark(a, true)
	return t.awaitAlive(ctx)
}

// Enrol implements scenarios.Target.
func (t *target) Enrol(ctx context.Context, token protocol.Secret) error {
	dir, err := os.MkdirTemp(t.dir, "enrol-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	if len(t.opener.file.Agent.Command) > 0 {
		p, err := t.newProcess(dir)
		if err != nil {
			return err
		}
		return p.enrol(ctx, token)
	}
	c, err := writeback.LoadConfig(t.world.AgentConfig())
	if err != nil {
		return fmt.Errorf("configure an agent: %w", err)
	}
	c.StateDir = filepath.Join(dir, "state")
	c.Logger = t.logger()
	return writeback.Enroll(ctx, c, token)
}

// Written implements scenarios.Target: the log, and each file of each state folder.
func (t *target) Written(context.Context) ([]byte, error) {
	written := t.log.bytes()
	for _, a := range t.all() {
		err := filepath.WalkDir(a.stateDir(), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			written = append(written, text...)
			return err //nolint:wrapcheck // *fs.PathError says it all; wrapped below
		})
		if err != nil {
			return nil, fmt.Errorf("read what %s wrote: %w", a.id, err)
		}
	}
	return written, nil
}

// Sockets implements scenarios.Target.
func (t *target) Sockets(_ context.Context, which scenarios.Agent) (scenarios.Sockets, error) {
	a, err := t.agent(which.ID)
	if err != nil {
		return scenarios.Sockets{}, err
	}
	if a.process == nil {
		return scenarios.Sockets{}, t.lack(scenarios.AgentProcess)
	}
	return a.process.watch.seen()
}

// Expected implements scenarios.Target.
func (t *target) Expected() scenarios.Peers {
	var peers scenarios.Peers
	for _, b := range t.between {
		peers.Controllers = append(peers.Controllers, b.address())
	}
	for _, n := range t.world.Relays {
		peers.Relays = append(peers.Relays, numbered(n.HTTPSAddr()))
	}
	if u, err := url.Parse(t.world.EnrolURL()); err == nil {
		peers.Enrolment = numbered(u.Host)
	}
	return peers
}

// numbered names the loopback by its number, as sockets do.
func numbered(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err == nil && (host == "localhost" || host == "::1") {
		return net.JoinHostPort(loopback, port)
	}
	return strings.ToLower(address)
}

package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"passback/sim/trace"
	"passback/writeback"
)

// An Agent is a writeback agent within this process: the production agent, enrolled over HTTPS, with a state folder
// of its own, whose connections can be cut.
type Agent struct {
	config writeback.Config

	mu      sync.Mutex
	conns   map[*agentConn]bool
	dead    bool // killed: it can open no more connections
	running *writeback.Agent
	cancel  context.CancelFunc
	ended   chan struct{} // closed when the run has
	err     error         // of the run
}

var errKilled = errors.New("this agent was killed")

// StartAgent enrols one more agent with a token of its own, starts it, and waits until it serves.
func (w *World) StartAgent(ctx context.Context) (*Agent, error) {
	w.mu.Lock()
	n := len(w.agents) + 1
	a := &Agent{conns: map[*agentConn]bool{}}
	w.agents = append(w.agents, a)
	w.mu.Unlock()
	config, err := writeback.LoadConfig(w.AgentConfig())
	if err != nil {
		return nil, fmt.Errorf("configure an agent: %w", err)
	}
	config.StateDir = filepath.Join(w.dir, "agent-"+strconv.Itoa(n))
	config.Clock, config.FirstBeatDelay = w.Clock, w.options.FirstBeatDelay
	config.Logger = slog.New(agentLog{Handler: w.log.Handler(), trace: w.Trace})
	config.DialLDAP, config.DialRelay = a.dial, a.dial
	a.config = config
	if err := writeback.Enroll(ctx, config, w.Cloud.NewEnrolToken(0)); err != nil {
		return nil, fmt.Errorf("enrol an agent: %w", err)
	}
	return a, a.Start(ctx)
}

// Start runs an agent that was stopped or killed, from what it has on its disk, and waits until it serves.
func (a *Agent) Start(ctx context.Context) error {
	running, err := writeback.New(a.config)
	if err != nil {
		return fmt.Errorf("start an agent: %w", err)
	}
	run, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	a.mu.Lock()
	a.dead, a.running, a.cancel, a.ended = false, running, cancel, ended
	a.mu.Unlock()
	go func() {
		defer close(ended)
		err := as(trace.Agent, func() error { return running.Run(run) })
		a.mu.Lock()
		defer a.mu.Unlock()
		a.err = err
	}()
	select {
	case <-running.Ready():
		return nil
	case <-ended:
		return fmt.Errorf("the agent ended before it served: %w", a.failure())
	case <-ctx.Done():
		return fmt.Errorf("the agent does not serve yet: %w", context.Cause(ctx))
	}
}

func (a *Agent) failure() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil {
		return errors.New("without an error")
	}
	return a.err
}

// Stop ends it as SIGTERM does: it finishes what it has and says goodbye.
func (a *Agent) Stop() {
	a.mu.Lock()
	cancel, ended := a.cancel, a.ended
	a.mu.Unlock()
	if cancel == nil {
		return
	}
	cancel()
	<-ended
}

// Kill ends it as a crash does: its connections are reset, so that nothing more leaves it.
func (a *Agent) Kill() {
	a.cut()
	a.Stop()
}

func (a *Agent) cut() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dead = true
	for c := range a.conns {
		c.reset()
	}
	clear(a.conns)
}

// How long a world that closes waits for an agent to drain, and for one whose connections were then cut.
const (
	drainTime = 2500 * time.Millisecond
	cutTime   = time.Second
)

// stopSoon is Stop within a time: whatever is in hand then is cut off.
func (a *Agent) stopSoon() {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		a.Stop()
	}()
	if !closedWithin(stopped, drainTime) {
		a.cut()
		closedWithin(stopped, cutTime)
	}
}

func closedWithin(c <-chan struct{}, d time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}

// StateDir is the agent's folder.
func (a *Agent) StateDir() string { return a.config.StateDir }

// agentConn is a connection of the agent's, known to it until it is closed.
type agentConn struct {
	*net.TCPConn
	agent *Agent
}

// Close implements net.Conn.
func (c *agentConn) Close() error {
	c.agent.mu.Lock()
	delete(c.agent.conns, c)
	c.agent.mu.Unlock()
	return c.TCPConn.Close() //nolint:wrapcheck // net.Conn's own
}

func (c *agentConn) reset() {
	_ = c.SetLinger(0)
	_ = c.TCPConn.Close()
}

// dial keeps what it opens, so that Kill can cut it.
func (a *Agent) dial(ctx context.Context, _, address string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err //nolint:wrapcheck // *net.OpError says it all, and callers look into it
	}
	c := &agentConn{conn.(*net.TCPConn), a}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dead {
		c.reset()
		return nil, errKilled
	}
	a.conns[c] = true
	return c, nil
}

package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"go.yaml.in/yaml/v3"

	"passback/writeback"
	"passback/writeback/protocol"
)

// An Agent is a writeback agent within this process: the production agent, enrolled over HTTPS, with a state folder
// of its own, whose connections can be cut.
type Agent struct {
	config writeback.Config

	mu      sync.Mutex
	conns   map[net.Conn]bool
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
	a := &Agent{conns: map[net.Conn]bool{}}
	w.agents = append(w.agents, a)
	w.mu.Unlock()
	config, err := writeback.LoadConfig(w.AgentConfig())
	if err != nil {
		return nil, fmt.Errorf("configure an agent: %w", err)
	}
	config.StateDir = filepath.Join(w.dir, "agent-"+strconv.Itoa(n))
	config.Clock = w.Clock
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
		err := running.Run(run)
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
	a.mu.Lock()
	a.dead = true
	for c := range a.conns {
		reset(c)
	}
	a.mu.Unlock()
	a.Stop()
}

// StateDir is the agent's folder.
func (a *Agent) StateDir() string { return a.config.StateDir }

func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// dial keeps what it opens, so that Kill can cut it.
func (a *Agent) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err //nolint:wrapcheck // *net.OpError says it all, and callers look into it
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dead {
		reset(conn)
		return nil, errKilled
	}
	a.conns[conn] = true
	return conn, nil
}

// Files that an agent of its own process needs.
const (
	caFile     = "ca.pem"
	bindFile   = "bind.secret"
	tokenFile  = "enrol.token"
	configFile = "agent.yaml"
	dirCAFile  = "directory-ca.pem"
)

// AgentConfig is the path of an agent.yaml for this world. Beside it lie what it names, and the token to enrol with.
func (w *World) AgentConfig() string { return filepath.Join(w.dir, configFile) }

// writeAgentFiles puts agent.yaml, the authority, the bind password and the token into the world's folder.
func (w *World) writeAgentFiles() error {
	address, err := url.Parse(w.directory.URL)
	if err != nil {
		return fmt.Errorf("the directory's URL: %w", err)
	}
	directoryCA := caFile
	files := map[string][]byte{
		caFile:    w.CA.PEM(),
		bindFile:  []byte(w.directory.Password.Reveal() + "\n"),
		tokenFile: []byte(w.token.Reveal() + "\n"),
	}
	if e := w.options.External; e != nil {
		directoryCA = ""
		if e.CAFile != "" {
			if files[dirCAFile], err = os.ReadFile(e.CAFile); err != nil {
				return fmt.Errorf("the directory's authority: %w", err)
			}
			directoryCA = dirCAFile
		}
	}
	config := writeback.Config{
		Cloud: w.EnrolURL(), CloudCAFile: caFile, StateDir: "state", Mode: protocol.Active,
		Directories: []writeback.Directory{{
			Domain: w.directory.Domain, Servers: []string{address.Host}, CAFile: directoryCA,
			Bind: writeback.Bind{User: w.directory.BindUser, PasswordFile: bindFile},
		}},
		Log: writeback.Log{Level: "info", Format: "auto"},
	}
	if files[configFile], err = yaml.Marshal(config); err != nil {
		return fmt.Errorf("write agent.yaml: %w", err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(w.dir, name), content, 0o600); err != nil {
			return fmt.Errorf("write what an agent needs: %w", err)
		}
	}
	return nil
}

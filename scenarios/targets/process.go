package targets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"

	"passback/clock"
	"passback/scenarios"
	"passback/writeback"
	"passback/writeback/protocol"
)

// An agent as a process: the target's command with the verbs and flags of passback-agent.

type process struct {
	command  []string
	config   string // path of agent.yaml
	ready    string // path of the ready file
	stateDir string
	log      *record
	watch    *watch

	mu     sync.Mutex
	cmd    *exec.Cmd     // nil: not running
	exited chan struct{} // closed when it has
	err    error         // of its end
}

// logger writes to the target's record.
func (t *target) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(t.log, nil)) }

// newProcess writes the files of an agent of this world into dir.
func (t *target) newProcess(dir string) (*process, error) {
	c, err := writeback.LoadConfig(t.world.AgentConfig())
	if err != nil {
		return nil, fmt.Errorf("configure an agent: %w", err)
	}
	p := &process{command: t.opener.file.Agent.Command, config: filepath.Join(dir, "agent.yaml"), ready: filepath.Join(dir, "ready.json"),
		stateDir: filepath.Join(dir, "state"), log: t.log, watch: &watch{}}
	c.StateDir, c.Log.Level = p.stateDir, "debug"
	text, err := yaml.Marshal(c)
	if err == nil {
		err = os.WriteFile(p.config, text, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("configure an agent: %w", err)
	}
	return p, nil
}

func (t *target) startProcess(ctx context.Context, id string) (*process, error) {
	dir := filepath.Join(t.dir, id)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	p, err := t.newProcess(dir)
	if err != nil {
		return nil, err
	}
	if err := p.enrol(ctx, t.world.Cloud.NewEnrolToken(0)); err != nil {
		return nil, err
	}
	return p, p.run(ctx)
}

// start runs the command with more words, watched, its output recorded.
func (p *process) start(ctx context.Context, words ...string) (*exec.Cmd, func(), error) {
	words = append(slices.Clone(p.command), words...)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", words[0], err)
	}
	return cmd, p.watch.follow(cmd.Process.Pid), nil
}

func (p *process) enrol(ctx context.Context, token protocol.Secret) error {
	file := p.config + ".token"
	if err := os.WriteFile(file, []byte(token.Reveal()+"\n"), 0o600); err != nil {
		return fmt.Errorf("keep a token: %w", err)
	}
	cmd, unfollow, err := p.start(ctx, "enroll", "--config", p.config, "--token-file", file)
	if err != nil {
		return err
	}
	defer unfollow()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	return nil
}

// run starts the agent and waits until it serves.
func (p *process) run(ctx context.Context) error {
	cmd, unfollow, err := p.start(context.WithoutCancel(ctx), "run", "--config", p.config, "--ready-file", p.ready)
	if err != nil {
		return err
	}
	exited := make(chan struct{})
	p.mu.Lock()
	p.cmd, p.exited = cmd, exited
	p.mu.Unlock()
	go func() {
		defer close(exited)
		err := cmd.Wait()
		unfollow()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.err = err
	}()
	return p.awaitReady(ctx, exited)
}

func (p *process) awaitReady(ctx context.Context, exited <-chan struct{}) error {
	const every = 10 * time.Millisecond
	for {
		if _, err := os.Stat(p.ready); err == nil {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("the agent ended before it served: %w", p.end())
		default:
		}
		if err := clock.Sleep(ctx, clock.Real(), every); err != nil {
			return fmt.Errorf("the agent does not serve yet: %w", err)
		}
	}
}

// end is how the process ended.
func (p *process) end() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		return errors.New("without an error")
	}
	return p.err
}

func (p *process) kill() {
	p.mu.Lock()
	cmd, exited := p.cmd, p.exited
	p.cmd = nil
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill()
	<-exited
	_ = os.Remove(p.ready) // a killed agent cannot
}

// stop sends SIGTERM, and kills what does not end within ctx.
func (p *process) stop(ctx context.Context) error {
	p.mu.Lock()
	cmd, exited := p.cmd, p.exited
	p.mu.Unlock()
	if cmd == nil {
		return errors.New("the agent does not run")
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the agent: %w", err)
	}
	select {
	case <-exited:
	case <-ctx.Done():
		p.kill()
		return fmt.Errorf("the agent did not end: %w", context.Cause(ctx))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd = nil
	if p.err != nil {
		return fmt.Errorf("the agent was stopped: %w", p.err)
	}
	return nil
}

// A watch looks at processes' sockets every few milliseconds and keeps all that it saw.
type watch struct {
	mu        sync.Mutex
	listening map[string]bool
	peers     map[string]bool
	err       error
}

const watchEvery = 5 * time.Millisecond

// follow looks until stop is called.
func (w *watch) follow(pid int) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() {
		for ctx.Err() == nil {
			w.look(pid)
			_ = clock.Sleep(ctx, clock.Real(), watchEvery)
		}
	})
	return func() {
		cancel()
		following.Wait()
	}
}

func (w *watch) look(pid int) {
	now, err := socketsOf(pid)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listening == nil {
		w.listening, w.peers = map[string]bool{}, map[string]bool{}
	}
	if err != nil {
		w.err = err
	}
	for _, l := range now.Listening {
		w.listening[l] = true
	}
	for _, p := range now.Peers {
		w.peers[numbered(p)] = true
	}
}

func (w *watch) seen() (scenarios.Sockets, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return scenarios.Sockets{Listening: sorted(w.listening), Peers: sorted(w.peers)}, w.err
}

func sorted(set map[string]bool) []string {
	var list []string
	for s := range set {
		list = append(list, s)
	}
	slices.Sort(list)
	return list
}

package killmatrix_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"go.yaml.in/yaml/v3"

	"passback/writeback"
	"passback/writeback/protocol"
)

// A process is the built agent, which can be killed and started again.
type process struct {
	binary, config, stateDir string
	cmd                      *exec.Cmd

	mu   sync.Mutex
	text bytes.Buffer // all that it ever wrote
}

// newProcess enrols an agent with files of its own in dir.
func newProcess(binary, dir, like string, token protocol.Secret) (*process, error) {
	c, err := writeback.LoadConfig(like)
	if err != nil {
		return nil, err
	}
	p := &process{binary: binary, config: filepath.Join(dir, "agent.yaml"), stateDir: filepath.Join(dir, "state")}
	c.StateDir, c.Log = p.stateDir, writeback.Log{Level: "debug", Format: "json"}
	text, err := yaml.Marshal(c)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "token")
	if err := errors.Join(os.WriteFile(p.config, text, 0o600), os.WriteFile(file, []byte(token.Reveal()), 0o600)); err != nil {
		return nil, err
	}
	enrol := p.command("enroll", "--token-file", file)
	if err := enrol.Run(); err != nil {
		return nil, fmt.Errorf("enrol: %w\n%s", err, p.lately())
	}
	return p, nil
}

func (p *process) command(verb string, more ...string) *exec.Cmd {
	cmd := exec.Command(p.binary, append([]string{verb, "--config", p.config}, more...)...)
	cmd.Stdout, cmd.Stderr = p, p
	return cmd
}

// Write implements io.Writer.
func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(text)
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// lately is the end of what it said.
func (p *process) lately() string {
	lines := strings.SplitAfter(p.said(), "\n")
	return strings.Join(lines[max(0, len(lines)-60):], "")
}

func (p *process) start() error {
	p.cmd = p.command("run")
	return p.cmd.Start()
}

// kill ends it by SIGKILL, and waits until it has.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill the agent: %w", err)
	}
	_ = p.cmd.Wait()
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || status.Signal() != syscall.SIGKILL {
		return fmt.Errorf("the agent ended by itself: %v", p.cmd.ProcessState)
	}
	return nil
}

// Package ordeal_test tries the real agent, the built binary, as a process: it is killed at each point of a request's
// way, walled in by a firewall, and its output searched for the passwords that it was given. It is a package of its
// own because its tests want a machine rather than a suite: root for the namespaces, an hour for a thousand kills.
//
//	go test ./scenarios/ordeal -run TestKillMatrix -v -kills 1000 -timeout 3h
//	go test ./scenarios/ordeal -run TestOutbound -v
package ordeal_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"

	"passback/clock"
	"passback/writeback"
	"passback/writeback/protocol"
)

// A process is the built agent, which can be killed and started again.
type process struct {
	command                 []string // the binary, and what it is run by
	more                    []string // variables of its environment
	config, ready, stateDir string
	cmd                     *exec.Cmd

	mu   sync.Mutex
	text bytes.Buffer // all that it ever wrote
}

// newProcess makes the files of an agent in dir, with changes to the configuration that it is to be like.
func newProcess(dir, like string, change func(*writeback.Config), command ...string) (*process, error) {
	c, err := writeback.LoadConfig(like)
	if err != nil {
		return nil, err
	}
	p := &process{command: command, config: filepath.Join(dir, "agent.yaml"), ready: filepath.Join(dir, "ready"), stateDir: filepath.Join(dir, "state")}
	c.StateDir, c.Log = p.stateDir, writeback.Log{Level: "debug", Format: "json"}
	if change != nil {
		change(&c)
	}
	text, err := yaml.Marshal(c)
	if err != nil {
		return nil, err
	}
	return p, os.WriteFile(p.config, text, 0o600)
}

func (p *process) enrol(token protocol.Secret) error {
	file := p.config + ".token"
	if err := os.WriteFile(file, []byte(token.Reveal()), 0o600); err != nil {
		return err
	}
	if err := p.verb("enroll", "--token-file", file).Run(); err != nil {
		return fmt.Errorf("enrol: %w\n%s", err, p.lately())
	}
	return nil
}

func (p *process) verb(verb string, more ...string) *exec.Cmd {
	words := slices.Concat(p.command, []string{verb, "--config", p.config}, more)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append(os.Environ(), p.more...)
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
	return strings.Join(lines[max(0, len(lines)-20):], "")
}

func (p *process) start() error {
	p.cmd = p.verb("run", "--ready-file", p.ready)
	return p.cmd.Start()
}

// serving waits until it says that it serves.
func (p *process) serving() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		if _, err := os.Stat(p.ready); err == nil {
			return nil
		}
		if err := clock.Sleep(ctx, clock.Real(), 5*time.Millisecond); err != nil {
			return fmt.Errorf("the agent does not serve: %w\n%s", err, p.lately())
		}
	}
}

// kill ends it by SIGKILL, and waits until it has.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill the agent: %w", err)
	}
	_ = p.cmd.Wait()
	_ = os.Remove(p.ready) // a killed agent cannot
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || status.Signal() != syscall.SIGKILL {
		return fmt.Errorf("the agent ended by itself: %v", p.cmd.ProcessState)
	}
	return nil
}

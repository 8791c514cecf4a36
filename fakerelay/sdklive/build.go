package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"time"
)

// testPackages are the SDK's packages with live tests, below its root.
var testPackages = []string{".", "admin", "internal"}

// A plan is what was built, and is to be run. It is a file for the process in the namespaces.
type plan struct {
	Dir      string // of everything below
	Relay    string // the passback binary
	Run      string
	Timeout  time.Duration
	Packages []testPackage
}

type testPackage struct {
	Name   string // its import path's last part
	Source string // in the module cache
	Binary string
}

func (p *plan) path() string { return filepath.Join(p.Dir, "plan.json") }

func (p *plan) write() error {
	content, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	if err := os.WriteFile(p.path(), content, 0o600); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	return nil
}

func readPlan(path string) (*plan, error) {
	content, err := os.ReadFile(path) //nolint:gosec // written by this program
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	p := &plan{}
	if err := json.Unmarshal(content, p); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	return p, nil
}

// build makes the test binaries, in the module cache's folder, so that the SDK's own go.mod chooses what they are
// built with, and passback.
func build(ctx context.Context, o options) (*plan, error) {
	fmt.Fprintf(os.Stderr, "sdklive: builds the tests of %s\n", o.module)
	var module struct{ Dir, Error string }
	answer, err := command(ctx, "", "go", "mod", "download", "-json", o.module).Output()
	if jsonErr := json.Unmarshal(answer, &module); jsonErr != nil || module.Error != "" {
		return nil, fmt.Errorf("download %s: %s: %w", o.module, module.Error, err)
	}
	p := &plan{Dir: o.dir, Relay: o.relay, Run: o.run, Timeout: o.timeout}
	for _, below := range testPackages {
		t := testPackage{Name: path.Join("azservicebus", below), Source: filepath.Join(module.Dir, below)}
		t.Binary = filepath.Join(o.dir, filepath.Base(t.Name)+".test")
		if err := attached(command(ctx, t.Source, "go", "test", "-c", "-o", t.Binary, ".")); err != nil {
			return nil, fmt.Errorf("build the tests of %s: %w", t.Name, err)
		}
		p.Packages = append(p.Packages, t)
	}
	if p.Relay == "" {
		p.Relay = filepath.Join(o.dir, "passback")
		if err := attached(command(ctx, "", "go", "build", "-o", p.Relay, "passback/cmd/passback")); err != nil {
			return nil, fmt.Errorf("build passback: %w", err)
		}
	}
	return p, nil
}

// command is a program in a folder; empty: in this one. It is interrupted when ctx ends, and killed if that does not
// help.
func command(ctx context.Context, dir, name string, arguments ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, arguments...) //nolint:gosec // the program's own
	c.Dir = dir
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 10 * time.Second
	return c
}

func attached(c *exec.Cmd) error {
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	return c.Run() //nolint:wrapcheck // the callers say what was run
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	standardHost = "127.0.0.2" // not 127.0.0.1: a test wants its port 5671 to refuse
	premiumHost  = "127.0.0.3"
)

// An outcome is how a test ended, its subtests counted in: the worst of "pass", "skip" and "fail".
type outcome struct {
	result string
	output string // of the test and its subtests
}

// runInside does everything, in the namespaces.
func runInside(ctx context.Context, planFile string) error {
	p, err := readPlan(planFile)
	if err != nil {
		return err
	}
	if err := furnish(p.Dir); err != nil {
		return err
	}
	standard, err := startRelay(ctx, p, "standard", standardHost)
	if err != nil {
		return err
	}
	defer standard.stop()
	premium, err := startRelay(ctx, p, "premium", premiumHost)
	if err != nil {
		return err
	}
	defer premium.stop()
	ca, err := trust(p.Dir, standard, premium)
	if err != nil {
		return err
	}
	table := newTable(os.Stdout)
	for _, t := range p.Packages {
		live, err := p.playback(ctx, t)
		if err != nil {
			return err
		}
		outcomes, err := p.test(ctx, t, "live", environment(standard, premium, ca))
		if err != nil {
			return err
		}
		table.add(t.Name, live, outcomes)
	}
	return table.print()
}

// playback finds the live tests: those that skip, or one of whose subtests does, when they are not live.
func (p *plan) playback(ctx context.Context, t testPackage) (map[string]bool, error) {
	outcomes, err := p.test(ctx, t, "playback", slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "AZURE_RECORD_MODE=")
	}))
	live := make(map[string]bool)
	for name, o := range outcomes {
		if o.result == "skip" {
			live[name] = true
		}
	}
	return live, err
}

// test runs the tests of a package; its error is not that of a failed test.
func (p *plan) test(ctx context.Context, t testPackage, mode string, environment []string) (map[string]outcome, error) {
	fmt.Fprintf(os.Stderr, "sdklive: %s, %s\n", t.Name, mode)
	run := command(ctx, t.Source, t.Binary, "-test.v=test2json", "-test.run="+p.Run, "-test.timeout="+p.Timeout.String())
	run.Env = environment
	output, runErr := run.CombinedOutput()
	log := filepath.Join(p.Dir, filepath.Base(t.Name)+"."+mode+".log")
	if err := os.WriteFile(log, output, 0o600); err != nil {
		return nil, fmt.Errorf("keep the output: %w", err)
	}
	convert := command(ctx, "", "go", "tool", "test2json")
	convert.Stdin = bytes.NewReader(output)
	events, err := convert.Output()
	if err != nil {
		return nil, fmt.Errorf("read the output of %s: %w", t.Name, err)
	}
	outcomes, err := read(events)
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s: %w", t.Name, context.Cause(ctx))
	case runErr != nil && !slices.ContainsFunc(results(outcomes), func(result string) bool { return result == "fail" }):
		return nil, fmt.Errorf("%s ended without a result: %w; see %s", t.Name, runErr, log)
	}
	return outcomes, nil
}

func results(outcomes map[string]outcome) []string {
	var all []string
	for _, o := range outcomes {
		all = append(all, o.result)
	}
	return all
}

// read takes test2json's events. A test without an end was running when the package was ended: it failed.
func read(events []byte) (map[string]outcome, error) {
	worse := map[string]int{"": 0, "pass": 1, "skip": 2, "fail": 3}
	outcomes := make(map[string]outcome)
	started := make(map[string]bool)
	lines := bufio.NewScanner(bytes.NewReader(events))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var event struct{ Action, Test, Output string }
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return nil, fmt.Errorf("read the events of the tests: %w", err)
		}
		if event.Test == "" {
			continue
		}
		name, _, _ := strings.Cut(event.Test, "/")
		o := outcomes[name]
		o.output += event.Output
		switch {
		case event.Action == "run":
			started[event.Test] = true
		case worse[event.Action] > 0:
			delete(started, event.Test)
			if worse[event.Action] > worse[o.result] {
				o.result = event.Action
			}
		}
		outcomes[name] = o
	}
	for test := range started {
		name, _, _ := strings.Cut(test, "/")
		outcomes[name] = outcome{"fail", outcomes[name].output}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the events of the tests: %w", err)
	}
	return outcomes, nil
}

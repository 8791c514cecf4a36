// Package report runs the scenarios and tells how it went: line by line while they run, then as a summary, as JSON and
// as JUnit. It is what `passback conform` stands on; the same scenarios run under Ginkgo from package suite.
package report

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"passback/clock"
	"passback/scenarios"
)

// Options of Run. The zero value runs everything in order.
type Options struct {
	Filter   string        // label filter; default: every scenario
	Seed     uint64        // of the order in which they run; default 0: the order of the list
	Parallel int           // scenarios at once, where each has a directory of its own; default 4
	Timeout  time.Duration // of one scenario; default 3 minutes
	Progress io.Writer     // is told of each scenario when it ends; default: nobody
}

const (
	defaultTimeout  = 3 * time.Minute
	defaultParallel = 4 // most of a scenario's time is waiting
)

// List returns the scenarios that a label filter takes.
func List(filter string) ([]scenarios.Scenario, error) {
	takes, err := scenarios.ParseFilter(filter)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(scenarios.All(), func(s scenarios.Scenario) bool { return !takes(s.Labels()) }), nil
}

// Run runs the scenarios against what opener opens, one target each. The error says that nothing was run; what failed
// is in the report. When ctx ends, the rest is skipped.
func Run(ctx context.Context, opener scenarios.Opener, o Options) (Report, error) {
	list, err := List(o.Filter)
	if err != nil {
		return Report{}, err
	}
	if len(list) == 0 {
		return Report{}, fmt.Errorf("no scenario has labels that %q takes (see the list)", o.Filter)
	}
	if o.Seed != 0 {
		order := rand.New(rand.NewPCG(o.Seed, o.Seed))
		order.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Parallel < 1 {
		o.Parallel = defaultParallel
	}
	if opener.Describe().Shared {
		o.Parallel = 1
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	started := clock.Real().Now()
	r := Report{Target: opener.Describe(), Started: started.UTC(), Seed: o.Seed, Filter: o.Filter}
	r.Results = runAll(ctx, opener, o, list)
	r.Took = Duration(clock.Real().Now().Sub(started))
	return r, nil
}

func runAll(ctx context.Context, opener scenarios.Opener, o Options, list []scenarios.Scenario) []Result {
	results := make([]Result, len(list))
	next := make(chan int)
	var mu sync.Mutex // over the progress
	done := 0
	var workers sync.WaitGroup
	for range o.Parallel {
		workers.Go(func() {
			for i := range next {
				results[i] = resultOf(RunOne(ctx, opener, list[i], o.Timeout))
				mu.Lock()
				done++
				fmt.Fprintf(o.Progress, "%*d/%d %s\n", len(fmt.Sprint(len(list))), done, len(list), results[i].line())
				mu.Unlock()
			}
		})
	}
	for i := range list {
		next <- i
	}
	close(next)
	workers.Wait()
	return results
}

// RunOne opens a target for one scenario, runs it and closes the target.
func RunOne(ctx context.Context, opener scenarios.Opener, s scenarios.Scenario, timeout time.Duration) scenarios.Result {
	if missing := s.Missing(opener.Lacks); missing != "" {
		return scenarios.Result{Scenario: s, Verdict: scenarios.Skipped, Reason: missing}
	}
	if ctx.Err() != nil {
		return scenarios.Result{Scenario: s, Verdict: scenarios.Skipped, Reason: "the run was stopped"}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("the scenario's time of %s is over", timeout))
	defer cancel()
	target, err := opener.Open(ctx, s.Setup)
	if err != nil {
		return scenarios.Result{Scenario: s, Verdict: scenarios.Failed, Reason: fmt.Sprintf("open the target: %v", err)}
	}
	r := s.Execute(ctx, target)
	if err := target.Close(); err != nil && r.Verdict == scenarios.Passed {
		r.Verdict, r.Reason = scenarios.Failed, fmt.Sprintf("close the target: %v", err)
	}
	return r
}

package scenarios

import (
	"context"
	"crypto/rand"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"passback/clock"
	"passback/writeback/protocol"
)

// T is one run of a scenario: its target, its steps, and the checks that end it when they fail. It is used by one
// goroutine, but for what Go starts.
type T struct {
	Target Target

	ctx     context.Context
	started time.Time
	steps   []Step
	secrets []protocol.Secret
}

// A Step is what a scenario did or checked, for people.
type Step struct {
	At   time.Duration // after the start
	Text string
}

// A Verdict is how a scenario ended.
type Verdict string

// The verdicts.
const (
	Passed  Verdict = "passed"
	Failed  Verdict = "failed"
	Skipped Verdict = "skipped"
)

// A Result is one scenario's end on one target.
type Result struct {
	Scenario Scenario
	Verdict  Verdict
	Reason   string // why it failed or was skipped
	Steps    []Step
	Took     time.Duration
}

// Missing says what s requires and target lacks; empty: nothing.
func (s Scenario) Missing(lacks func(Capability) string) string {
	for _, c := range s.Requires {
		if reason := lacks(c); reason != "" {
			return fmt.Sprintf("%s: %s", c, reason)
		}
	}
	return ""
}

// Execute runs s on a target that was opened in its Setup. A panic fails the scenario and nothing else.
func (s Scenario) Execute(ctx context.Context, target Target) (r Result) {
	t := &T{Target: target, ctx: ctx, started: clock.Real().Now()}
	r = Result{Scenario: s, Verdict: Passed}
	defer func() {
		r.Steps, r.Took = t.steps, clock.Real().Now().Sub(t.started)
		switch p := recover().(type) {
		case nil:
		case failure:
			r.Verdict, r.Reason = Failed, string(p)
		default:
			r.Verdict, r.Reason = Failed, fmt.Sprintf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if missing := s.Missing(target.Lacks); missing != "" {
		r.Verdict, r.Reason = Skipped, missing
		return r
	}
	s.Run(t)
	return r
}

// failure ends a scenario from inside a check.
type failure string

// Fatalf ends the scenario as failed. Secrets among the arguments print as redacted.
func (t *T) Fatalf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

// Step notes what comes next.
func (t *T) Step(format string, args ...any) {
	t.steps = append(t.steps, Step{At: clock.Real().Now().Sub(t.started), Text: fmt.Sprintf(format, args...)})
}

// Must ends the scenario if the asking itself failed.
func (t *T) Must(err error) {
	if err != nil {
		t.Fatalf("%v", err)
	}
}

// must is Must for what also returns a value: must(ask())(t).
func must[V any](v V, err error) func(*T) V {
	return func(t *T) V {
		t.Must(err)
		return v
	}
}

// Context ends with the scenario's time.
func (t *T) Context() context.Context { return t.ctx }

// Password draws one that every policy of a scenario takes, and that no other run draws.
func (t *T) Password() protocol.Secret { return t.Secret("Pb1!" + strings.ToLower(rand.Text()[:14])) }

// Secret notes a password, so that a scenario can look for it where it must not be.
func (t *T) Secret(password string) protocol.Secret {
	s := protocol.NewSecret(password)
	t.secrets = append(t.secrets, s)
	return s
}

// wait waits for c, or ends the scenario when its time is over.
func (t *T) wait(c <-chan struct{}, what string) {
	select {
	case <-c:
	case <-t.ctx.Done():
		t.Fatalf("waited in vain: %s: %v", what, context.Cause(t.ctx))
	}
}

// eventually asks until done, every fiftieth of a second, or ends the scenario when its time is over.
func (t *T) eventually(what string, done func() bool) {
	for !done() {
		if err := clock.Sleep(t.ctx, clock.Real(), 20*time.Millisecond); err != nil {
			t.Fatalf("waited in vain: %s: %v", what, err)
		}
	}
}

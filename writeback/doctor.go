package writeback

// doctor: what an operator would check by hand, as tables of checks, a file for each group. Every line says what was
// looked at, what was found and what to do about it. Nothing is changed, in the directory or elsewhere: an agent may
// be at work meanwhile.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"passback/writeback/protocol"
)

// A Result is how a check came out.
type Result string

// The results.
const (
	Fine    Result = "ok"
	Warning Result = "warning" // it works, and somebody should look at it; or it could not be read
	Failure Result = "failure" // requests will fail
	Skipped Result = "skipped" // not looked at, for the reason given
)

// A Finding is one line.
type Finding struct {
	Group   string `json:"group"`   // host, cloud, relay, directory, policy or rights
	Subject string `json:"subject"` // what was looked at
	Check   string `json:"check"`
	Result  Result `json:"result"`
	Found   string `json:"found"`
	Advice  string `json:"advice,omitempty"` // what to do
}

// A finding is what a check returns.
type finding struct {
	result Result
	found  string
	advice string
}

func fine(format string, args ...any) finding {
	return finding{result: Fine, found: fmt.Sprintf(format, args...)}
}

func skipped(format string, args ...any) finding {
	return finding{result: Skipped, found: fmt.Sprintf(format, args...)}
}

func warning(found, advice string) finding { return finding{Warning, found, advice} }

func failure(found, advice string) finding { return finding{Failure, found, advice} }

// A check is a row of a group's table; S is what the group looks at.
type check[S any] struct {
	name  string
	vital bool // where it fails, the rows below have nothing to look at
	look  func(S, context.Context) finding
}

// An examination gathers findings.
type examination struct {
	*Agent
	user     string                 // a sample user's name; empty: none was given
	enrolled protocol.EnrolResponse // the cloud's newest, or that on the disk
	findings []Finding
}

// examine goes through one table; it reports whether its vital rows hold.
func examine[S any](ctx context.Context, x *examination, group, subject string, s S, checks []check[S]) bool {
	missing := ""
	for _, c := range checks {
		f := skipped("not looked at, because of %q above", missing)
		if missing == "" {
			f = c.look(s, ctx)
		}
		x.findings = append(x.findings, Finding{group, subject, c.name, f.result, limit(strings.ReplaceAll(f.found, "\n", "; ")), f.advice})
		if c.vital && f.result == Failure {
			missing = c.name
		}
	}
	return missing == ""
}

// Examine checks the configuration, the cloud, the relays, the directories and, on a sample user, the rights of the
// agent's account. user is a user principal name or a sAMAccountName; empty: rights are not looked at.
func Examine(ctx context.Context, c Config, user string) ([]Finding, error) {
	c.Logger = slog.New(slog.DiscardHandler) // the findings say it all
	a, err := New(c)
	if err != nil {
		return nil, err
	}
	x := &examination{Agent: a, user: user}
	x.state = state{a.config.StateDir}
	if x.examineHost(ctx) {
		x.examineCloud(ctx)
		x.examineRelays(ctx)
	}
	return x.findings, x.examineDirectories(ctx)
}

// ErrPath means that the agent is enrolled, and could not serve.
var ErrPath = errors.New("enrolled, but the path does not stand; doctor tells more")

// checkPath looks at what the agent needs from each relay to the controllers that it would write to.
func (a *Agent) checkPath(ctx context.Context, r protocol.EnrolResponse) error {
	x := &examination{Agent: a, enrolled: r}
	x.examineRelays(ctx)
	domains, err := a.newDomains(r.MarkerAttribute)
	if err != nil {
		return err
	}
	for _, d := range domains {
		v := &domainView{Domain: d}
		if examine(ctx, x, "directory", d.Name(), v, domainChecks) {
			examine(ctx, x, "directory", d.Name(), v, writeToChecks)
		}
		v.close()
	}
	for _, f := range x.findings {
		if f.Result == Failure {
			err = errors.Join(err, fmt.Errorf("%w: %s %s: %s: %s. %s", ErrPath, f.Group, f.Subject, f.Check, f.Found, f.Advice))
		}
	}
	return err
}

// ErrWarnings is doctor's where nothing failed.
var ErrWarnings = errors.New("doctor has warnings")

// ErrFailures is doctor's where something failed.
var ErrFailures = errors.New("doctor found failures")

// verdict is nil where all is well.
func verdict(findings []Finding) error {
	count := map[Result]int{}
	for _, f := range findings {
		count[f.Result]++
	}
	switch {
	case count[Failure] > 0:
		return fmt.Errorf("%w: %d, and %d warnings", ErrFailures, count[Failure], count[Warning])
	case count[Warning] > 0:
		return fmt.Errorf("%w: %d", ErrWarnings, count[Warning])
	}
	return nil
}

package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"passback/scenarios"
)

// A Report is one run of the scenarios. It holds no secret.
type Report struct {
	Target  scenarios.Description `json:"target"`
	Started time.Time             `json:"started"`
	Took    Duration              `json:"took"`
	Seed    uint64                `json:"seed,omitempty"`
	Filter  string                `json:"filter,omitempty"`
	Results []Result              `json:"results"`
}

// A Result is one scenario's.
type Result struct {
	ID      string            `json:"id"`
	Title   string            `json:"title"`
	Area    scenarios.Area    `json:"area"`
	Source  string            `json:"source"`
	Verdict scenarios.Verdict `json:"verdict"`
	Reason  string            `json:"reason,omitempty"`
	Took    Duration          `json:"took"`
	Steps   []string          `json:"steps,omitempty"`
}

// A Duration is written as text, such as 1.5s.
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("duration %.40q: %w", text, err)
	}
	*d = Duration(parsed)
	return nil
}

func resultOf(r scenarios.Result) Result {
	out := Result{ID: r.Scenario.ID, Title: r.Scenario.Title, Area: r.Scenario.Area, Source: r.Scenario.Source,
		Verdict: r.Verdict, Reason: r.Reason, Took: Duration(r.Took)}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, fmt.Sprintf("%7.3fs %s", s.At.Seconds(), s.Text))
	}
	return out
}

func (r Result) line() string {
	line := fmt.Sprintf("%-7s %s %s (%.1fs)", r.Verdict, r.ID, r.Title, time.Duration(r.Took).Seconds())
	if r.Reason != "" {
		line += ": " + r.Reason
	}
	return line
}

// Count returns how many ended with a verdict.
func (r Report) Count(v scenarios.Verdict) int {
	n := 0
	for _, result := range r.Results {
		if result.Verdict == v {
			n++
		}
	}
	return n
}

// ErrFailed says that a scenario failed.
var ErrFailed = errors.New("scenarios failed")

// Err is ErrFailed, with the number, if a scenario failed.
func (r Report) Err() error {
	if n := r.Count(scenarios.Failed); n > 0 {
		return fmt.Errorf("%d of %d %w", n, len(r.Results), ErrFailed)
	}
	return nil
}

// Summary writes the report for people: what was run against, a line for each scenario that did not pass, the counts.
func (r Report) Summary(w io.Writer) {
	fmt.Fprintf(w, "directory %s, agent %s", r.Target.Directory, r.Target.Agent)
	if r.Target.Note != "" {
		fmt.Fprintf(w, " (%s)", r.Target.Note)
	}
	fmt.Fprintln(w)
	for _, v := range []scenarios.Verdict{scenarios.Skipped, scenarios.Failed} {
		for _, result := range r.Results {
			if result.Verdict == v {
				fmt.Fprintf(w, "%-7s %s %s\n        %s\n", v, result.ID, result.Title, strings.ReplaceAll(result.Reason, "\n", "\n        "))
			}
			if result.Verdict == v && v == scenarios.Failed {
				for _, step := range result.Steps {
					fmt.Fprintf(w, "        | %s\n", step)
				}
			}
		}
	}
	fmt.Fprintf(w, "%d passed, %d failed, %d skipped, in %s\n", r.Count(scenarios.Passed), r.Count(scenarios.Failed),
		r.Count(scenarios.Skipped), time.Duration(r.Took).Round(time.Millisecond))
}

// The files of a report's directory.
const (
	jsonFile  = "report.json"
	junitFile = "junit.xml"
	textFile  = "summary.txt"
)

// maxReport bounds what Read takes.
const maxReport = 16 << 20

// Write writes report.json, junit.xml and summary.txt into a directory, which it makes.
func (r Report) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the report's directory: %w", err)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", jsonFile, err)
	}
	var summary strings.Builder
	r.Summary(&summary)
	junit, err := r.junit()
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{jsonFile: append(text, '\n'), junitFile: junit, textFile: []byte(summary.String())} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return nil
}

// Read reads the report of a directory that Write wrote.
func Read(dir string) (Report, error) {
	f, err := os.Open(filepath.Join(dir, jsonFile))
	if err != nil {
		return Report{}, fmt.Errorf("read a report: %w (name a directory that a run wrote its report to)", err)
	}
	defer f.Close()
	var r Report
	if err := json.NewDecoder(io.LimitReader(f, maxReport)).Decode(&r); err != nil {
		return Report{}, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	return r, nil
}

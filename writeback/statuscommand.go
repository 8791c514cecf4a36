package writeback

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"passback/clock"
	"passback/writeback/protocol"
)

// errNotRunning has status end with 1, so that a supervisor can ask by it.
var errNotRunning = errors.New("the agent does not run")

func statusCommand() *cobra.Command {
	var config string
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Say how the agent that runs here is: relays, directories, keys, last success and last error",
		Long: "status shows what the running agent wrote into state_dir last. It connects to nothing.\n" +
			"The exit code is 0 while an agent runs, and 1 if none does, or if what it wrote is stale.",
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := configOf(c, config)
			if err != nil {
				return err
			}
			s, err := ReadStatus(cfg.StateDir)
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(c.OutOrStdout(), s)
			} else {
				err = s.write(c.OutOrStdout())
			}
			switch {
			case err != nil:
				return err
			case s.State == StateStale:
				return fmt.Errorf("%w, or it hangs: what it wrote is %s old", errNotRunning, age(s.Written))
			case s.State != StateRunning:
				return fmt.Errorf("%w: %s", errNotRunning, s.Reason)
			}
			return nil
		},
	}
	c.Flags().StringVar(&config, "config", "", "agent.yaml")
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

// configOf reads the configuration that a verb cannot do without.
func configOf(c *cobra.Command, path string) (Config, error) {
	if path == "" {
		return Config{}, &UsageError{fmt.Errorf("%s needs --config", c.Name())}
	}
	return LoadConfig(path)
}

func writeJSON(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

func age(t time.Time) time.Duration { return clock.Real().Now().Sub(t).Round(time.Second) }

// write shows a status to a person.
func (s Status) write(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(out, name+"\t"+format+"\n", args...) }
	row("agent", "%s, started %s, process %d, version %s", s.State, s.Started.Format(time.RFC3339), s.PID, s.Version)
	row("enrolled", "as %s in tenant %s, renewed %s", s.AgentID, s.Tenant, when(s.Renewed))
	requests := "takes requests"
	if !s.TakesRequests {
		requests = "takes no requests: " + s.Reason
	}
	row("mode", "%s, %s", s.Mode, requests)
	for _, w := range protocol.Causes(s.Health) {
		row("health", "%s", w)
	}
	for _, r := range s.Relays {
		state := "connected"
		if !r.Listening {
			state = "not connected " + r.Error
		}
		row("relay", "%s: %s", r.Host, state)
	}
	for _, d := range s.Directories {
		state := "writes to " + d.DC
		if d.DC == "" {
			state = "cannot be written to: " + d.Detail
		}
		row("directory", "%s: %s", d.Domain, state)
	}
	for _, k := range s.Keys {
		row("key", "%s: %s, %d days old", k.Thumbprint, k.Role, time.Duration(k.AgeSeconds)*time.Second/(24*time.Hour))
	}
	for _, c := range s.Clocks {
		row("clock", "%+.3f s against %s", c.SkewSeconds, c.By)
	}
	row("heartbeat", "%s", when(s.LastHeartbeat))
	row("requests", "%s", s.counts())
	row("last success", "%s", s.LastSuccess)
	row("last error", "%s", s.LastError)
	row("written", "%s", when(s.Written))
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the status: %w", err)
	}
	return nil
}

func when(t time.Time) string {
	if t.IsZero() {
		return "not yet"
	}
	return fmt.Sprintf("%s ago", age(t))
}

func (s Status) counts() string {
	var parts []string
	for _, o := range slices.Sorted(maps.Keys(s.Requests)) {
		parts = append(parts, fmt.Sprintf("%s %d", o, s.Requests[o]))
	}
	if len(parts) == 0 {
		return "none yet"
	}
	return strings.Join(parts, ", ")
}

// String is the incident in one line.
func (i *Incident) String() string {
	if i == nil {
		return "none"
	}
	text := when(i.Time) + ": "
	if i.EventID != 0 {
		text += fmt.Sprintf("%d %s: ", i.EventID, i.Event)
	}
	if i.TrackingID != "" {
		text += string(i.TrackingID) + ", "
	}
	return text + i.Text
}

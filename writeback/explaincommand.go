package writeback

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"passback/writeback/protocol"
)

func explainCommand() *cobra.Command {
	var config string
	var asJSON bool
	c := &cobra.Command{
		Use:   "explain TRACKING-ID",
		Short: "Say what became of a request: applied, refused or unknown, and why",
		Long: "explain reads this agent's journal and the value that the directory keeps of the request. It changes nothing.\n" +
			"Without a line in the journal it searches each domain for the value, which can take a while in a large one.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := protocol.ParseTrackingID(strings.ToLower(args[0]))
			if err != nil {
				return &UsageError{err}
			}
			cfg, err := configOf(c, config)
			if err != nil {
				return err
			}
			e, err := Explain(c.Context(), cfg, id)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), e)
			}
			return e.write(c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&config, "config", "", "agent.yaml")
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

// write shows an explanation to a person.
func (e Explanation) write(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(out, name+"\t"+format+"\n", args...) }
	verdict := string(e.Verdict)
	if e.Verdict == Refused {
		verdict += ": " + string(e.Outcome)
	}
	row("request", "%s", e.TrackingID)
	row("verdict", "%s", verdict)
	row("why", "%s", e.Why)
	if e.Advice != "" {
		row("advice", "%s", e.Advice)
	}
	row("asked", "%s", e.Asked.Format(time.RFC3339Nano))
	for _, j := range e.Journal {
		row("journal", "%s: %s of %s by %s, delivery %d: %s, answered: %t, completed: %t",
			j.Decided.Format(time.RFC3339Nano), j.Operation, j.UPN, j.DC, j.Delivery, j.Outcome, j.Answered, j.Completed)
	}
	for _, t := range e.Directory {
		if t.Error != "" {
			row("directory", "%s %s: %s", t.Domain, t.DC, t.Error)
			continue
		}
		row("directory", "%s: %s: %d values: %s", t.DC, t.DN, len(t.Values), strings.Join(t.Values, "; "))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the explanation: %w", err)
	}
	return nil
}

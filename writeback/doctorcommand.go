package writeback

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func doctorCommand() *cobra.Command {
	var config, user string
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong, from this host to the rights in the directory, and say what to do",
		Long: "doctor checks configuration, enrolment, cloud, relays, domain controllers, policies and, on a sample user, the rights of the\n" +
			"agent's account. It changes nothing and may run beside the agent. It signs in to the directory once: a wrong password counts.\n" +
			"The exit code is 0 if all is well, 4 if there are warnings only, and 1 if something fails.",
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := configOf(c, config)
			if err != nil {
				return err
			}
			findings, err := Examine(c.Context(), cfg, user)
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(c.OutOrStdout(), findings)
			} else {
				err = writeFindings(c.OutOrStdout(), findings)
			}
			if err != nil {
				return err
			}
			return verdict(findings)
		},
	}
	c.Flags().StringVar(&config, "config", "", "agent.yaml")
	c.Flags().StringVar(&user, "user", "", "a sample user, by user principal name or sAMAccountName, whose rights are looked at")
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

// writeFindings shows them to a person: a line each, and another for what to do.
func writeFindings(w io.Writer, findings []Finding) error {
	for _, f := range findings {
		line := fmt.Sprintf("%-8s %s %s: %s: %s\n", f.Result, f.Group, f.Subject, f.Check, f.Found)
		if f.Advice != "" {
			line += strings.Repeat(" ", 9) + "-> " + f.Advice + "\n"
		}
		if _, err := io.WriteString(w, line); err != nil {
			return fmt.Errorf("write the findings: %w", err)
		}
	}
	return nil
}

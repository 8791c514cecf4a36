package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"passback/scenarios"
	"passback/scenarios/report"
	"passback/scenarios/targets"
)

func conformCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "conform",
		Short: "Run what must hold of password writeback, against this agent and directory or others",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(conformRun(), conformList(), conformReport())
	return c
}

func conformRun() *cobra.Command {
	var target, dir string
	var o report.Options
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the scenarios; exit code 3 if one fails",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := scenarios.ParseFilter(o.Filter); err != nil {
				return usage(err)
			}
			opener, err := openTarget(target)
			if err != nil {
				return err
			}
			o.Progress = c.OutOrStdout()
			r, err := report.Run(c.Context(), opener, o)
			if err != nil {
				return fmt.Errorf("run the scenarios: %w", err)
			}
			r.Summary(c.OutOrStdout())
			if err := r.Write(dir); err != nil {
				return fmt.Errorf("--report-dir: %w", err)
			}
			return r.Err()
		},
	}
	c.Flags().StringVar(&target, "target", "", "what to run against, a YAML `FILE` (default: the fake directory and the agent of this build)")
	c.Flags().StringVar(&o.Filter, "label-filter", "", "run what matches `LABELS`, such as 'Area:policy && !Slow'")
	c.Flags().StringVar(&dir, "report-dir", "report", "write report.json, junit.xml and summary.txt into this `DIRECTORY`")
	c.Flags().Uint64Var(&o.Seed, "seed", 0, "run in an order drawn from this `NUMBER` (default: the order of the list)")
	return c
}

func openTarget(path string) (*targets.Opener, error) {
	var file targets.File
	if path != "" {
		var err error
		if file, err = targets.Load(path); err != nil {
			return nil, fmt.Errorf("--target: %w", err)
		}
	}
	opener, err := targets.New(file)
	if err != nil {
		return nil, fmt.Errorf("--target: %w", err)
	}
	return opener, nil
}

func conformList() *cobra.Command {
	var filter string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the scenarios: id, what holds, labels",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			list, err := report.List(filter)
			if err != nil {
				return usage(err)
			}
			table := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, s := range list {
				fmt.Fprintf(table, "%s\t%s\t%v\n", s.ID, s.Title, s.Requires)
			}
			return table.Flush()
		},
	}
	c.Flags().StringVar(&filter, "label-filter", "", "list what matches `LABELS`, such as 'Area:policy && !Slow'")
	return c
}

func conformReport() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "report",
		Short: "Show the report of an earlier run; exit code 3 if a scenario failed in it",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := report.Read(dir)
			if err != nil {
				return fmt.Errorf("--report-dir: %w", err)
			}
			r.Summary(c.OutOrStdout())
			return r.Err()
		},
	}
	c.Flags().StringVar(&dir, "report-dir", "report", "the `DIRECTORY` that run wrote")
	return c
}

// Command passback is the tool for development and CI: the sandbox, the fakes by themselves, the agent, the
// conformance suites. Its verbs and flags are used by scripts; the names are fixed (ARCHITECTURE.md, "Names").
//
// Exit codes: 0 done, 1 an error (on stderr), 2 wrong usage, 3 a conformance failure, 4 warnings of doctor only.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"passback/scenarios/report"
	"passback/writeback"
)

const exitConform = 3

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	root := command()
	root.SetArgs(args)
	return exitCode(root.ExecuteContext(ctx))
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "passback:", err)
	if errors.Is(err, report.ErrFailed) {
		return exitConform
	}
	return writeback.ExitCode(err)
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "passback",
		Short:         "Password writeback that you can run, test against and trust",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.AddCommand(sandboxCommand(), adCommand(), relayCommand(), writeback.Command(), conformCommand(), waitCommand())
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w (see '%s --help')", err, c.CommandPath()))
	})
	return root
}

// usage is the error of a flag or an argument that cannot be used: the same type as the agent's verbs have.
func usage(err error) error { return &writeback.UsageError{Err: err} }

func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(fmt.Errorf("%q is not a verb of %s (see '%s --help')", args[0], c.CommandPath(), c.CommandPath()))
	}
	return nil
}

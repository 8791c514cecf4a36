package writeback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// A UsageError is a command line that cannot be understood.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// agentName is the binary's; within passback the same verbs are those of "passback agent".
const agentName = "passback-agent"

// Command is the agent's command line: the whole of passback-agent, and "passback agent".
func Command() *cobra.Command {
	root := &cobra.Command{
		Use:           "agent",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: agentName},
		Short:         "The on-premises agent: writes passwords set in the cloud to Active Directory",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			return &UsageError{errors.New("want a verb: enroll, run, doctor, status, explain or unenroll; --help tells more")}
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &UsageError{err} })
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(enrollCommand(), runCommand(), doctorCommand(), statusCommand(), explainCommand(), unenrollCommand())
	return root
}

// Main runs the command line of passback-agent and returns the exit code: 0, or ExitCode's. Errors go to stderr.
func Main(root *cobra.Command, args []string, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root.SetArgs(args)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "%s: %v\n", agentName, err)
	return ExitCode(err)
}

// ExitCode of an error of one of these verbs: 1, for wrong usage 2, for warnings only 4.
func ExitCode(err error) int {
	if _, wrong := errors.AsType[*UsageError](err); wrong {
		return 2
	}
	if errors.Is(err, ErrWarnings) {
		return 4
	}
	return 1
}

func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return &UsageError{err}
		}
		return nil
	}
}

func enrollCommand() *cobra.Command {
	var config, tokenFile string
	c := &cobra.Command{
		Use:   "enroll",
		Short: "Give this host its place in the tenant, with a one-time token",
		Long: "enroll makes the agent's key, sends its public half to the cloud with a one-time token, and keeps the answer in state_dir.\n" +
			"Then it tries the whole path, from each relay to the domain controllers, before it says that all is done.\n" +
			"It may be repeated: the same key and token are answered alike.",
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if config == "" || tokenFile == "" {
				return &UsageError{errors.New("enroll needs --config and --token-file")}
			}
			cfg, err := LoadConfig(config)
			if err != nil {
				return err
			}
			token, err := readSecret(tokenFile)
			if err != nil {
				return fmt.Errorf("--token-file: %w", err)
			}
			return Enroll(c.Context(), cfg, token)
		},
	}
	c.Flags().StringVar(&config, "config", "", "agent.yaml")
	c.Flags().StringVar(&tokenFile, "token-file", "", "file that holds the one-time token")
	return c
}

func unenrollCommand() *cobra.Command {
	var config string
	c := &cobra.Command{
		Use:   "unenroll",
		Short: "Give this host's place in the tenant up, and destroy its keys",
		Long: "unenroll has the cloud take the agent's rights on the relays away and make a new package key, and then destroys the keys in state_dir.\n" +
			"Stop the agent first. If the cloud cannot be reached nothing is destroyed: remove state_dir, and have an administrator unenrol the agent there.",
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := configOf(c, config)
			if err != nil {
				return err
			}
			return Unenroll(c.Context(), cfg)
		},
	}
	c.Flags().StringVar(&config, "config", "", "agent.yaml")
	return c
}

package writeback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"passback/writeback/protocol"
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

func runCommand() *cobra.Command {
	var config, readyFile string
	c := &cobra.Command{
		Use:   "run",
		Short: "Take requests and apply them, until SIGINT or SIGTERM",
		Args:  usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if config == "" {
				return &UsageError{errors.New("run needs --config")}
			}
			cfg, err := LoadConfig(config)
			if err != nil {
				return err
			}
			if err := forbidCores(); err != nil {
				return err
			}
			agent, err := New(cfg)
			if err != nil {
				return err
			}
			return runReady(c.Context(), agent, readyFile)
		},
	}
	c.Flags().StringVar(&config, "config", "", "agent.yaml")
	c.Flags().StringVar(&readyFile, "ready-file", "", "file that appears when the agent serves, and goes when it stops")
	return c
}

// runReady runs the agent with a file that is there exactly while it serves.
func runReady(ctx context.Context, agent *Agent, path string) error {
	if path == "" {
		return agent.Run(ctx)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("--ready-file: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- agent.Run(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-agent.Ready():
	}
	if err := agent.writeReady(path); err != nil {
		return err
	}
	err := <-ended
	if gone := os.Remove(path); err == nil && gone != nil {
		return fmt.Errorf("--ready-file: %w", gone)
	}
	return err
}

// writeReady writes the file whole, or not at all.
func (a *Agent) writeReady(path string) error {
	e := a.current()
	text, err := json.Marshal(struct {
		CAFile  string        `json:"ca_file"`
		AgentID string        `json:"agent_id"`
		Tenant  string        `json:"tenant"`
		Mode    protocol.Mode `json:"mode"`
	}{a.config.CloudCAFile, e.AgentID, e.Tenant, e.Mode})
	if err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	if err := (state{dir}).write(name, text); err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	return nil
}

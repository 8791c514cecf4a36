package writeback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"passback/writeback/protocol"
)

func runCommand() *cobra.Command {
	var config, readyFile string
	c := &cobra.Command{
		Use:   "run",
		Short: "Take requests and apply them, until SIGINT or SIGTERM",
		Long: "run serves until SIGINT or SIGTERM, and reads its configuration anew at SIGHUP: all of it but cloud, state_dir and log.format.\n" +
			"Under systemd it says when it serves, and feeds the watchdog.",
		Args: usage(cobra.NoArgs),
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
			paceCollector()
			agent, err := New(cfg)
			if err != nil {
				return err
			}
			if agent.supervisor, err = findSupervisor(); err != nil {
				return err
			}
			defer reloadOnHangUp(agent, config)()
			return runReady(c.Context(), agent, readyFile)
		},
	}
	c.Flags().StringVar(&config, "config", "", "agent.yaml")
	c.Flags().StringVar(&readyFile, "ready-file", "", "file that appears when the agent serves, and goes when it stops")
	return c
}

// reloadOnHangUp reads the configuration anew at each SIGHUP, until stop is called. One that is wrong is told of, and
// the agent works on by the old one.
func reloadOnHangUp(agent *Agent, path string) (stop func()) {
	hangUp, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangUp, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-hangUp:
			case <-done:
				return
			}
			c, err := LoadConfig(path)
			if err == nil {
				err = agent.Reload(c)
			}
			if err != nil {
				agent.log.event(eventConfigurationError, "The configuration was not reloaded; the old one serves on.", "error", err)
			}
		}
	}()
	return func() {
		signal.Stop(hangUp)
		close(done)
	}
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
	}{a.configuration().CloudCAFile, e.AgentID, e.Tenant, e.Mode})
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

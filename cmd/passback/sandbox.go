package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"passback/sim"
)

// sandboxFlags are the flags of `passback sandbox`. What is given on the command line goes before the file.
type sandboxFlags struct {
	config, readyFile, listen, directory string
	randomPorts, withoutAgent, real      bool
}

func sandboxCommand() *cobra.Command {
	var f sandboxFlags
	c := &cobra.Command{
		Use:   "sandbox",
		Short: "Run the whole world: cloud, relay, agent, directory, and a web page",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return serveSandbox(c, f) },
	}
	c.Flags().StringVar(&f.config, "config", "", "world.yaml: another company, other ports (`FILE`; default: the built-in company)")
	c.Flags().StringVar(&f.readyFile, "ready-file", "", "write this `FILE` when a reset would succeed")
	c.Flags().StringVar(&f.listen, "listen", "", "`IP` to listen on (default 127.0.0.1)")
	c.Flags().BoolVar(&f.randomPorts, "random-ports", false, "pick free ports instead of the usual ones")
	c.Flags().BoolVar(&f.withoutAgent, "without-agent", false, "start no agent: enrol one from outside")
	c.Flags().StringVar(&f.directory, "directory", "", "use the domain controller at this `URL`, described in the configuration, instead of the fake one")
	c.Flags().BoolVar(&f.real, "yes-this-is-real", false, "let --directory be outside of test names: real passwords will be changed")
	return c
}

func (f sandboxFlags) options() (sim.Options, error) {
	o := sim.Options{Ports: sim.DefaultPorts()}
	if f.config != "" {
		var err error
		if o, err = sim.LoadOptions(f.config); err != nil {
			return o, fmt.Errorf("--config: %w", err)
		}
	}
	if f.listen != "" {
		o.Listen = f.listen
	}
	if f.randomPorts {
		o.Ports = sim.Ports{}
	}
	o.WithoutAgent = o.WithoutAgent || f.withoutAgent
	if f.directory != "" {
		if o.External == nil {
			return o, usage(errors.New("--directory needs to know the domain and the account: name them in the directory section of --config"))
		}
		o.External.URL = f.directory
	}
	if o.External != nil {
		o.External.YesThisIsReal = f.real
	}
	return o, nil
}

func serveSandbox(c *cobra.Command, f sandboxFlags) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	o.Logger = slog.New(slog.NewTextHandler(c.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	ready := readyFile(f.readyFile)
	if err := ready.remove(); err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(sim.CollectAt)
	}
	world, err := sim.NewWorld(o)
	if err != nil {
		return fmt.Errorf("start the sandbox: %w", err)
	}
	return serve(c.Context(), ready, world.ReadyFile(), func() { announceWorld(c.OutOrStdout(), world) }, world.Close)
}

// announceWorld tells a person everything, and a log file where to look; it would keep the passwords.
func announceWorld(w io.Writer, world *sim.World) {
	if term.IsTerminal(int(os.Stdout.Fd())) {
		printWorld(w, world)
	} else {
		fmt.Fprintf(w, "serving at %s\n", world.WebURL())
	}
}

// printWorld says what to open and what to paste.
func printWorld(w io.Writer, world *sim.World) {
	f := world.ReadyFile()
	fmt.Fprintf(w, "The sandbox is up. Nothing in it is real, and all of it is gone when you stop it (Ctrl-C).\n\n  Open  %s\n\nWho can be tried:\n\n", f.Web)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, p := range world.People() {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", p.UPN, p.Password, p.Shows)
	}
	_ = table.Flush()
	fmt.Fprintf(w, "\nReset a password as the administrator, by Graph:\n\n%s", indent(graphLines(f)))
	if f.Directory.AdminDN != "" {
		fmt.Fprintf(w, "\nAsk the directory:\n\n%s", indent(ldapLines(f)))
	}
	fmt.Fprintf(w, `
Connect Service Bus clients:

  %s
  %s
  %s

CA of every TLS port: %s
`, f.Relay.AMQP, f.Relay.AMQPS, f.Relay.WebSocket, f.CAFile)
	if len(world.Cloud.Agents()) == 0 {
		fmt.Fprintf(w, "\nNo agent runs. Enrol one:\n\n%s", indent(enrolLines(f)))
	}
}

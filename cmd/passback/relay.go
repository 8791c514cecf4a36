package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"passback/fakerelay"
)

// heapFloor is memory that is reserved and never touched, so that it costs none. The garbage collector runs each time
// the heap has doubled; a relay's is a few MB while clients keep up, and would be collected for every few hundred
// messages, which costs a fifth of its CPU. With this floor it is for every 64 MB, and no later than before once
// messages pile up. It belongs to a process that is a relay and nothing else: hence here, not in fakerelay.
const heapFloor = 64 << 20

// relayFlags are the flags of `passback relay`.
type relayFlags struct {
	options                 fakerelay.Options
	keys                    []string
	tier, config, readyFile string
	trace                   bool
}

func relayCommand() *cobra.Command {
	var f relayFlags
	c := &cobra.Command{
		Use:   "relay",
		Short: "Serve a fake Azure Service Bus namespace",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return serveRelay(c, f) },
	}
	c.AddCommand(relayExportCommand())
	c.Flags().StringVar(&f.config, "config", "", "the official emulator's Config.json (`FILE`; default: queue queue.1, topic topic.1 with subscription.1)")
	c.Flags().StringVar(&f.options.Listen, "listen", "127.0.0.1", "`IP` to listen on")
	c.Flags().IntVar(&f.options.AMQPPort, "amqp-port", 5672, "plain AMQP `PORT`; 0 picks a free one")
	c.Flags().IntVar(&f.options.AMQPSPort, "amqps-port", 5671, "AMQP over TLS `PORT`; 0 picks a free one")
	c.Flags().IntVar(&f.options.HTTPSPort, "https-port", 10443, "WebSocket and management `PORT`; 0 picks a free one")
	c.Flags().IntVar(&f.options.IdentityPort, "identity-port", 0, "managed identity endpoint `PORT`, for programs that take tokens from IDENTITY_ENDPOINT; 0 picks a free one")
	c.Flags().StringVar(&f.tier, "tier", fakerelay.Standard.String(), "`TIER` to be: standard (messages of 256 KiB) or premium (1 MiB)")
	c.Flags().StringArrayVar(&f.keys, "key", nil, "a key of the namespace, `NAME=SECRET=CLAIMS`, with claims of Manage,Send,Listen; repeatable (default: a random RootManageSharedAccessKey)")
	c.Flags().BoolVar(&f.trace, "trace", false, "write each frame to stderr, decoded, without tokens and without what messages hold")
	c.Flags().StringVar(&f.readyFile, "ready-file", "", "write this `FILE` when serving")
	return c
}

func serveRelay(c *cobra.Command, f relayFlags) error {
	for _, text := range f.keys {
		key, err := parseKey(text)
		if err != nil {
			return usage(err)
		}
		f.options.Keys = append(f.options.Keys, key)
	}
	var err error
	if f.options.Tier, err = fakerelay.ParseTier(f.tier); err != nil {
		return usage(fmt.Errorf("--tier: %w", err))
	}
	if f.config != "" {
		if err := readEmulatorConfig(c.ErrOrStderr(), f.config, &f.options); err != nil {
			return err
		}
	}
	ready := readyFile(f.readyFile)
	if err := ready.remove(); err != nil {
		return err
	}
	namespace, err := fakerelay.New(f.options)
	if err != nil {
		return fmt.Errorf("start the namespace: %w", err)
	}
	if f.trace {
		defer namespace.Trace(c.ErrOrStderr())()
	}
	ca, removeCA, err := caFile("relay", namespace.CA().PEM())
	if err != nil {
		return errors.Join(err, namespace.Close())
	}
	defer removeCA()
	ballast := make([]byte, heapFloor)
	defer runtime.KeepAlive(ballast)
	content := map[string]any{"ca_file": ca, "relay": relayPart(namespace)}
	return serve(c.Context(), ready, content, func() { printRelay(c.OutOrStdout(), namespace, ca) }, namespace.Close)
}

func relayPart(n *fakerelay.Namespace) map[string]string {
	return map[string]string{
		"amqp": n.ConnectionString(), "amqps": n.TLSConnectionString(), "websocket": n.WebSocketURL(),
		"management": n.ManagementURL(), "identity": n.IdentityURL(), "control": n.ControlURL(), "control_token": n.ControlToken(),
	}
}

func printRelay(w io.Writer, n *fakerelay.Namespace, caFile string) {
	fmt.Fprintf(w, `A fake Service Bus namespace serves until it is interrupted. Connection strings, by transport:

  plain      %s
  TLS        %s
  WebSocket  %s

  management %s
  control    %s (faults, trace, reset, restart, config; control_token of the ready file)
  identity   %s (IDENTITY_ENDPOINT; IDENTITY_HEADER may be anything)
  CA         %s (SSL_CERT_FILE for programs that you cannot change)
`, n.ConnectionString(), n.TLSConnectionString(), n.WebSocketURL(), n.ManagementURL(), n.ControlURL(), n.IdentityURL(), caFile)
}

// readEmulatorConfig reads the entities of a Config.json, and warns of what has no effect.
func readEmulatorConfig(warn io.Writer, path string, o *fakerelay.Options) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	defer file.Close()
	entities, warnings, err := fakerelay.ReadConfig(file)
	if err != nil {
		return fmt.Errorf("--config %s: %w", path, err)
	}
	for _, w := range warnings {
		fmt.Fprintf(warn, "passback: warning: %s: %s\n", path, w)
	}
	o.Queues, o.Topics = entities.Queues, entities.Topics
	return nil
}

package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"
)

func relayExportCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "export --ready-file FILE",
		Short: "Print a running namespace's entities as a Config.json of the official emulator",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if file == "" {
				return usage(errors.New("--ready-file is missing: name the file that was given to relay"))
			}
			return exportRelay(c.Context(), file, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&file, "ready-file", "", "the `FILE` that was given to relay")
	return c
}

// exportRelay asks the control API of the namespace that a ready file tells of.
func exportRelay(ctx context.Context, file string, out, warn io.Writer) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("the ready file: %w", err)
	}
	var ready struct {
		CAFile string `json:"ca_file"`
		Relay  struct {
			Control string `json:"control"`
			Token   string `json:"control_token"`
		} `json:"relay"`
	}
	if err := json.Unmarshal(text, &ready); err != nil || ready.Relay.Control == "" {
		return fmt.Errorf("%s is not a ready file of relay", file)
	}
	pool, err := readPool(ready.CAFile)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, ready.Relay.Control+"/config", nil)
	if err != nil {
		return fmt.Errorf("address %q of the ready file: %w", ready.Relay.Control, err)
	}
	request.Header.Set("Authorization", ready.Relay.Token)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	defer client.CloseIdleConnections()
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask the namespace: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the namespace answers %s: is one of its keys allowed to Manage?", answer.Status)
	}
	for _, warning := range answer.Header.Values("Warning") {
		fmt.Fprintf(warn, "passback: warning: %s\n", warning)
	}
	if _, err := io.Copy(out, answer.Body); err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	return nil
}

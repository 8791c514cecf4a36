package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"passback/clock"
	"passback/fakerelay"
)

// entities are those that the SDK's tests find, as its test-resources.bicep makes them.
const entities = `{"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": [
	{"Name": "testQueue", "Properties": {}},
	{"Name": "testQueueWithSessions", "Properties": {"RequiresSession": true, "LockDuration": "PT5M"}}
], "Topics": []}]}}`

const startTimeout = 20 * time.Second

var relayKeys = []fakerelay.Key{
	{Name: fakerelay.RootKeyName, Secret: fakerelay.NewSecret(), Rights: fakerelay.Manage | fakerelay.Send | fakerelay.Listen},
	{Name: "NoManage", Secret: fakerelay.NewSecret(), Rights: fakerelay.Send | fakerelay.Listen},
	{Name: "SendOnly", Secret: fakerelay.NewSecret(), Rights: fakerelay.Send},
	{Name: "ListenOnly", Secret: fakerelay.NewSecret(), Rights: fakerelay.Listen},
}

// A relay is one `passback relay`.
type relay struct {
	host, ca, identity string
	process            *exec.Cmd
}

// startRelay serves a tier at the ports that the SDK takes when it is given none.
func startRelay(ctx context.Context, p *plan, tier, host string) (*relay, error) {
	config, ready := filepath.Join(p.Dir, "config.json"), filepath.Join(p.Dir, tier+".ready")
	if err := os.WriteFile(config, []byte(entities), 0o600); err != nil {
		return nil, fmt.Errorf("write the relay's config: %w", err)
	}
	arguments := []string{
		"relay", "--tier", tier, "--listen", host, "--amqp-port", "0", "--amqps-port", "5671", "--https-port", "443",
		"--config", config, "--ready-file", ready,
	}
	for _, k := range relayKeys {
		arguments = append(arguments, "--key", k.Name+"="+k.Secret+"="+k.Rights.String())
	}
	log, err := os.Create(filepath.Join(p.Dir, tier+".log"))
	if err != nil {
		return nil, fmt.Errorf("make the relay's log: %w", err)
	}
	defer log.Close()
	r := &relay{host: host, process: command(ctx, p.Dir, p.Relay, arguments...)}
	r.process.Stderr = log
	if err := r.process.Start(); err != nil {
		return nil, fmt.Errorf("start the %s relay: %w", tier, err)
	}
	if err := r.await(ctx, ready); err != nil {
		r.stop()
		return nil, fmt.Errorf("the %s relay: %w; see %s", tier, err, log.Name())
	}
	return r, nil
}

// await reads the ready file once it is there.
func (r *relay) await(ctx context.Context, file string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		content, err := os.ReadFile(file) //nolint:gosec // in the folder of this run
		if err == nil {
			var ready struct {
				CA    string `json:"ca_file"`
				Relay struct{ Identity string }
			}
			if err := json.Unmarshal(content, &ready); err != nil {
				return fmt.Errorf("read its ready file: %w", err)
			}
			r.ca, r.identity = ready.CA, ready.Relay.Identity
			return nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("read its ready file: %w", err)
		}
		if clock.Sleep(ctx, clock.Real(), 50*time.Millisecond) != nil {
			return errors.New("was not ready in time")
		}
	}
}

func (r *relay) stop() {
	if err := r.process.Process.Signal(os.Interrupt); err == nil {
		r.process.Wait() //nolint:errcheck,gosec // how it ends says nothing of the tests
	}
}

// connection is a connection string.
func (r *relay) connection(k fakerelay.Key) string {
	return "Endpoint=sb://" + r.host + "/;SharedAccessKeyName=" + k.Name + ";SharedAccessKey=" + k.Secret
}

// environment is what the SDK's tests read; see its internal/test/test_helpers.go.
func environment(standard, premium *relay, caFile string) []string {
	return append(os.Environ(),
		"AZURE_RECORD_MODE=live",
		"SERVICEBUS_ENDPOINT="+standard.host,
		"SERVICEBUS_ENDPOINT_PREMIUM="+premium.host,
		"SERVICEBUS_CONNECTION_STRING="+standard.connection(relayKeys[0]),
		"SERVICEBUS_CONNECTION_STRING_PREMIUM="+premium.connection(relayKeys[0]),
		"SERVICEBUS_CONNECTION_STRING_NO_MANAGE="+standard.connection(relayKeys[1]),
		"SERVICEBUS_CONNECTION_STRING_SEND_ONLY="+standard.connection(relayKeys[2]),
		"SERVICEBUS_CONNECTION_STRING_LISTEN_ONLY="+standard.connection(relayKeys[3]),
		"SSL_CERT_FILE="+caFile,
		"AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential",
		"IDENTITY_ENDPOINT="+standard.identity,
		"IDENTITY_HEADER=anything",
	)
}

// trust writes the authorities of both relays into one file.
func trust(dir string, relays ...*relay) (string, error) {
	var all []byte
	for _, r := range relays {
		content, err := os.ReadFile(r.ca)
		if err != nil {
			return "", fmt.Errorf("read an authority: %w", err)
		}
		all = append(all, content...)
	}
	file := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(file, all, 0o600); err != nil {
		return "", fmt.Errorf("write the authorities: %w", err)
	}
	return file, nil
}

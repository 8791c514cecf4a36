package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	goamqp "github.com/Azure/go-amqp"
)

const (
	nameRelay  = "fakerelay"
	nameBefore = "before"
)

// emulatorConfig has the workloads' queues, in the official emulator's form.
const emulatorConfig = `{"UserConfig": {"Namespaces": [{"Name": "bench", "Queues": [
	{"Name": "` + requests + `"}, {"Name": "` + replies + `"}, {"Name": "` + oneWay + `"}]}]}}`

// startRelay starts `passback relay`.
func startRelay(ctx context.Context, name, binary, dir string) (*broker, error) {
	config := filepath.Join(dir, "Config.json")
	if err := os.WriteFile(config, []byte(emulatorConfig), 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	const user, secret = "bench", "bench-secret"
	b := &broker{
		name: name, url: fmt.Sprintf("amqp://127.0.0.1:%d", port), sasl: goamqp.SASLTypePlain(user, secret),
		cmd: exec.CommandContext(ctx, binary, "relay", "--config", config, "--amqp-port", fmt.Sprint(port),
			"--amqps-port", "0", "--https-port", "0", "--key", user+"="+secret+"=Manage,Send,Listen"),
	}
	return b, b.start(ctx, 10*time.Second)
}

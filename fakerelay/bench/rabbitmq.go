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

const nameRabbitMQ = "RabbitMQ"

// rabbitServer is where Debian keeps the script that starts the server as the user who calls it.
const rabbitServer = "/usr/lib/rabbitmq/bin/rabbitmq-server"

// startRabbitMQ starts a server with its AMQP 1.0 plugin on ports and in a folder of its own.
func startRabbitMQ(ctx context.Context, dir string) (*broker, error) {
	if err := installed(rabbitServer); err != nil {
		return nil, err
	}
	var ports [3]int // of AMQP, of Erlang's distribution, of its port mapper
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	plugins := filepath.Join(dir, "enabled_plugins")
	if err := os.WriteFile(plugins, []byte("[rabbitmq_amqp1_0].\n"), 0o600); err != nil {
		return nil, fmt.Errorf("enable the plugin: %w", err)
	}
	mapper := fmt.Sprintf("ERL_EPMD_PORT=%d", ports[2])
	b := &broker{
		name: nameRabbitMQ, url: fmt.Sprintf("amqp://127.0.0.1:%d", ports[0]), sasl: goamqp.SASLTypePlain("guest", "guest"), prefix: "/queue/",
		cmd: exec.CommandContext(ctx, rabbitServer),
		after: func() { // the port mapper outlives the server
			kill := exec.Command("epmd", "-kill")
			kill.Env = append(os.Environ(), mapper)
			_ = kill.Run()
		},
	}
	b.cmd.Env = append(os.Environ(), mapper, "ERL_EPMD_ADDRESS=127.0.0.1", "HOME="+dir, "RABBITMQ_NODENAME=bench@localhost",
		"RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", fmt.Sprintf("RABBITMQ_NODE_PORT=%d", ports[0]), fmt.Sprintf("RABBITMQ_DIST_PORT=%d", ports[1]),
		"RABBITMQ_MNESIA_BASE="+filepath.Join(dir, "mnesia"), "RABBITMQ_LOG_BASE="+filepath.Join(dir, "log"),
		"RABBITMQ_ENABLED_PLUGINS_FILE="+plugins, "RABBITMQ_CONF_ENV_FILE="+os.DevNull, "RABBITMQ_CONFIG_FILE="+filepath.Join(dir, "none"))
	return b, b.start(ctx, 2*time.Minute)
}

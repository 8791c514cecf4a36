package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	goamqp "github.com/Azure/go-amqp"
)

// A broker is a running process, and how a client reaches its queues.
type broker struct {
	name   string
	url    string
	sasl   goamqp.SASLType
	prefix string // of a queue's name in an address
	cmd    *exec.Cmd
	after  func() // what else is to be done once it has ended; nil: nothing
}

// errNotInstalled says that a peer cannot be started here.
var errNotInstalled = errors.New("not installed")

// The queues of the workloads.
const (
	requests = "requests"
	replies  = "replies"
	oneWay   = "one-way"
)

// startAll starts fakerelay, and those of its peers that are there; missing names the others.
func startAll(ctx context.Context, o options, dir string) (brokers []*broker, missing []string, err error) {
	for _, relay := range []struct{ name, binary string }{{nameRelay, o.relay}, {nameBefore, o.before}} {
		if relay.binary == "" {
			continue
		}
		b, err := startRelay(ctx, relay.name, relay.binary, dir)
		if err != nil {
			return brokers, nil, fmt.Errorf("start %s: %w", relay.binary, err)
		}
		brokers = append(brokers, b)
	}
	if o.alone {
		return brokers, []string{"the peers: -alone"}, nil
	}
	for _, peer := range []struct {
		name  string
		start func(context.Context, string) (*broker, error)
	}{{nameRabbitMQ, startRabbitMQ}, {nameRhea, startRhea}} {
		b, err := peer.start(ctx, dir)
		if errors.Is(err, errNotInstalled) {
			missing = append(missing, fmt.Sprintf("%s, and how fakerelay compares with it: %v", peer.name, err))
			continue
		}
		if err != nil {
			return brokers, missing, fmt.Errorf("start %s: %w", peer.name, err)
		}
		brokers = append(brokers, b)
	}
	return brokers, missing, nil
}

// start runs a command in a process group of its own, and waits until a client gets a session. Its output is shown if
// that does not happen.
func (b *broker) start(ctx context.Context, within time.Duration) error {
	var output strings.Builder
	b.cmd.Stdout, b.cmd.Stderr = &output, &output
	b.ownGroup()
	if err := b.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", b.cmd.Path, err)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		c, err := b.dial(ctx)
		if err == nil {
			return c.Close() //nolint:wrapcheck // nobody looks at it
		}
		if pause(ctx, 100*time.Millisecond) != nil {
			b.stop()
			return fmt.Errorf("%s does not serve after %v: %w\n%s", b.name, within, err, output.String())
		}
	}
}

// stop ends the broker's process group, and waits for it.
func (b *broker) stop() {
	b.terminate()
	_ = b.cmd.Wait()
	if b.after != nil {
		b.after()
	}
}

func (b *broker) dial(ctx context.Context) (*goamqp.Conn, error) {
	return goamqp.Dial(ctx, b.url, &goamqp.ConnOptions{SASLType: b.sasl}) //nolint:wrapcheck // says enough
}

// freePort finds a port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	rest, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-rest.Done()
	return ctx.Err()
}

// installed reports errNotInstalled where a program is not there.
func installed(program string) error {
	if _, err := exec.LookPath(program); err != nil {
		if _, err := os.Stat(program); err != nil {
			return fmt.Errorf("%s: %w", program, errNotInstalled)
		}
	}
	return nil
}

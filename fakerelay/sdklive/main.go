// Sdklive runs the live tests of the stock Go SDK, azservicebus, against two `passback relay` processes, a standard
// and a premium namespace. The tests are built from the module cache as they are: nothing of them is copied or changed.
//
// They want the ports 443 and 5671, several loopback addresses and a host name of their own, so that everything runs
// in a network and a mount namespace: the machine's ports and its /etc/hosts stay as they are. Linux only, as root or
// where users may make namespaces. Which tests are live is found out by running them in their playback mode first:
// live ones skip there. In the run that counts none may skip, but those of allowedSkips.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// allowedSkips are the live tests that may skip, and why.
var allowedSkips = map[string]string{
	"TestReceiveWithDelay": "needs an AMQP fault injector of the SDK's authors (AMQP_FAULT_INJECTOR_PATH)",
}

// exitNotRun says that nothing was found out here: EX_TEMPFAIL of sysexits(3).
const exitNotRun = 75

// options are what one asks for.
type options struct {
	module  string        // the SDK and its version
	dir     string        // where binaries and logs go
	run     string        // which tests, as go test -run
	timeout time.Duration // of each package
	relay   string        // a built passback; empty: build it
}

func main() {
	var o options
	flag.StringVar(&o.module, "module", "github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus@v1.11.0", "the SDK, as `PATH@VERSION`")
	flag.StringVar(&o.dir, "dir", "", "keep binaries and logs in this `DIR` (default: a temporary one, removed if all went well)")
	flag.StringVar(&o.run, "run", "", "only tests whose names match this `REGEXP`, as go test -run")
	flag.DurationVar(&o.timeout, "timeout", 10*time.Minute, "of each package")
	flag.StringVar(&o.relay, "relay", "", "the passback `BINARY` (default: built from here)")
	inside := flag.String("inside", "", "used by the program itself")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *inside != "" {
		err = runInside(ctx, *inside)
	} else {
		err = start(ctx, o)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "sdklive: %v\n", err)
		stop()
		if errors.Is(err, errNoNamespaces) {
			os.Exit(exitNotRun) //nolint:gocritic // stop has run
		}
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

// start builds everything, and goes on in namespaces of its own.
func start(ctx context.Context, o options) (err error) {
	temporary := o.dir == ""
	if temporary {
		if o.dir, err = os.MkdirTemp("", "sdklive-"); err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return fmt.Errorf("find the folder: %w", err)
	}
	if o.relay != "" { // it is started from another folder
		if o.relay, err = filepath.Abs(o.relay); err != nil {
			return fmt.Errorf("find the relay: %w", err)
		}
	}
	p, err := build(ctx, o)
	if err != nil {
		return err
	}
	if err := p.write(); err != nil {
		return err
	}
	if err := isolated(ctx, p.path()); err != nil {
		if errors.Is(err, errFailed) {
			err = fmt.Errorf("%w: logs are in %s", err, o.dir)
		}
		return err
	}
	if temporary {
		return os.RemoveAll(o.dir) //nolint:wrapcheck // names the folder
	}
	return nil
}

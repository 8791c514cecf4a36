// Bench measures fakead beside its peers: binds and searches beside OpenLDAP's slapd, password resets beside a real
// Samba domain controller, over LDAP and LDAPS, with pre-encoded requests on raw connections, the same for both. The
// servers are processes of their own, and take turns; the ratio is the median of the turns. The CPU that a server
// spends on an operation tells more than rates where a machine is shared. Then it measures fakead alone: how soon the
// first bind is answered, and what a million users cost.
//
// What a machine lacks is not measured, and the last lines say so: slapd (Debian's package) and, for Samba, root,
// mmdebstrap and a domain controller that fakead/oracle/samba.sh has made before.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are what one asks for.
type options struct {
	turn    time.Duration // how long a server is measured at a time
	turns   int
	users   int // of the directory that is measured for size
	skip    string
	oracle  string // samba.sh
	profile string // where the CPU profile of fakead goes
}

// errUnmeasured is wrapped by the reason why something was not measured.
var errUnmeasured = errors.New("not measured")

func main() {
	var o options
	flag.DurationVar(&o.turn, "turn", time.Second, "how long a server is measured at a time")
	flag.IntVar(&o.turns, "turns", 3, "how often each of two servers has its turn")
	flag.IntVar(&o.users, "users", 1_000_000, "how many users the large directory has")
	flag.StringVar(&o.skip, "skip", "", "what not to measure: slapd, samba, start, size, with commas between")
	flag.StringVar(&o.oracle, "oracle", "fakead/oracle/samba.sh", "the `SCRIPT` that starts the real domain controller")
	flag.StringVar(&o.profile, "profile", "", "write the CPU profile of the last fake domain controller under load to this `FILE`")
	serve := flag.Bool("serve", false, "used by the program itself: be the fake domain controller")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *serve {
		err = serveFake(ctx, o, os.Stdout)
	} else {
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

// run measures what is there to measure.
func run(ctx context.Context, o options) error {
	var unmeasured []error
	for _, section := range []struct {
		name    string
		measure func(context.Context, options) error
	}{
		{"slapd", besideSlapd}, {"samba", besideSamba}, {"start", start}, {"size", size},
	} {
		if o.skips(section.name) {
			continue
		}
		err := section.measure(ctx, o)
		switch {
		case errors.Is(err, errUnmeasured):
			unmeasured = append(unmeasured, err)
		case err != nil:
			return fmt.Errorf("%s: %w", section.name, err)
		}
	}
	for _, err := range unmeasured {
		fmt.Println(err)
	}
	return nil
}

// Bench measures fakerelay as a message broker beside its peers, in one run: RabbitMQ with its AMQP 1.0 plugin, and a
// broker of about a hundred lines on rhea, the library that JavaScript's clients stand on. Each broker is a process of
// its own, so that its CPU is told apart from the client's. They take turns: every round asks each of them once, and
// the ratios that are printed are of one round. What else the machine does then falls on all alike. Before that it
// measures what has no peer: how soon a namespace serves, and what a backlog of a million messages costs.
//
// A peer that is not installed is named, with what was therefore not measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options are what one asks for.
type options struct {
	relay    string        // a built passback
	before   string        // another, to see what a change does; empty: none
	rounds   int           // in which each broker has a turn at each workload
	duration time.Duration // of a turn
	only     string        // workloads whose names contain this
	alone    bool          // no peers
}

func main() {
	var o options
	flag.StringVar(&o.relay, "relay", "bin/passback", "the passback `BINARY`")
	flag.StringVar(&o.before, "before", "", "another passback `BINARY`, such as that before a change, which takes turns too")
	flag.IntVar(&o.rounds, "rounds", 5, "turns of each broker at each workload")
	flag.DurationVar(&o.duration, "duration", 2*time.Second, "of a turn")
	flag.StringVar(&o.only, "only", "", "only workloads whose names contain `TEXT`")
	flag.BoolVar(&o.alone, "alone", false, "without the peers")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "relay-bench-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	brokers, missing, err := startAll(ctx, o, dir)
	defer func() {
		for _, b := range brokers {
			b.stop()
		}
	}()
	if err != nil {
		return err
	}
	if err := inside(ctx, os.Stdout, o.only); err != nil {
		return err
	}
	var results []result
	for _, w := range workloads {
		if !strings.Contains(w.name, o.only) {
			continue
		}
		r, err := compare(ctx, w, brokers, o)
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	printResults(os.Stdout, brokers, results)
	for _, m := range missing {
		fmt.Printf("not measured: %s\n", m)
	}
	return nil
}

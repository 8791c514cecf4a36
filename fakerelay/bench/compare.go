package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"passback/clock"
)

// A turn is what one broker did in one round.
type turn struct {
	rate float64 // a second
	cpu  float64 // microseconds of the broker's CPU for each
	err  error   // nil: it ended well, and the others hold
}

// A result is a workload's: turns by broker, each list in the order of rounds.
type result struct {
	workload string
	turns    [][]turn
}

// warmUp is how long a workload runs before it is measured.
const warmUp = 300 * time.Millisecond

// compare gives each broker its turn in each round. The order is turned round each time.
func compare(ctx context.Context, w workload, brokers []*broker, o options) (result, error) {
	r := result{workload: w.name, turns: make([][]turn, len(brokers))}
	order := make([]int, len(brokers))
	for i := range order {
		order[i] = i
	}
	for range o.rounds {
		slices.Reverse(order)
		for _, i := range order {
			t, err := takeTurn(ctx, w, brokers[i], o.duration)
			if err != nil && ctx.Err() != nil {
				return r, fmt.Errorf("%s: %s: %w", brokers[i].name, w.name, err)
			}
			t.err = err
			r.turns[i] = append(r.turns[i], t)
		}
	}
	return r, nil
}

// failed counts a broker's turns that failed, and gives the first one's error.
func failed(turns []turn) (count int, first error) {
	for _, t := range turns {
		if t.err != nil {
			if count++; first == nil {
				first = t.err
			}
		}
	}
	return count, first
}

func takeTurn(ctx context.Context, w workload, b *broker, duration time.Duration) (turn, error) {
	running, stop := context.WithCancel(ctx)
	defer stop()
	var done atomic.Int64
	ended := make(chan error, 1)
	go func() { ended <- w.run(running, b, &done) }()

	if err := pause(ctx, warmUp); err != nil {
		return turn{}, err
	}
	cpu, err := b.cpuTime()
	if err != nil {
		return turn{}, err
	}
	before, start := done.Load(), clock.Real().Now()
	if err := pause(ctx, duration); err != nil {
		return turn{}, err
	}
	count, took := float64(done.Load()-before), clock.Real().Now().Sub(start)
	used, err := b.cpuTime()
	if err != nil {
		return turn{}, err
	}
	stop()
	select {
	case err = <-ended:
	case <-stalled(ctx):
		err = fmt.Errorf("stalled: %d were done, and what was under way when no more were begun did not end within %v", done.Load(), patience)
	}
	if err != nil {
		return turn{}, err
	}
	return turn{rate: count / took.Seconds(), cpu: float64((used - cpu).Microseconds()) / count}, nil
}

// patience is how long a broker gets to finish what is under way.
const patience = 10 * time.Second

func stalled(ctx context.Context) <-chan struct{} {
	limit, cancel := context.WithTimeout(ctx, patience)
	context.AfterFunc(limit, cancel)
	return limit.Done()
}

// printResults writes a table: rates and CPU, and of each peer how it compares, round by round.
func printResults(out io.Writer, brokers []*broker, results []result) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "workload\tbroker\ta second\t(least to most)\tbroker's CPU each\tfakerelay's rate is\tits CPU is")
	for _, r := range results {
		for i, b := range brokers {
			if count, first := failed(r.turns[i]); count > 0 {
				fmt.Fprintf(t, "%s\t%s\tfailed in %d of %d turns\t%v\n", r.workload, b.name, count, len(r.turns[i]), first)
				continue
			}
			rates := each(r.turns[i], func(t turn) float64 { return t.rate })
			fmt.Fprintf(t, "%s\t%s\t%.0f\t(%.0f to %.0f)\t%.0f µs", r.workload, b.name, median(rates), slices.Min(rates), slices.Max(rates),
				median(each(r.turns[i], func(t turn) float64 { return t.cpu })))
			if own, _ := failed(r.turns[0]); i > 0 && own == 0 {
				fmt.Fprintf(t, "\t%.2f times\t1/%.2f", ratio(r.turns[0], r.turns[i], func(t turn) float64 { return t.rate }),
					ratio(r.turns[i], r.turns[0], func(t turn) float64 { return t.cpu }))
			}
			fmt.Fprintln(t)
		}
	}
	_ = t.Flush()
}

// ratio is the median over the rounds of a's value to b's.
func ratio(a, b []turn, value func(turn) float64) float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = value(a[i]) / value(b[i])
	}
	return median(ratios)
}

func each(turns []turn, value func(turn) float64) []float64 {
	values := make([]float64, len(turns))
	for i, t := range turns {
		values[i] = value(t)
	}
	return values
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

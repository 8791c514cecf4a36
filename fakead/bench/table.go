package main

// Turn by turn, and what the turns come to.

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A pair is one comparison.
type pair struct {
	peer, ours  *server
	what        string
	secure      bool
	connections int
	asked       map[*server][][]byte
}

type table struct{ peer string }

func newTable(title, peer string) table {
	fmt.Printf("\n%s\n%-8s %-6s %5s %12s %12s %7s %12s %12s\n", title, "", "", "conns", peer+"/s", "fakead/s", "ratio", peer+" CPU", "fakead CPU")
	return table{peer}
}

// measure lets both have their turns, one after the other, and prints a row.
func (t table) measure(ctx context.Context, o options, p pair) error {
	figures := map[*server][]figure{}
	for range o.turns {
		for _, s := range []*server{p.peer, p.ours} {
			f, err := s.load(ctx, p.secure, p.connections, p.asked[s], o.turn)
			if err != nil {
				return err
			}
			figures[s] = append(figures[s], f)
		}
	}
	var ratios []float64
	for i, f := range figures[p.ours] {
		ratios = append(ratios, f.rate/figures[p.peer][i].rate)
	}
	scheme := "LDAP"
	if p.secure {
		scheme = "LDAPS"
	}
	rate := func(f figure) float64 { return f.rate }
	cpu := func(f figure) float64 { return float64(f.cpu) / float64(time.Microsecond) }
	fmt.Printf("%-8s %-6s %5d %12.0f %12.0f %7.2f %9.1f µs %9.1f µs\n", p.what, scheme, p.connections,
		medianOf(figures[p.peer], rate), medianOf(figures[p.ours], rate), median(ratios), medianOf(figures[p.peer], cpu), medianOf(figures[p.ours], cpu))
	return nil
}

func medianOf(figures []figure, of func(figure) float64) float64 {
	var values []float64
	for _, f := range figures {
		values = append(values, of(f))
	}
	return median(values)
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func (o options) skips(section string) bool {
	return slices.Contains(strings.Split(o.skip, ","), section)
}

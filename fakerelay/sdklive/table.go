package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

var (
	errFailed  = errors.New("the live tests did not pass")
	errNoTests = errors.New("no live tests were found: the expression of -run fits none, or the SDK's tests tell their mode otherwise than by AZURE_RECORD_MODE")
)

// A table is the report.
type table struct {
	to     io.Writer
	rows   []string
	notes  []string
	failed bool
	totals [4]int
}

func newTable(to io.Writer) *table { return &table{to: to} }

// add counts a package's live tests. What is not live must pass too, and may skip.
func (t *table) add(name string, live map[string]bool, outcomes map[string]outcome) {
	var counts [4]int // live, passed, failed, skipped
	for _, test := range slices.Sorted(maps.Keys(outcomes)) {
		o := outcomes[test]
		cause, allowed := allowedSkips[test]
		if live[test] {
			counts[0]++
			counts[map[string]int{"pass": 1, "fail": 2, "skip": 3}[o.result]]++
		}
		switch {
		case o.result == "fail":
			t.failed = true
			t.notes = append(t.notes, "FAIL "+test+"\n"+indent(o.output))
		case o.result == "skip" && live[test] && allowed:
			t.notes = append(t.notes, "skip "+test+": "+cause)
		case o.result == "skip" && live[test]:
			t.failed = true
			t.notes = append(t.notes, "SKIP "+test+" is not allowed to skip\n"+indent(o.output))
		}
	}
	for i := range counts {
		t.totals[i] += counts[i]
	}
	t.rows = append(t.rows, fmt.Sprintf("%s\t%d\t%d\t%d\t%d", name, counts[0], counts[1], counts[2], counts[3]))
}

func (t *table) print() error {
	w := tabwriter.NewWriter(t.to, 0, 0, 3, ' ', tabwriter.AlignRight|tabwriter.Debug)
	fmt.Fprintf(t.to, "%s\n\n", strings.Join(t.notes, "\n"))
	fmt.Fprintln(w, "package\tlive tests\tpassed\tfailed\tskipped\t")
	for _, row := range t.rows {
		fmt.Fprintln(w, row+"\t")
	}
	fmt.Fprintf(w, "all\t%d\t%d\t%d\t%d\t\n", t.totals[0], t.totals[1], t.totals[2], t.totals[3])
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	switch {
	case t.failed:
		return errFailed
	case t.totals[0] == 0:
		return errNoTests
	}
	return nil
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")
}

package broker

import (
	"iter"
	"slices"
)

// A ledger lists the messages of a queue by sequence number: what Peek reads. Numbers only grow, so that
// adding appends; removing leaves a gap, and gaps are closed once they are the greater part.
type ledger struct {
	rows  []row
	gaps  int
	bytes int64
}

type row struct {
	sequence int64
	it       *item // nil: a gap
}

func (l *ledger) add(it *item) {
	l.rows = append(l.rows, row{it.SequenceNumber, it})
	l.bytes += cost(it.Message)
}

func (l *ledger) remove(it *item) {
	i, found := l.find(it.SequenceNumber)
	if !found || l.rows[i].it == nil {
		return
	}
	l.rows[i].it = nil
	l.gaps++
	l.bytes -= cost(it.Message)
	if l.gaps > 64 && l.gaps > len(l.rows)/2 {
		l.rows = slices.DeleteFunc(l.rows, func(r row) bool { return r.it == nil })
		l.gaps = 0
	}
}

func (l *ledger) len() int { return len(l.rows) - l.gaps }

// get returns nil where no message has this number.
func (l *ledger) get(sequence int64) *item {
	if i, found := l.find(sequence); found {
		return l.rows[i].it
	}
	return nil
}

// from lists the messages from a sequence number on.
func (l *ledger) from(sequence int64) iter.Seq[*item] {
	return func(yield func(*item) bool) {
		start, _ := l.find(sequence)
		for _, r := range l.rows[start:] {
			if r.it != nil && !yield(r.it) {
				return
			}
		}
	}
}

func (l *ledger) find(sequence int64) (int, bool) {
	return slices.BinarySearchFunc(l.rows, sequence, func(r row, s int64) int {
		switch {
		case r.sequence < s:
			return -1
		case r.sequence > s:
			return 1
		}
		return 0
	})
}

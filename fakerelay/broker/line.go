package broker

import (
	"cmp"
	"container/heap"
	"container/list"
	"slices"
)

// A line is what is there to receive, in the order of sequence numbers, and who waits for it, in the order of
// arrival. A queue without sessions has one, else each session has.
type line struct {
	stock   stock
	waiters list.List // of *Waiter
}

// A Taker gets what it has waited for: a delivery, or why there will be none. It is called without a mutex, once for
// each wait, on a goroutine of its own or on that of a caller of Post.
type Taker interface{ Take(Delivery, error) }

// A Waiter is a Taker's place in a queue's or a session's line, one at a time. All but the Taker is the queue's.
type Waiter struct {
	Taker
	place *list.Element // nil: not in line
}

func (l *line) join(w *Waiter) { w.place = l.waiters.PushBack(w) }

// leave reports false if the waiter is in no line: it never was, or what it waited for is on its way.
func (l *line) leave(w *Waiter) bool {
	if w.place == nil {
		return false
	}
	l.waiters.Remove(w.place)
	w.place = nil
	return true
}

// first takes the one who has waited longest out of the line.
func (l *line) first() *Waiter {
	w := l.waiters.Front().Value.(*Waiter)
	l.leave(w)
	return w
}

// dismiss ends all waiting with err.
func (l *line) dismiss(err error) {
	for l.waiters.Len() > 0 {
		go l.first().Take(Delivery{}, err)
	}
}

func (l *line) withdraw(it *item) {
	if it.place >= 0 {
		heap.Remove(&l.stock, it.place)
	}
}

// stock is a container/heap by sequence number: what comes back takes its old place.
type stock []*item

func (s stock) Len() int { return len(s) }

func (s stock) Less(i, j int) bool { return s[i].SequenceNumber < s[j].SequenceNumber }

func (s stock) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].place, s[j].place = i, j
}

func (s *stock) Push(x any) {
	it := x.(*item)
	it.place = len(*s)
	*s = append(*s, it)
}

func (s *stock) Pop() any {
	old := *s
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*s = old[:len(old)-1]
	it.place = -1
	return it
}

// inOrder is a copy by sequence number.
func (s stock) inOrder() []*item {
	all := slices.Clone(s)
	slices.SortFunc(all, func(a, b *item) int { return cmp.Compare(a.SequenceNumber, b.SequenceNumber) })
	return all
}

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
	waiters list.List // of *waiter
}

// A waiter is one receive call.
type waiter struct {
	result chan received // holds one: giving never blocks
	place  *list.Element
}

type received struct {
	Delivery
	err error
}

func (l *line) join() *waiter {
	w := &waiter{result: make(chan received, 1)}
	w.place = l.waiters.PushBack(w)
	return w
}

// dismiss ends all waiting with err.
func (l *line) dismiss(err error) {
	for e := l.waiters.Front(); e != nil; e = e.Next() {
		e.Value.(*waiter).result <- received{err: err}
	}
	l.waiters.Init()
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

package fakead

import "slices"

// A ring keeps the last of what is added to it, the oldest at next once it is full.
type ring[T any] struct {
	limit int
	kept  []T
	next  int
}

func (r *ring[T]) add(one T) {
	if len(r.kept) < r.limit {
		r.kept = append(r.kept, one)
		return
	}
	r.kept[r.next] = one
	r.next = (r.next + 1) % r.limit
}

// all are in the order in which they were added.
func (r *ring[T]) all() []T { return append(slices.Clone(r.kept[r.next:]), r.kept[:r.next]...) }

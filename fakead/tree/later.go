package tree

// Entries that are made when somebody first looks for them: the schema's objects, a thousand that few ever read.

import "time"

// later is a filling that has not happened, with the numbers and the time that are kept for it.
type later struct {
	head     *Entry
	fill     func()
	nth, usn int64
	at       time.Time
}

// Later lets n entries below the head of a naming context be made by fill, as if at once, when one of them is looked
// for. Nothing may find them by an index before that.
func (t *Tree) Later(head *Entry, n int, fill func()) {
	t.later = &later{head: head, fill: fill, nth: t.nth, usn: t.usn, at: t.now()}
	t.nth += int64(n)
	t.usn += int64(n)
}

// complete makes what Later put off.
func (t *Tree) complete() {
	if t.later == nil {
		return
	}
	l, nth, usn, now := t.later, t.nth, t.usn, t.now
	t.later, t.nth, t.usn, t.now = nil, l.nth, l.usn, func() time.Time { return l.at }
	l.fill()
	t.nth, t.usn, t.now = nth, usn, now
}

// putOff tells whether the entry of that name may be one that Later put off.
func (t *Tree) putOff(dn DN) bool { return t.later != nil && dn.Under(t.later.head.dn) }

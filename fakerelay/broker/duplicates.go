package broker

import "time"

// duplicates remembers the message ids of a window. A repetition is swallowed and does not renew the window,
// as the service's does.
type duplicates struct {
	window time.Duration
	seen   map[string]struct{}
	order  []seenAt // by time
}

type seenAt struct {
	id string
	at time.Time
}

// forget drops what is older than the window.
func (d *duplicates) forget(now time.Time) {
	old := 0
	for old < len(d.order) && now.Sub(d.order[old].at) >= d.window {
		delete(d.seen, d.order[old].id)
		old++
	}
	d.order = d.order[old:]
}

// note reports whether id is new, and remembers it.
func (d *duplicates) note(id string, now time.Time) bool {
	if _, known := d.seen[id]; known {
		return false
	}
	if d.seen == nil {
		d.seen = make(map[string]struct{})
	}
	d.seen[id] = struct{}{}
	d.order = append(d.order, seenAt{id, now})
	return true
}

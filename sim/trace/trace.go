// Package trace keeps what happened to each operation, hop by hop: cloud, relay, agent, directory. It is told no
// secret: who records a hop records names, ids, codes and sizes.
package trace

import (
	"slices"
	"sync"
	"time"

	"passback/clock"
)

// A Place is where a hop happened.
type Place string

// The places, in the order in which a request meets them.
const (
	Cloud     Place = "cloud"
	Relay     Place = "relay"
	Agent     Place = "agent"
	Directory Place = "directory"
)

// A Hop is one thing that happened to an operation.
type Hop struct {
	At     time.Time `json:"at"` // wire time
	Place  Place     `json:"place"`
	What   string    `json:"what"`
	Detail string    `json:"detail,omitempty"`
}

// limits of a Recorder: the oldest operation makes room for a new one.
const (
	maxOperations = 1000
	maxHops       = 200 // of one operation; further ones are dropped
)

// A Recorder is ready as its zero value, and may be used by many at once. A nil Recorder records nothing.
type Recorder struct {
	mu    sync.Mutex
	order []string
	hops  map[string][]Hop
	alias map[string]string // the relay's message id of an answer, to the tracking id that it carries sealed
}

// Add records a hop of the operation of this tracking id, now. Hops of an id that Alias names later are kept.
func (r *Recorder) Add(id string, place Place, what, detail string) {
	if r == nil || id == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.alias[id]; ok {
		id = known
	}
	r.append(id, Hop{At: clock.Real().Now(), Place: place, What: what, Detail: detail})
}

// append needs r.mu.
func (r *Recorder) append(id string, hops ...Hop) {
	if r.hops == nil {
		r.hops = map[string][]Hop{}
		r.alias = map[string]string{}
	}
	if _, known := r.hops[id]; !known {
		r.order = append(r.order, id)
		if len(r.order) > maxOperations {
			r.forget(r.order[0])
			r.order = slices.Delete(r.order, 0, 1)
		}
	}
	r.hops[id] = append(r.hops[id], hops...)
	if len(r.hops[id]) > maxHops {
		r.hops[id] = r.hops[id][:maxHops]
	}
}

// forget needs r.mu.
func (r *Recorder) forget(id string) {
	delete(r.hops, id)
	for other, to := range r.alias {
		if to == id {
			delete(r.alias, other)
		}
	}
}

// Alias says that what is or was recorded for other belongs to id.
func (r *Recorder) Alias(other, id string) {
	if r == nil || other == "" || other == id {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting := r.hops[other]
	if i := slices.Index(r.order, other); i >= 0 {
		r.order = slices.Delete(r.order, i, i+1)
	}
	delete(r.hops, other)
	r.append(id, waiting...)
	r.alias[other] = id
}

// Of returns the hops of one operation, by time.
func (r *Recorder) Of(id string) []Hop {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	hops := slices.Clone(r.hops[id])
	slices.SortStableFunc(hops, func(a, b Hop) int { return a.At.Compare(b.At) })
	return hops
}

// IDs returns the operations, newest first.
func (r *Recorder) IDs() []string {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := slices.Clone(r.order)
	slices.Reverse(ids)
	return ids
}

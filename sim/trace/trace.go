// Package trace keeps what happened to each operation, hop by hop: cloud, relay, agent, directory. It is told no
// secret: who records a hop records names, ids, codes and sizes.
package trace

import (
	"container/list"
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
	usualHops     = 20
)

// A Recorder is ready as its zero value, and may be used by many at once. A nil Recorder records nothing.
type Recorder struct {
	mu    sync.Mutex
	order list.List                // of *operation, oldest first
	known map[string]*list.Element // of order: by tracking id, or by a message id that Alias has not named yet
	alias map[string]string        // the relay's message id of an answer, to the tracking id that it carries sealed
}

type operation struct {
	id      string
	hops    []Hop
	aliases []string
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
	r.operation(id).append(Hop{At: clock.Real().Now(), Place: place, What: what, Detail: detail})
}

// operation returns that of id, which may be new, and needs r.mu.
func (r *Recorder) operation(id string) *operation {
	if e, ok := r.known[id]; ok {
		return e.Value.(*operation)
	}
	if r.known == nil {
		r.known, r.alias = map[string]*list.Element{}, map[string]string{}
	}
	o := &operation{id: id, hops: make([]Hop, 0, usualHops)}
	r.known[id] = r.order.PushBack(o)
	if r.order.Len() > maxOperations {
		oldest := r.forget(r.order.Front())
		for _, other := range oldest.aliases {
			delete(r.alias, other)
		}
	}
	return o
}

// forget needs r.mu.
func (r *Recorder) forget(e *list.Element) *operation {
	o := r.order.Remove(e).(*operation)
	delete(r.known, o.id)
	return o
}

func (o *operation) append(hops ...Hop) {
	o.hops = append(o.hops, hops[:min(len(hops), maxHops-len(o.hops))]...)
}

// Alias says that what is or was recorded for other belongs to id.
func (r *Recorder) Alias(other, id string) {
	if r == nil || other == "" || other == id {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var waiting []Hop
	if e, ok := r.known[other]; ok {
		waiting = r.forget(e).hops
	}
	o := r.operation(id)
	o.append(waiting...)
	if r.alias[other] != id {
		o.aliases = append(o.aliases, other)
	}
	r.alias[other] = id
}

// Of returns the hops of one operation, by time.
func (r *Recorder) Of(id string) []Hop {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.known[id]
	if !ok {
		return nil
	}
	hops := slices.Clone(e.Value.(*operation).hops)
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
	ids := make([]string, 0, r.order.Len())
	for e := r.order.Back(); e != nil; e = e.Prev() {
		ids = append(ids, e.Value.(*operation).id)
	}
	return ids
}

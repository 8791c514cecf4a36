package writeback

import (
	"maps"
	"sync"
	"time"

	"passback/clock"
	"passback/writeback/protocol"
)

// A record is what the agent remembers of its run, for status. The zero value is ready.
type record struct {
	mu       sync.Mutex
	outcomes map[protocol.Outcome]int
	success  *Incident
	failure  *Incident
	beat     time.Time
	renewal  time.Time
	relays   map[string]string // by host: the last failure to keep or get a connection
}

// An Incident is one thing that happened.
type Incident struct {
	Time       time.Time           `json:"time"`
	TrackingID protocol.TrackingID `json:"tracking_id,omitempty"`
	EventID    int                 `json:"event_id,omitempty"`
	Event      string              `json:"event,omitempty"`
	Text       string              `json:"text"`
}

// request counts a request, and keeps the last success.
func (r *record) request(e journalEntry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.outcomes == nil {
		r.outcomes = map[protocol.Outcome]int{}
	}
	r.outcomes[e.Outcome]++
	if e.Outcome == protocol.Success {
		r.success = &Incident{Time: e.Settled, TrackingID: e.TrackingID, Text: string(e.Operation) + " of " + e.UPN}
	}
}

// failed keeps an event of level error.
func (r *record) failed(k eventKind, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failure = &Incident{Time: clock.Real().Now().UTC(), EventID: k.ID, Event: k.Name, Text: limit(text)}
}

func (r *record) beaten() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.beat = clock.Real().Now().UTC()
}

func (r *record) renewed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.renewal = clock.Real().Now().UTC()
}

// relay keeps why a relay is not connected; a nil error says that it is.
func (r *record) relay(host string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.relays == nil {
		r.relays = map[string]string{}
	}
	delete(r.relays, host)
	if err != nil {
		r.relays[host] = limit(err.Error())
	}
}

// show fills in the record's part of a status.
func (r *record) show(s *Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Requests, s.LastSuccess, s.LastError = maps.Clone(r.outcomes), r.success, r.failure
	s.LastHeartbeat, s.Renewed = r.beat, r.renewal
	for i := range s.Relays {
		s.Relays[i].Error = r.relays[s.Relays[i].Host]
	}
}

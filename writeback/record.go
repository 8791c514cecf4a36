package writeback

import (
	"cmp"
	"errors"
	"maps"
	"sync"
	"time"

	"passback/clock"
	"passback/writeback/protocol"
	"passback/writeback/relay"
)

// A record is what the agent remembers of its run, for status. The zero value is ready.
type record struct {
	mu       sync.Mutex
	outcomes map[protocol.Outcome]int
	success  *Incident
	failure  *Incident
	beat     time.Time
	renewal  time.Time
	relays   map[string]relayRecord // by host

	renewalFailure string
	foreignKey     time.Time
	markers        map[string]markerRecord // by domain
}

// A relayRecord is what failed last at a relay, and has not succeeded since.
type relayRecord struct {
	connection, beat string
	refused          bool // because of our credentials
}

// A markerRecord is a request that met a marker which may not be read or written.
type markerRecord struct {
	at   time.Time
	text string
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

// renewed keeps whether the enrolment could be renewed.
func (r *record) renewed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.renewalFailure = ""
	if err != nil {
		r.renewalFailure = "the enrolment could not be renewed, the last one serves on: " + err.Error()
		return
	}
	r.renewal = clock.Real().Now().UTC()
}

// relay keeps why a relay is not connected; a nil error says that it is.
func (r *record) relay(host string, err error) {
	r.ofRelay(host, err, func(rr *relayRecord) *string { return &rr.connection })
}

// beatTo keeps why a relay took no heartbeat. Where nothing else is to be had from the relay, idle, one that was taken
// is all that shows that it is there.
func (r *record) beatTo(host string, err error, idle bool) {
	r.ofRelay(host, err, func(rr *relayRecord) *string { return &rr.beat })
	if err == nil && idle {
		r.relay(host, nil)
	}
}

func (r *record) ofRelay(host string, err error, part func(*relayRecord) *string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.relays == nil {
		r.relays = map[string]relayRecord{}
	}
	now := r.relays[host]
	*part(&now) = ""
	if err != nil {
		*part(&now) = limit(err.Error())
	}
	now.refused = errors.Is(err, relay.ErrUnauthorized) || now.refused && now.connection+now.beat != ""
	r.relays[host] = now
}

// sealedElsewhere keeps that a request came that no key of ours opens.
func (r *record) sealedElsewhere() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.foreignKey = clock.Real().Now()
}

// markerDenied keeps that the marker of an account of this domain could not be read or written.
func (r *record) markerDenied(domain, text string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.markers == nil {
		r.markers = map[string]markerRecord{}
	}
	r.markers[domain] = markerRecord{clock.Real().Now(), text}
}

// complain fills in the record's part of the vitals.
func (r *record) complain(v *vitals) {
	r.mu.Lock()
	defer r.mu.Unlock()
	since := clock.Real().Now().Add(-grievance)
	v.renewal = r.renewalFailure
	if r.foreignKey.After(since) {
		v.foreignKey = "a request came that is sealed to none of this agent's keys (32004); if it stays, enrol the agent again"
	}
	for i, known := range v.relays {
		now := r.relays[known.host]
		v.relays[i].failure, v.relays[i].refused = cmp.Or(now.connection, now.beat), now.refused
	}
	for i, d := range v.domains {
		if met := r.markers[d.Domain]; met.at.After(since) {
			v.domains[i].marker = met.text
		}
	}
}

// show fills in the record's part of a status.
func (r *record) show(s *Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Requests, s.LastSuccess, s.LastError = maps.Clone(r.outcomes), r.success, r.failure
	s.LastHeartbeat, s.Renewed = r.beat, r.renewal
	for i := range s.Relays {
		s.Relays[i].Error = r.relays[s.Relays[i].Host].connection
	}
}

package protocol

import (
	"strings"
	"time"
)

// DefaultMarkerAttribute is in every Active Directory schema, multi-valued, on users.
const DefaultMarkerAttribute = "extensionName"

const (
	markerPrefix  = "passback/1 "
	markerRefused = " refused "
)

// A Marker is one value that the directory keeps of a decided request. The bare value is added in the modify that
// sets the password; its twin, added beside it without a password, says that the request was refused.
type Marker struct {
	ID      TrackingID
	Refused Outcome // empty: the bare value
}

// String is the value as the directory holds it.
func (m Marker) String() string {
	if m.Refused == "" {
		return markerPrefix + string(m.ID)
	}
	return markerPrefix + string(m.ID) + markerRefused + string(m.Refused)
}

// ParseMarker reads one value of the marker's attribute, which others may use too. A twin of an outcome that is not in
// the table, of a later version's making, is a refusal all the same: InternalError.
func ParseMarker(value string) (Marker, bool) {
	rest, ours := strings.CutPrefix(value, markerPrefix)
	if !ours {
		return Marker{}, false
	}
	name, outcome, twin := strings.Cut(rest, markerRefused)
	id, err := ParseTrackingID(name)
	if err != nil || twin && outcome == "" {
		return Marker{}, false
	}
	if twin && !Outcome(outcome).Known() {
		outcome = string(InternalError)
	}
	return Marker{ID: id, Refused: Outcome(outcome)}, true
}

// Stale reports whether the value may be removed at now: no modify of its request can still be on its way.
func (m Marker) Stale(now time.Time) bool { return now.Sub(m.ID.Time()) > MarkerLifetime }

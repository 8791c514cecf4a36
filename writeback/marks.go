package writeback

// What the directory keeps of requests: values of the marker's attribute, which others may use too.

import (
	"slices"
	"time"

	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// memory is for how long the directory surely shows a decision: an id that is older may have been applied, and its
// value removed since. The margin is more than clocks may differ.
const memory = protocol.MarkerLifetime - time.Minute

func forgotten(id protocol.TrackingID) bool { return wireNow().Sub(id.Time()) > memory }

// values are what the directory keeps of a request: the bare value, and its twin if it was refused.
func values(id protocol.TrackingID, refused protocol.Outcome) []string {
	v := []string{protocol.Marker{ID: id}.String()}
	if refused != "" {
		v = append(v, protocol.Marker{ID: id, Refused: refused}.String())
	}
	return v
}

// stale are the values that may be removed: no modify of their requests can still be on its way.
func stale(markers []string) (out []string) {
	for _, v := range markers {
		if m, ok := protocol.ParseMarker(v); ok && m.Stale(wireNow()) {
			out = append(out, v)
		}
	}
	return out
}

// decided reads the directory's own word on the request.
func (at *attempt) decided(u directory.User) (decision, bool) {
	bare := protocol.Marker{ID: at.request.TrackingID}.String()
	if !slices.Contains(u.Markers, bare) {
		return decision{}, false
	}
	for _, v := range u.Markers {
		m, ours := protocol.ParseMarker(v)
		if !ours || m.ID != at.request.TrackingID || m.Refused == "" {
			continue
		}
		d := decision{outcome: m.Refused, detail: "refused on an earlier delivery"}
		if m.Refused == protocol.PolicyViolation {
			d.violation = &protocol.Violation{Rule: protocol.RuleUnknown, Certainty: protocol.Uncertain}
		}
		return d, true
	}
	return at.succeed(u), true
}

// drop forgets the superseded requests that are decided, or too old to be on their way; it reports whether any was.
func (at *attempt) drop(u directory.User) bool {
	before := len(at.names)
	at.names = slices.DeleteFunc(slices.Clone(at.names), func(id protocol.TrackingID) bool {
		return slices.Contains(u.Markers, protocol.Marker{ID: id}.String()) || protocol.Marker{ID: id}.Stale(wireNow())
	})
	return len(at.names) < before
}

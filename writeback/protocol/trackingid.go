package protocol

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A TrackingID names one request from end to end: a UUIDv7 (RFC 9562 section 5.7) in lower case, so that it also
// tells when the request was made.
type TrackingID string

// NewTrackingID makes an id of this instant.
func NewTrackingID() (TrackingID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make a tracking id: %w", err)
	}
	return TrackingID(id.String()), nil
}

// ParseTrackingID accepts the canonical form of a UUIDv7 and nothing else: an id is compared byte by byte, on the
// wire and in the directory.
func ParseTrackingID(s string) (TrackingID, error) {
	if _, ok := parseUUIDv7(s); !ok {
		return "", fmt.Errorf("tracking id %.40q: want a UUIDv7 in lower case: %w", s, ErrInvalid)
	}
	return TrackingID(s), nil
}

const canonicalLength = 36

func parseUUIDv7(s string) (uuid.UUID, bool) {
	if len(s) != canonicalLength || strings.ContainsAny(s, "ABCDEF") {
		return uuid.UUID{}, false
	}
	id, err := uuid.Parse(s)
	return id, err == nil && id.Version() == 7 && id.Variant() == uuid.RFC4122
}

// Time is the instant at which the id was made, to the millisecond; the zero time for what is not an id.
func (id TrackingID) Time() time.Time {
	raw, ok := parseUUIDv7(string(id))
	if !ok {
		return time.Time{}
	}
	var ms int64
	for _, b := range raw[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms).UTC()
}

package writeback

import (
	"testing"
	"time"

	"passback/writeback/protocol"
)

func TestBucketFillsWithinAMinute(t *testing.T) {
	limit := newThrottle(Limits{User: 2, Total: 1000})
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, step := range []struct {
		at    time.Duration
		taken bool
	}{
		{0, true}, {0, true}, {0, false}, {29 * time.Second, false}, {30 * time.Second, true}, {31 * time.Second, false},
		{2 * time.Minute, true}, {2 * time.Minute, true}, {2 * time.Minute, false},
	} {
		refusal := limit.begin(protocol.Request{SourceAnchor: "AAAAAAAAAAAAAAAAAAAAAA=="}, start.Add(step.at))
		if (refusal == "") != step.taken {
			t.Errorf("request %d, %s after the first: taken %t, want %t", i, step.at, refusal == "", step.taken)
		}
	}
}

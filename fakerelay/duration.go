package fakerelay

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var isoDuration = regexp.MustCompile(`^P(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?$`)

// parseDuration takes days to seconds, and "" for none. What is longer than Go can count is cut there.
func parseDuration(text string) (time.Duration, bool) {
	if text == "" {
		return 0, true
	}
	parts := isoDuration.FindStringSubmatch(text)
	if parts == nil || strings.HasSuffix(text, "P") || strings.HasSuffix(text, "T") {
		return 0, false
	}
	seconds := 0.0
	for i, unit := range []float64{24 * 60 * 60, 60 * 60, 60, 1} {
		if parts[i+1] == "" {
			continue
		}
		count, err := strconv.ParseFloat(parts[i+1], 64)
		if err != nil {
			return 0, false
		}
		seconds += count * unit
	}
	if seconds >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64, true
	}
	return time.Duration(seconds * float64(time.Second)), true
}

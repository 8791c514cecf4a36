package fakead

// Large integers that are times: 100 ns since 1601 (FILETIME, MS-DTYP 2.3.3), and negative ones that are spans.

import (
	"math"
	"strconv"
	"time"
)

const (
	ticksPerSecond = 10_000_000
	epoch1601      = 11_644_473_600 // seconds from 1601 to 1970
	never          = math.MaxInt64  // 0x7FFFFFFFFFFFFFFF, of accountExpires and expiry times
	forever        = math.MinInt64  // 0x8000000000000000, of spans
)

// fileTime is a time as a directory stores it; the zero time is 0.
func fileTime(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return (t.Unix()+epoch1601)*ticksPerSecond + int64(t.Nanosecond())/100
}

// fromFileTime reads a stored time; what is not one is the zero time.
func fromFileTime(n int64) time.Time {
	if n <= 0 || n == never {
		return time.Time{}
	}
	return time.Unix(n/ticksPerSecond-epoch1601, n%ticksPerSecond*100).UTC()
}

// span is a duration as a directory stores it. 0 becomes forever.
func span(d time.Duration) int64 {
	if d <= 0 {
		return forever
	}
	return -int64(d / 100)
}

// fromSpan reads a stored duration; forever, and what is not one, is 0.
func fromSpan(n int64) time.Duration {
	const longest = math.MaxInt64 / 100
	if n >= 0 || n < -longest {
		return 0
	}
	return time.Duration(-n * 100)
}

// fromLongSpan is fromSpan for what forever makes long and not endless: a window or a minimum age.
func fromLongSpan(n int64) time.Duration {
	if n == forever {
		return math.MaxInt64
	}
	return fromSpan(n)
}

func decimal(n int64) []byte { return strconv.AppendInt(nil, n, 10) }

package writeback

import (
	"os"
	"runtime/debug"
)

// What an agent keeps is a few MB, so at Go's default pace a burst of requests would have the garbage collected dozens of
// times a second, for a tenth of its work. It collects five times less often, and more often again when it nears the
// limit: it is to stay below 40 MB. GOGC and GOMEMLIMIT in the environment have the last word.
const (
	collectAt   = 400      // percent of what is alive
	memoryLimit = 18 << 20 // bytes, of all that the Go runtime holds; the pages of the binary in use are as many again
)

func paceCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

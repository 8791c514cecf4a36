package sim

import (
	"context"
	"runtime/pprof"

	"passback/sim/trace"
)

// PartLabel is the profiler's label of what runs in a world. Its value is a trace.Place, so that a profile of the one
// process says what each part took: pprof -tagfocus=part=agent.
const PartLabel = "part"

// CollectAt is the GOGC, in percent, that a process with a world alone is run best with: its memory is small, and at Go's
// default a fifth of the work of a reset is to collect garbage.
const CollectAt = 400

// as runs f as that part: the goroutines that it starts are labelled too.
func as(part trace.Place, f func() error) (err error) {
	pprof.Do(context.Background(), pprof.Labels(PartLabel, string(part)), func(context.Context) { err = f() })
	return err
}

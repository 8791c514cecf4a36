package writeback

// doctor's group host: what lies on this machine.

import (
	"context"
	"fmt"
	"os"
	"time"
)

var hostChecks = []check[*examination]{
	{name: "state folder", vital: true, look: (*examination).stateFolder},
	{name: "enrolment on disk", vital: true, look: (*examination).onDisk},
	{name: "age of the key", look: (*examination).keyAge},
	{name: "agent on this host", look: (*examination).running},
}

func (x *examination) examineHost(ctx context.Context) bool {
	return examine(ctx, x, "host", hostname(), x, hostChecks)
}

func (x *examination) stateFolder(context.Context) finding {
	info, err := os.Stat(x.state.dir)
	switch {
	case err != nil:
		return failure(err.Error(), "Run enroll with a one-time token; it makes the folder.")
	case !info.IsDir() || isOpen(info.Mode(), 0o077):
		return failure(fmt.Sprintf("%s has mode %04o", x.state.dir, info.Mode().Perm()), "It holds private keys: make it a folder with mode 0700 that belongs to the agent's user.")
	}
	return fine("%s, mode %04o", x.state.dir, info.Mode().Perm())
}

func (x *examination) onDisk(context.Context) (f finding) {
	var err error
	if x.keys, err = peekKeyring(x.state, x.config.Clock); err == nil {
		x.enrolled, err = x.state.enrolment(x.keys.all())
	}
	if err != nil {
		return failure(err.Error(), "Run enroll with a one-time token.")
	}
	return fine("agent %s of tenant %s, %s", x.enrolled.AgentID, x.enrolled.Tenant, x.enrolled.Mode)
}

func (x *examination) keyAge(context.Context) finding {
	const margin = 2 * 24 * time.Hour // it rolls over at the next daily renewal
	age := x.config.Clock.Now().Sub(x.keys.current.created)
	if age > keyLifetime+margin {
		return warning(fmt.Sprintf("%d days", age/(24*time.Hour)), "It should have rolled over by itself: see that the agent runs and reaches the cloud.")
	}
	return fine("%d days; it rolls over by itself after %d", age/(24*time.Hour), keyLifetime/(24*time.Hour))
}

func (x *examination) running(context.Context) finding {
	s, err := ReadStatus(x.state.dir)
	switch {
	case err != nil:
		return skipped("%v", err)
	case s.State == StateStale:
		return warning(fmt.Sprintf("its status is %s old", age(s.Written)), "It ended without a word, or it hangs: see its log, and restart it.")
	case s.State == StateStopped:
		return skipped("stopped %s ago: %s", age(s.Written), s.Reason)
	case !s.TakesRequests && s.Reason != "":
		return warning("it takes no requests: "+s.Reason, "See the lines below.")
	}
	return fine("runs as process %d since %s", s.PID, s.Started.Format(time.RFC3339))
}

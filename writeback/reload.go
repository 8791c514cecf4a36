package writeback

// Reload: another configuration while the agent runs. It takes effect in a new term; requests in hand are finished
// under the old one, and the journal, the keys and the connections' rules stay.

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrRestart means that a configuration differs in what cannot change while the agent runs.
var ErrRestart = errors.New("this takes a restart")

// Reload has a running agent work by another configuration. Fields that agent.yaml does not have stay as they are.
// Where it fails, the agent works on by the old one. A bind that was refused is tried again, once.
func (a *Agent) Reload(c Config) error {
	old := a.configuration()
	for _, fixed := range []struct{ key, old, now string }{
		{"cloud", old.Cloud, c.Cloud}, {"state_dir", old.StateDir, c.StateDir}, {"otlp", old.OTLP, c.OTLP},
	} {
		if fixed.old != fixed.now {
			return fmt.Errorf("%s: from %q to %q: %w", fixed.key, fixed.old, fixed.now, ErrRestart)
		}
	}
	c.Logger, c.Clock, c.FirstBeatDelay, c.DialLDAP, c.DialRelay = old.Logger, old.Clock, old.FirstBeatDelay, old.DialLDAP, old.DialRelay
	next, err := New(c)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.pending = next
	a.mu.Unlock()
	notify(a.replaced)
	return nil
}

// configuration is the one in force, for those outside of a term.
func (a *Agent) configuration() Config {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.config
}

// adopt takes over what Reload left, between two terms, and tells the cloud, which decides on mode and domains.
func (a *Agent) adopt(ctx context.Context) (adopted bool, err error) {
	a.mu.Lock()
	next := a.pending
	a.pending = nil
	a.mu.Unlock()
	if next == nil {
		return false, nil
	}
	a.renewing.Lock()
	a.mu.Lock()
	a.config, a.cloud, a.logins = next.config, next.cloud, next.logins
	a.enroller.config, a.enroller.cloud = next.config, next.cloud
	a.renewed = time.Time{}
	a.mu.Unlock()
	a.renewing.Unlock()
	a.throttle.set(next.config.Limits)
	a.log.adopt(next.config.Log)
	a.closeDomains()
	a.log.event(eventReloaded, "The configuration was reloaded.", "directories", len(a.config.Directories), "mode", a.config.Mode)
	if err := a.renew(ctx); errors.Is(err, errUnenrolled) {
		return true, err
	}
	return true, nil
}

// Package writeback is the on-premises agent: it takes sealed requests from a relay that it connects to, applies
// them to Active Directory over LDAPS, and answers. It listens on nothing.
//
// New and Run are the agent's life; Enroll gives it its place in a tenant first. What cloud and agent agree on is
// package protocol; the relay's side is package relay, the directory's package directory; apply.go joins them.
package writeback

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// An Agent serves one tenant.
type Agent struct {
	config    Config
	log       logbook
	cloud     *cloud
	logins    []login // of each directory
	state     state
	keys      *keyring
	journal   *journal
	telemetry telemetry
	enroller  enroller
	record    *record
	began     time.Time
	told      chan struct{} // asks for the status to be written

	supervisor supervisor
	domains    []*directory.Domain // from term to term, so that a refused bind is not tried again
	marker     string              // that they use
	gate       gate
	throttle   *throttle
	ready      chan struct{}
	readyOnce  sync.Once
	beatOnce   sync.Once // the first beat as active starts the wait before the first request

	renewing sync.Mutex
	renewed  time.Time     // when a renewal was last tried
	asked    time.Time     // when the enrolment in force was asked for
	renewNow chan struct{} // asks for one
	replaced chan struct{} // told when one brought something new
	rekeyed  chan struct{} // told when one brought nothing new but keys of the relays

	mu        sync.Mutex
	enrolment protocol.EnrolResponse
	serving   *term  // nil before the first
	pending   *Agent // made of the configuration that the next term is to work by
}

// New checks the configuration and reads the files that it names. It connects to nothing.
func New(c Config) (*Agent, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	cl, err := newCloud(c)
	if err != nil {
		return nil, err
	}
	a := &Agent{
		config: c, log: newLogbook(c), cloud: cl, throttle: newThrottle(c.Limits),
		told: make(chan struct{}, 1), ready: make(chan struct{}), replaced: make(chan struct{}, 1), rekeyed: make(chan struct{}, 1), renewNow: make(chan struct{}, 1),
	}
	a.record = a.log.record
	for i, d := range c.Directories {
		l, err := d.Bind.read()
		if err != nil {
			return nil, fmt.Errorf("directories[%d].%w", i, err)
		}
		a.logins = append(a.logins, l)
		if _, err := roots(d.CAFile); err != nil {
			return nil, fmt.Errorf("directories[%d].ca_file: %w", i, err)
		}
	}
	return a, nil
}

// Ready is closed when the agent serves for the first time: its heartbeat was taken and, if it is active, it takes
// requests.
func (a *Agent) Ready() <-chan struct{} { return a.ready }

// Run serves until ctx ends; then it takes no more requests, says goodbye, finishes what it can within 4 s, and
// returns nil. Before that it returns only where going on makes no sense: not enrolled, or enrolled no more.
func (a *Agent) Run(ctx context.Context) error {
	unlock, err := a.open()
	if err != nil {
		return err
	}
	defer unlock()
	if a.journal, err = openJournal(a.state); err != nil {
		return err
	}
	defer a.journal.close()
	if a.telemetry, err = newTelemetry(a.config, a.current().AgentID, a.cloud.http, a.log.Logger); err != nil {
		return err
	}
	defer a.telemetry.close()
	watched, stop := context.WithCancel(context.Background())
	defer context.AfterFunc(ctx, func() { a.supervisor.tell("STOPPING=1") })()
	var reporting sync.WaitGroup
	reporting.Go(func() { a.report(watched) })
	err = a.serve(ctx)
	stop()
	reporting.Wait()
	a.stopped(err)
	return err
}

// open reads what the agent has on its disk, and keeps others from it until unlock is called.
func (a *Agent) open() (unlock func(), err error) {
	if a.state, err = openState(a.config.StateDir); err != nil {
		return nil, err
	}
	if unlock, err = a.state.lock(); err != nil {
		return nil, err
	}
	if a.keys, err = openKeyring(a.state, a.config.Clock); err == nil {
		a.enrolment, err = a.state.enrolment(a.keys.all())
	}
	if err != nil {
		unlock()
		return nil, err
	}
	a.enroller = enroller{cloud: a.cloud, keys: a.keys, config: a.config, rolled: a.keyRolled}
	a.began = wireNow().UTC()
	return unlock, nil
}

func (a *Agent) serve(ctx context.Context) error {
	if err := a.renew(ctx); errors.Is(err, errUnenrolled) {
		return err
	}
	a.renewed = time.Time{} // that one was nobody's asking
	a.log.event(eventStarted, "The agent has started.", "agent_id", a.current().AgentID, "tenant", a.current().Tenant, "version", version())
	defer a.log.event(eventStopped, "The agent has stopped; requests to it alone will fail.")
	defer a.closeDomains()
	for {
		select {
		case <-a.replaced: // newTerm begins with it
		default:
		}
		adopted, err := a.adopt(ctx)
		if err != nil {
			return err
		}
		if adopted {
			continue // with what it renewed
		}
		t, err := a.newTerm()
		if err != nil {
			return err
		}
		a.mu.Lock()
		a.serving = t
		a.mu.Unlock()
		if err := t.run(ctx); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// current is the enrolment in force.
func (a *Agent) current() protocol.EnrolResponse {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.enrolment
}

// theCloud is whose clock an enrolment measures ours by; a relay is named by its host.
const theCloud = "the cloud"

// clockIsOff takes a measurement of the clock's skew, by somebody's clock.
func (a *Agent) clockIsOff(by string, skew time.Duration) {
	_, before := a.gate.state()
	a.gate.update(func(g *gate) {
		if g.skews == nil {
			g.skews = map[string]time.Duration{}
		}
		g.skews[by] = skew
	})
	defer a.changed()
	if _, now := a.gate.state(); now && !before {
		a.log.event(eventClockSkew, skewText(skew), "skew", skew, "by", by)
	}
}

// directories are the domains to serve. They stay until the configuration or the marker's attribute changes.
func (a *Agent) directories(marker string) (_ []*directory.Domain, err error) {
	if a.domains != nil && a.marker == marker {
		return a.domains, nil
	}
	a.closeDomains()
	a.domains, err = a.newDomains(marker)
	a.marker = marker
	return a.domains, err
}

func (a *Agent) closeDomains() {
	for _, d := range a.domains {
		d.Close()
	}
	a.domains = nil
}

// newDomains makes the directories of the configuration, with the tenant's marker attribute.
func (a *Agent) newDomains(marker string) ([]*directory.Domain, error) {
	var domains []*directory.Domain
	for i, d := range a.config.Directories {
		pool, err := roots(d.CAFile)
		if err != nil {
			return nil, fmt.Errorf("directories[%d].ca_file: %w", i, err)
		}
		domain, err := directory.New(directory.Options{
			Domain: d.Domain, Servers: d.Servers, Site: d.Site, StartTLS: d.StartTLS, Roots: pool,
			User: d.Bind.User, Password: a.logins[i].password, Kerberos: d.Bind.Method == bindGSSAPI, Keytab: a.logins[i].keytab,
			Marker: marker, Dial: a.config.DialLDAP, Logger: a.log.Logger,
		})
		if err != nil {
			return nil, fmt.Errorf("directories[%d]: %w", i, err)
		}
		domains = append(domains, domain)
	}
	return domains, nil
}

// notify leaves word in a channel of capacity one; word that is there already will do.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

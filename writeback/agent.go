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
	"reflect"
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
	renewNow chan struct{} // asks for one
	replaced chan struct{} // told when one brought something new

	mu        sync.Mutex
	enrolment protocol.EnrolResponse
	serving   *term  // nil before the first
	pending   *Agent // made of the configuration that the next term is to work by
}

// minRenewInterval bounds how often a refusal or an unknown key may ask the cloud.
const minRenewInterval = 5 * time.Second

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
		told: make(chan struct{}, 1), ready: make(chan struct{}), replaced: make(chan struct{}, 1), renewNow: make(chan struct{}, 1),
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

// errUnenrolled means that the cloud does not know the agent any more.
var errUnenrolled = errors.New("the cloud has unenrolled this agent; enrol it again with a new token")

// renew asks the cloud for the enrolment anew, unless that was tried a moment ago. What changed takes effect in a
// new term; an old enrolment serves on while the cloud is out of reach.
func (a *Agent) renew(ctx context.Context) error {
	a.renewing.Lock()
	defer a.renewing.Unlock()
	if wireNow().Sub(a.renewed) < minRenewInterval {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, enrolTimeout)
	defer cancel()
	r, skew, err := a.enroller.call(ctx, protocol.Secret{}, a.current().AgentID)
	a.renewed = wireNow()
	if refused, ok := errors.AsType[*protocol.EnrolError](err); ok && refused.Code == protocol.EnrolUnknownAgent {
		return fmt.Errorf("%w: %w", errUnenrolled, err)
	}
	a.record.renewed(err)
	if err != nil {
		a.log.event(eventServiceError, "The enrolment could not be renewed; the last one serves on.", "error", err)
		return err
	}
	a.clockIsOff(theCloud, skew)
	a.mu.Lock()
	defer a.mu.Unlock()
	if !sameEnrolment(a.enrolment, r) {
		a.log.event(eventRenewed, "The enrolment has changed.", "mode", r.Mode, "reason", r.Reason, "relays", len(r.Relays))
		notify(a.replaced)
	}
	a.enrolment = r
	return nil
}

// keyRolled has the cloud told of a new key by a beat at once, which a new term begins with.
func (a *Agent) keyRolled() {
	a.log.event(eventKeyPairCreated, "The agent's key has rolled over.", "key", a.keys.signer().Thumbprint())
	notify(a.replaced)
}

// sameEnrolment compares what a term depends on.
func sameEnrolment(a, b protocol.EnrolResponse) bool {
	for _, r := range []*protocol.EnrolResponse{&a, &b} {
		r.InReplyTo, r.IssuedAt, r.OnlyActive = "", time.Time{}, false
	}
	return reflect.DeepEqual(a, b)
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

// renewals renews daily by domain time, and when asked to. It returns when the term must end.
func (t *term) renewals(ctx context.Context) error {
	for {
		daily := t.config.Clock.AfterFunc(protocol.RenewInterval, func() { notify(t.renewNow) })
		select {
		case <-t.renewNow:
			daily.Stop()
		case <-t.replaced:
			daily.Stop()
			return nil
		case <-ctx.Done():
			daily.Stop()
			return nil
		}
		if err := t.renew(ctx); errors.Is(err, errUnenrolled) {
			return err
		}
		t.worsened()
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

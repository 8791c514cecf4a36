package writeback

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"passback/clock"
	"passback/writeback/directory"
	"passback/writeback/protocol"
	"passback/writeback/relay"
)

// A term is the agent's work under one enrolment: with its relays, its package keys and its mode.
type term struct {
	*Agent
	enrolment protocol.EnrolResponse
	applier   *applier
	relays    []*relay.Client
	domains   []*directory.Domain

	work  context.Context // of requests in hand: outlives the taking of new ones
	beat  chan struct{}   // asks for a heartbeat at once
	probe chan struct{}   // asks for a look at the directories at once

	firstLook chan struct{} // closed when the directories were looked at
	firstWord chan struct{} // closed when a relay was connected to, or could not be
	wordOnce  sync.Once

	mu      sync.Mutex
	found   map[string]domainVitals // at the last look, by domain
	toldIll []string                // what worsened compared last
}

const (
	concurrency     = 16                      // requests in hand, for each relay
	goodbyeTimeout  = 1500 * time.Millisecond // with twice drainTimeout, and the relay's second: 5 s at most
	drainTimeout    = 1200 * time.Millisecond
	probeInterval   = 10 * time.Second
	measureInterval = 30 * time.Second
	beatTimeout     = 10 * time.Second
	beatAgainAfter  = 5 * time.Second // where no relay took the last one
	openWithRenewal = 10 * time.Second
)

func (a *Agent) newTerm() (*term, error) {
	t := &term{Agent: a, enrolment: a.current(), beat: make(chan struct{}, 1), probe: make(chan struct{}, 1), firstLook: make(chan struct{}), firstWord: make(chan struct{}), found: map[string]domainVitals{}}
	var err error
	if t.domains, err = a.directories(t.enrolment.MarkerAttribute); err != nil {
		return nil, err
	}
	t.applier = &applier{domains: t.domains, log: a.log.Logger, telemetry: a.telemetry, record: a.record}
	for _, r := range t.enrolment.Relays {
		client, err := relay.New(relay.Options{
			Relay: r, Proxy: a.cloud.proxy, RootCAs: a.cloud.roots, Dial: a.config.DialRelay, Concurrency: concurrency,
			Observe: t.observer(r.Host), Skew: func(d time.Duration) { a.clockIsOff(r.Host, d) }, Logger: a.log.Logger,
		})
		if err != nil {
			return nil, err
		}
		t.relays = append(t.relays, client)
	}
	a.gate.update(func(g *gate) {
		g.staging = t.staging()
		maps.DeleteFunc(g.skews, func(by string, _ time.Duration) bool { return by != theCloud }) // other relays, maybe
	})
	return t, nil
}

// staging is why the agent takes no requests whatever happens; empty if it is active.
func (t *term) staging() string {
	switch {
	case t.enrolment.Mode == protocol.Active:
		return ""
	case t.enrolment.Reason != "":
		return t.enrolment.Reason
	}
	return "the agent is configured as staging"
}

// run serves until ctx ends, when it drains, or until the enrolment is replaced.
func (t *term) run(ctx context.Context) error {
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	t.work = work
	ctx, stop := context.WithCancel(ctx)
	defer stop()

	var serving, listening sync.WaitGroup
	serving.Go(func() { t.watch(ctx) })
	serving.Go(func() { t.beats(ctx) })
	serving.Go(func() { t.clocks(ctx) })
	for _, r := range t.relays {
		listening.Go(func() { t.listen(ctx, r) })
	}
	err := t.renewals(ctx)
	leaving := ctx.Err() != nil || err != nil
	stop()
	serving.Wait()
	if leaving {
		t.goodbye(work)
	}
	t.drain(&listening, stopWork)
	for _, r := range t.relays {
		r.Close()
	}
	return err
}

// drain waits for the requests in hand, then cuts them off: whatever they were about to do, the directory keeps the
// decision, and a redelivery finds it.
func (t *term) drain(listening *sync.WaitGroup, stopWork context.CancelFunc) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		listening.Wait()
	}()
	for range 2 {
		wait, stop := context.WithTimeout(context.Background(), drainTimeout)
		select {
		case <-done:
		case <-wait.Done():
		}
		stop()
		stopWork()
	}
}

// listen takes requests from one relay while the gate is open.
func (t *term) listen(ctx context.Context, r *relay.Client) {
	for t.gate.wait(ctx, true) {
		open, shut := t.gate.while(ctx)
		r.Receive(open, func(d *relay.Delivery) { t.handle(r, d) })
		shut()
		notify(t.beat)
	}
}

// observer writes the events of one relay, and has a refusal of our credentials lead to a renewal.
func (t *term) observer(host string) func(error) {
	failing := false // told by one goroutine alone
	return func(err error) {
		defer t.relayChanged()
		defer t.wordOnce.Do(func() { close(t.firstWord) })
		if err == nil || !t.listens(func(other string) bool { return other == host }) { // else it may be back at once
			t.record.relay(host, err)
		}
		switch {
		case err == nil:
			t.log.Info("connected to the relay", "relay", host)
		case errors.Is(err, relay.ErrUnauthorized):
			t.log.event(eventServiceBusError, "The relay refuses the agent's credentials; renewing them.", "relay", host, "error", err)
			notify(t.renewNow)
		case strings.Contains(err.Error(), "x509:"):
			t.log.event(eventListenerError, "The relay's certificate is not trusted.", "relay", host, "error", err)
		case !failing:
			t.log.event(eventServiceBusError, "The connection to the relay is lost; connecting again.", "relay", host, "error", err)
		default:
			t.log.event(eventServiceBusWarning, "The relay could not be connected to; trying again.", "relay", host, "error", err)
		}
		if err != nil && !failing {
			t.log.event(eventUnhealthy, t.unhealthy(host), "relay", host)
		}
		failing = err != nil
	}
}

// unhealthy is event 31044's text. The real service writes it when either of its two hosts is not running.
func (t *term) unhealthy(host string) string {
	state := "No serviceHost for service bus endpoints are in running state."
	if t.listens(func(other string) bool { return other != host }) {
		state = "The serviceHost for " + host + " is not in running state; another one is."
	}
	return "Password writeback service is not in a healthy state. " + state + " Details: Version: " + version()
}

// listens reports whether a relay of such a host is listened on.
func (t *term) listens(host func(string) bool) bool {
	return slices.ContainsFunc(t.relays, func(r *relay.Client) bool { return host(r.Host()) && r.Listening() })
}

// relayChanged follows a connection made or lost.
func (t *term) relayChanged() {
	notify(t.beat)
	t.changed()
}

// worsened has the cloud told at once where something else is wrong than the last heartbeat said, or nothing is any more.
func (t *term) worsened() {
	var codes []string
	for _, w := range t.warnings() {
		codes = append(codes, w.Code+" "+w.Subject)
	}
	t.mu.Lock()
	same := slices.Equal(t.toldIll, codes)
	t.toldIll = codes
	t.mu.Unlock()
	if !same {
		notify(t.beat)
		t.changed()
	}
}

// clocks measures again while the clock is off: only a further Date header can tell that it is not any more.
func (t *term) clocks(ctx context.Context) {
	for clock.Sleep(ctx, clock.Real(), measureInterval) == nil {
		if _, off := t.gate.state(); !off {
			continue
		}
		notify(t.renewNow)
		for _, r := range t.relays {
			if err := r.Measure(ctx); err != nil {
				t.log.Info("the relay's clock could not be read", "relay", r.Host(), "error", err)
			}
		}
	}
}

// watch looks which controller each domain is to be written to, and has a change told at once.
func (t *term) watch(ctx context.Context) {
	var once sync.Once
	for {
		var looking sync.WaitGroup
		for _, d := range t.domains {
			looking.Go(func() { t.look(ctx, d) })
		}
		looking.Wait()
		once.Do(func() { close(t.firstLook) })
		again := clock.Real().AfterFunc(probeInterval, func() { notify(t.probe) })
		select {
		case <-t.probe:
		case <-ctx.Done():
		}
		again.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

func (t *term) look(ctx context.Context, d *directory.Domain) {
	before := d.Current()
	now, err := d.WriteTo(ctx)
	if ctx.Err() != nil {
		return
	}
	found := t.foundAt(ctx, d, now, err)
	t.mu.Lock()
	last := t.found[d.Name()]
	t.found[d.Name()] = found
	t.mu.Unlock()
	if now != before || found.Detail != "" && last.Detail == "" {
		t.log.event(eventDirectoryChanged, "The domain controller to write to has changed.", "domain", d.Name(), "dc", now, "before", before, "detail", found.Detail)
	} else if found.noHints == last.noHints {
		return
	}
	notify(t.beat)
	t.changed()
}

// foundAt is what a look at the controller to write to tells; err says why there is none.
func (t *term) foundAt(ctx context.Context, d *directory.Domain, dc string, err error) (found domainVitals) {
	if err != nil {
		found.Detail, found.bindRefused = limit(err.Error()), directory.KindOf(err) == directory.BindRefused
		return found
	}
	c, err := d.Open(ctx, dc)
	if err != nil {
		return found // the next look tells more
	}
	defer c.Release()
	found.noHints = !c.Facts().Hints
	return found
}

// Package sim joins everything in one process: a fake Active Directory, a fake Service Bus namespace, the cloud side
// of password writeback, and the production agent between them. It is what the sandbox runs and what tests start.
//
//	w := sim.RunT(t)
//	result := w.Cloud.Perform(ctx, cloud.Ask{Way: cloud.PortalReset, User: w.People()[0].UPN, New: secret})
//
// Nothing outlives a World: keys, passwords and tokens are drawn at each start.
package sim

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"passback/clock"
	"passback/fakead"
	"passback/fakerelay"
	"passback/localca"
	"passback/sim/cloud"
	"passback/sim/trace"
	"passback/writeback/protocol"
)

// A World is one running sandbox.
type World struct {
	Clock     *clock.Running         // domain time: the directory's and the tenant's
	CA        *localca.Authority     // of every TLS port
	Directory *fakead.Server         // nil with an external one
	Relay     *fakerelay.Namespace   // the preferred one
	Relays    []*fakerelay.Namespace // all of them
	Cloud     *cloud.Tenant
	Trace     *trace.Recorder

	options   Options
	log       *slog.Logger
	dir       string
	removeDir func()
	directory cloud.Directory // how the cloud, and an agent, reach it
	empty     map[string]bool // DNs of a new domain and the service account
	people    []fakead.User   // as seeded
	cloudOnly []cloudSeed
	tokens    map[string]string // of Graph, by UPN; the administrator's by "admin"
	apiToken  string
	token     protocol.Secret // to enrol with
	web       *web
	ready     atomic.Bool
	faults    faults
	ctx       context.Context // ends with Close
	cancel    context.CancelFunc
	work      sync.WaitGroup

	resetting sync.Mutex // one reset at a time

	mu     sync.Mutex
	agents []*Agent
}

type cloudSeed struct {
	user     cloud.User
	shows    string
	admin    bool
	password protocol.Secret
}

const (
	startTimeout = 30 * time.Second
	// hashCycle is password hash synchronization's, which the synchronisation stands for.
	hashCycle = 2 * time.Minute
	// serviceAccount reads users and writes passwords, as one connector account does.
	serviceAccount = "svc-writeback"
)

// NewWorld starts a world and returns when a reset would succeed; without an agent, when one could enrol.
func NewWorld(o Options) (*World, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	w := &World{
		Clock: clock.NewRunning(), Trace: &trace.Recorder{}, options: o, log: o.Logger,
		tokens: map[string]string{}, apiToken: rand.Text(), faults: faults{armed: map[string]bool{}, listed: map[string]bool{}},
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	if err := w.start(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// A Tester is what RunT needs of a *testing.T.
type Tester interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// RunT starts a world with default options, or with those given, for the length of a test.
func RunT(t Tester, options ...Options) *World {
	t.Helper()
	var o Options
	if len(options) > 0 {
		o = options[0]
	}
	w, err := NewWorld(o)
	if err != nil {
		t.Fatalf("start a world: %v", err)
		return nil
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func (w *World) start() (err error) {
	ctx, cancel := context.WithTimeout(w.ctx, startTimeout)
	defer cancel()
	if w.dir, w.removeDir, err = w.options.makeDir(); err != nil {
		return err
	}
	if w.CA, err = localca.New(); err != nil {
		return fmt.Errorf("make the world's authority: %w", err)
	}
	for _, part := range []struct {
		is    trace.Place
		start func() error
	}{
		{trace.Directory, w.startDirectory}, {trace.Relay, w.startRelays}, {trace.Cloud, w.startCloud}, {trace.Cloud, w.startWeb},
	} {
		if err := as(part.is, part.start); err != nil {
			return err
		}
	}
	w.token = w.Cloud.NewEnrolToken(0)
	if err := w.writeAgentFiles(); err != nil {
		return err
	}
	if !w.options.Unconfigured {
		if err := w.configure(ctx); err != nil {
			return err
		}
	}
	w.ready.Store(true)
	return nil
}

// configure brings the users to the cloud, and an agent up.
func (w *World) configure(ctx context.Context) error {
	if err := w.Synchronise(ctx); err != nil {
		return err
	}
	w.work.Go(w.keepSynchronised)
	if w.options.WithoutAgent {
		return nil
	}
	if _, err := w.StartAgent(ctx); err != nil {
		return err
	}
	return w.Cloud.AwaitAlive(ctx, 1)
}

// Synchronise brings the directory's users to the cloud.
func (w *World) Synchronise(ctx context.Context) error {
	_, err := w.Cloud.Sync(ctx)
	return err
}

func (w *World) keepSynchronised() {
	for clock.Sleep(w.ctx, clock.Real(), hashCycle) == nil {
		if err := w.Synchronise(w.ctx); err != nil && w.ctx.Err() == nil {
			w.log.Warn("the directory could not be synchronised", "error", err)
		}
	}
}

// Advance moves the directory's and the tenant's time on, and synchronises, as would have happened meanwhile.
func (w *World) Advance(ctx context.Context, d time.Duration) error {
	if w.Directory == nil {
		return errors.New("the clock cannot be advanced: the directory is not the built-in one and has its own time")
	}
	w.Clock.Advance(d)
	if w.options.Unconfigured {
		return nil
	}
	return w.Synchronise(ctx)
}

// EnrolURL is where agents enrol.
func (w *World) EnrolURL() string {
	u := url.URL{Scheme: "https", Host: w.web.address, Path: "/enrol"}
	return u.String()
}

// Close ends everything, within seconds, whoever is connected.
func (w *World) Close() error {
	w.cancel()
	w.ready.Store(false)
	w.mu.Lock()
	agents := w.agents
	w.mu.Unlock()
	var ending sync.WaitGroup
	for _, a := range agents {
		ending.Go(a.stopSoon)
	}
	ending.Wait()
	var errs []error
	if w.web != nil {
		w.web.close()
	}
	if w.Cloud != nil {
		errs = append(errs, w.Cloud.Close())
	}
	if w.web != nil {
		w.web.graph.Close()
	}
	for _, n := range w.Relays {
		errs = append(errs, n.Close())
	}
	if w.Directory != nil {
		errs = append(errs, w.Directory.Close())
	}
	w.work.Wait()
	if w.removeDir != nil {
		w.removeDir()
	}
	return errors.Join(errs...)
}

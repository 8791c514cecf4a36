package targets

import (
	"context"
	"fmt"
	"slices"

	"passback/fakead"
	"passback/scenarios"
	"passback/writeback/protocol"
)

// A fakead with several domain controllers, each of which agents reach through an end of TLS of its own.

// A controller is one to stand before.
type controller struct {
	endpoint
	host string // as scenarios call it; empty: the only one
}

// startForest promotes the writable ones first, since a domain begins with one.
func (g *ground) startForest(s scenarios.Setup) (err error) {
	o := fakead.ForestOptions{
		Options: fakead.Options{Clock: g.clock, OS: s.Release, Filters: []fakead.PasswordFilter{g.filter.accepts}},
	}
	for _, readOnly := range []bool{false, true} {
		for _, c := range s.Controllers {
			if c.ReadOnly == readOnly {
				o.DCs = append(o.DCs, fakead.DC{Host: c.Host, ReadOnly: readOnly})
			}
		}
	}
	if len(o.DCs) == 0 {
		o.DCs = []fakead.DC{{}}
	}
	for _, c := range s.Controllers {
		g.names = append(g.names, c.Host)
	}
	if g.forest, err = fakead.NewForest(o); err != nil {
		return err
	}
	g.fake = g.forest.DCs()[0]
	return nil
}

// controllers are those that agents have, in their order.
func (g *ground) controllers() []controller {
	if len(g.names) == 0 {
		return []controller{{endpoint: g.endpoint}}
	}
	var all []controller
	for _, host := range g.names {
		all = append(all, controller{g.at(host), host})
	}
	return all
}

// at is one of the forest's controllers, as an administrator reaches it.
func (g *ground) at(host string) endpoint {
	e := g.endpoint
	e.url = g.forest.DC(host).LDAPSURL()
	return e
}

// even lets all controllers know what an administrator did.
func (g *ground) even() {
	if g.forest != nil {
		g.forest.Replicate()
	}
}

func (t *target) replica(host string) (*fakead.Server, *between, error) {
	i := slices.IndexFunc(t.between, func(b *between) bool { return b.host == host && host != "" })
	if i < 0 {
		return nil, nil, fmt.Errorf("the scenario's setup has no controller %s", host)
	}
	return t.ground.forest.DC(host), t.between[i], nil
}

// HoldReplication implements scenarios.Target.
func (t *target) HoldReplication(context.Context) (release func() error, err error) {
	if t.ground.forest == nil {
		return nil, t.lack(scenarios.Controllers)
	}
	var releases []func()
	for _, dc := range t.ground.forest.DCs() {
		releases = append(releases, dc.HoldReplication())
	}
	return func() error {
		for _, release := range releases {
			release()
		}
		return nil
	}, nil
}

// StopController implements scenarios.Target.
func (t *target) StopController(_ context.Context, host string) (start func() error, err error) {
	dc, before, err := t.replica(host)
	if err != nil {
		return nil, err
	}
	dc.Stop()
	before.stop()
	return func() error {
		if err := dc.Start(); err != nil {
			return fmt.Errorf("start %s again: %w", host, err)
		}
		return before.start()
	}, nil
}

// MovePDC implements scenarios.Target.
func (t *target) MovePDC(_ context.Context, host string) error {
	dc, _, err := t.replica(host)
	if err != nil {
		return err
	}
	if err := dc.TakeRole(fakead.PDCEmulator); err != nil {
		return fmt.Errorf("move the PDC emulator to %s: %w", host, err)
	}
	return nil
}

// AccountAt implements scenarios.Target.
func (t *target) AccountAt(ctx context.Context, host string, u scenarios.User) (a scenarios.Account, err error) {
	if _, _, err := t.replica(host); err != nil {
		return a, err
	}
	err = asked(ctx, func() error {
		a, err = t.ground.at(host).account(u)
		return err
	})
	return a, err
}

// BindAt implements scenarios.Target.
func (t *target) BindAt(ctx context.Context, host string, u scenarios.User, password protocol.Secret) (b scenarios.Bind, err error) {
	if _, _, err := t.replica(host); err != nil {
		return b, err
	}
	err = asked(ctx, func() error {
		b, err = t.ground.at(host).bind(u.DN, password)
		return err
	})
	return b, err
}

// SentTo implements scenarios.Target.
func (t *target) SentTo(_ context.Context, host string) (int, error) {
	_, b, err := t.replica(host)
	if err != nil {
		return 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sent, nil
}

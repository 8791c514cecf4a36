package targets

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"passback/scenarios"
	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback"
	"passback/writeback/protocol"
)

// A target is one world for one scenario: a cloud and relays of its own, agents of its own, and a directory, its own
// or one that many share.
type target struct {
	opener *Opener
	setup  scenarios.Setup

	dir     string // of the world's and the agents' files
	log     *record
	ground  *ground
	between []*between // the agents and each domain controller
	world   *sim.World
	tap     *tap

	mu     sync.Mutex
	agents []*agent
}

func (t *target) open(ctx context.Context) (err error) {
	if t.dir, err = os.MkdirTemp("", "passback-target-"); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	t.log = &record{}
	if t.ground, err = openGround(t.opener.place, t.opener.file.Directory, t.setup); err != nil {
		return err
	}
	for _, at := range t.ground.controllers() {
		b, err := stand(at)
		if err != nil {
			return err
		}
		t.between = append(t.between, b)
	}
	if err := t.openWorld(); err != nil {
		return err
	}
	t.tap = tapInto(t.world.Relays)
	if t.setup.Unconfigured || t.setup.NoAgent {
		return nil
	}
	_, err = t.StartAgent(ctx)
	return err
}

func (t *target) openWorld() (err error) {
	settings := cloud.DefaultSettings()
	settings.FederatedDomains = []string{t.ground.federated}
	settings.Deadline = t.setup.Deadline
	t.world, err = sim.NewWorld(sim.Options{
		Settings: &settings, WithoutAgent: true, EmptyCompany: true, Unconfigured: t.setup.Unconfigured,
		SecondRelay: t.setup.SecondRelay, RequestLock: t.setup.Lock, Dir: filepath.Join(t.dir, "world"),
		Logger: slog.New(slog.NewJSONHandler(t.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		External: &sim.ExternalDirectory{
			URL: t.ground.url, Domain: t.ground.domain, CAFile: t.ground.caFile,
			BindUser: t.ground.agent.user, Password: t.ground.agent.password, YesThisIsReal: t.opener.file.Directory.Real,
		},
	})
	if err != nil {
		return fmt.Errorf("start a world: %w", err)
	}
	return t.divert()
}

// divert makes the agents reach the directory through what stands between.
func (t *target) divert() error {
	c, err := writeback.LoadConfig(t.world.AgentConfig())
	if err != nil {
		return fmt.Errorf("read the world's agent.yaml: %w", err)
	}
	d := &c.Directories[0]
	d.Servers, d.CAFile = nil, filepath.Join(t.dir, "between.pem")
	var authorities []byte
	for _, b := range t.between {
		d.Servers, authorities = append(d.Servers, b.address()), append(authorities, b.ca...)
	}
	text, err := yaml.Marshal(c)
	if err == nil {
		err = os.WriteFile(t.world.AgentConfig(), text, 0o600)
	}
	if err == nil {
		err = os.WriteFile(d.CAFile, authorities, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write agent.yaml: %w", err)
	}
	return nil
}

// Lacks implements scenarios.Target.
func (t *target) Lacks(c scenarios.Capability) string { return t.opener.Lacks(c) }

// Close implements scenarios.Target.
func (t *target) Close() error {
	var errs []error
	for _, b := range t.between {
		b.close()
	}
	for _, a := range t.all() {
		a.end()
	}
	if t.tap != nil {
		t.tap.close()
	}
	if t.world != nil {
		errs = append(errs, t.world.Close())
	}
	if t.ground != nil {
		errs = append(errs, t.ground.close())
	}
	if t.dir != "" {
		errs = append(errs, os.RemoveAll(t.dir))
	}
	return errors.Join(errs...)
}

// pool reads a PEM file; nil, the system's, for no file.
func pool(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the directory's authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: holds no certificate in PEM", path)
	}
	return roots, nil
}

// Seed implements scenarios.Target.
func (t *target) Seed(ctx context.Context, p scenarios.Person) (scenarios.User, error) {
	u, err := t.ground.seed(ctx, p)
	t.ground.even()
	if err != nil || t.setup.Unconfigured {
		return u, err
	}
	if err := t.Synchronise(ctx); err != nil {
		return u, err
	}
	known, found := t.world.Cloud.User(u.UPN)
	if !found {
		return u, fmt.Errorf("the cloud does not know %s after a synchronisation", u.UPN)
	}
	u.CloudID = known.ID
	return u, nil
}

// administer runs what an administrator does, of which all controllers hear at once.
func (t *target) administer(ctx context.Context, do func() error) error {
	defer t.ground.even()
	return asked(ctx, do)
}

// Alter implements scenarios.Target.
func (t *target) Alter(ctx context.Context, u scenarios.User, a scenarios.Alteration) error {
	return t.administer(ctx, func() error { return t.ground.alter(u, a) })
}

// SetPolicy implements scenarios.Target.
func (t *target) SetPolicy(ctx context.Context, p scenarios.Policy) error {
	return t.administer(ctx, func() error { return t.ground.setPolicy(p) })
}

// Account implements scenarios.Target.
func (t *target) Account(ctx context.Context, u scenarios.User) (a scenarios.Account, err error) {
	err = asked(ctx, func() error {
		a, err = t.ground.account(u)
		return err
	})
	return a, err
}

// Bind implements scenarios.Target.
func (t *target) Bind(ctx context.Context, u scenarios.User, password protocol.Secret) (b scenarios.Bind, err error) {
	err = asked(ctx, func() error {
		b, err = t.ground.bind(u.DN, password)
		return err
	})
	return b, err
}

// Advance implements scenarios.Target: directory and tenant move on together, and what was synchronised meanwhile is.
func (t *target) Advance(ctx context.Context, d time.Duration) error {
	if t.ground.fake == nil {
		return t.lack(scenarios.AdvanceClock)
	}
	t.ground.clock.Advance(d)
	t.world.Clock.Advance(d)
	return t.Synchronise(ctx)
}

// RefusePassword implements scenarios.Target.
func (t *target) RefusePassword(_ context.Context, password protocol.Secret) error {
	if t.ground.fake == nil {
		return t.lack(scenarios.PasswordFilters)
	}
	t.ground.filter.refuse(password)
	return nil
}

// OfferPolicyHints implements scenarios.Target. The agent reads what is offered when it connects.
func (t *target) OfferPolicyHints(_ context.Context, offered bool) error {
	if t.ground.fake == nil {
		return t.lack(scenarios.HintsSwitch)
	}
	t.ground.fake.SetPolicyHints(offered)
	for _, b := range t.between {
		b.cut()
	}
	return nil
}

// StopDirectory implements scenarios.Target.
func (t *target) StopDirectory(context.Context) (start func() error, err error) {
	for _, b := range t.between {
		b.stop()
	}
	return func() error {
		for _, b := range t.between {
			if err := b.start(); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// RevokeAgentRights implements scenarios.Target.
func (t *target) RevokeAgentRights(ctx context.Context, rights ...scenarios.Right) error {
	needs := []scenarios.Capability{scenarios.AgentRights}
	if slices.Contains(rights, scenarios.Unexpire) {
		needs = append(needs, scenarios.UnexpireRight)
	}
	for _, c := range needs {
		if t.Lacks(c) != "" {
			return t.lack(c)
		}
	}
	return t.administer(ctx, func() error { return t.ground.dismiss(rights) })
}

// SetFineGrained implements scenarios.Target.
func (t *target) SetFineGrained(ctx context.Context, u scenarios.User, p scenarios.Policy) error {
	return t.administer(ctx, func() error { return t.ground.setFineGrained(u, p) })
}

// BindInClear implements scenarios.Target.
func (t *target) BindInClear(ctx context.Context, u scenarios.User, password protocol.Secret) (signing bool, err error) {
	if t.ground.fake == nil {
		return false, t.lack(scenarios.Release2025)
	}
	err = asked(ctx, func() error {
		signing, err = bindInClear(t.ground.fake.LDAPURL(), u.DN, password)
		return err
	})
	return signing, err
}

func (t *target) lack(c scenarios.Capability) error {
	return fmt.Errorf("this target lacks %s: %s", c, t.Lacks(c))
}

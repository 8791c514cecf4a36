package targets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"passback/clock"
	"passback/fakead"
	"passback/scenarios"
	"passback/writeback/protocol"
)

// A place is a directory that is not ours.
type place struct {
	endpoint
	caFile string
}

// A ground is a directory with an OU of this target's own in it, an account for the agents, and a policy of the
// scenario's. It is a fakead of its own, or a place, which is left as it was found.
type ground struct {
	*seedbed
	caFile string
	agent  service
	policy map[string]string // as it was found

	fake   *fakead.Server // the first writable controller; nil: a place
	forest *fakead.Forest // the fakead's
	names  []string       // of its controllers, as agents have them
	clock  *clock.Running // the fakead's
	filter *filter        // the fakead's
}

func openGround(p place, d Directory, s scenarios.Setup) (g *ground, err error) {
	if d.URL == "" {
		if g, err = openFake(s); err != nil {
			return nil, err
		}
	} else {
		g = &ground{seedbed: &seedbed{endpoint: p.endpoint}, caFile: p.caFile}
	}
	g.federated = "federated." + g.domain
	if err := g.prepare(d.AgentAccount == accountAdministrator); err != nil {
		return g, err
	}
	g.even()
	return g, nil
}

// openFake starts a domain whose authority lies in a file, as others' do.
func openFake(s scenarios.Setup) (*ground, error) {
	g := &ground{clock: clock.NewRunning(), filter: &filter{}}
	if err := g.startForest(s); err != nil {
		return nil, fmt.Errorf("start a directory: %w", err)
	}
	file, err := os.CreateTemp("", "passback-ca-*.pem")
	if err == nil {
		g.caFile = file.Name()
		_, err = file.Write(g.fake.CA().PEM())
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		_ = g.forest.Close()
		return nil, fmt.Errorf("keep the directory's authority: %w", err)
	}
	g.seedbed = &seedbed{endpoint: endpoint{
		url: g.fake.LDAPSURL(), roots: g.fake.CA().Pool(), domain: g.fake.Domain(),
		adminDN: g.fake.AdminDN(), password: protocol.NewSecret(g.fake.AdminPassword()),
	}}
	return g, nil
}

// prepare lays the OU, sets the policy that every scenario starts with, and makes the agents' account.
func (g *ground) prepare(asAdministrator bool) (err error) {
	if err := g.lay(); err != nil {
		return err
	}
	if g.policy, err = g.readPolicy(); err != nil {
		return err
	}
	if err := g.setPolicy(scenarios.DefaultPolicy); err != nil {
		return err
	}
	switch {
	case asAdministrator:
		g.agent = service{user: g.adminDN, password: g.password}
	case g.fake != nil:
		err = g.hireFake()
	default:
		g.agent, err = g.hire()
	}
	return err
}

// hireFake is hire, by the fakead's own way to delegate.
func (g *ground) hireFake() error {
	g.agent = service{user: fakeService + "@" + g.domain, password: protocol.NewSecret("Sv1!" + g.fake.AdminPassword())}
	if err := g.fake.AddUser(fakead.User{SAM: fakeService, NeverExpires: true, Password: g.agent.password.Reveal()}); err != nil {
		return fmt.Errorf("make the agents' account: %w", err)
	}
	return g.delegate(fakeRights)
}

const fakeService = "svc-passback"

var fakeRights = fakead.Rights{ResetPassword: true, ChangePassword: true, WritePwdLastSet: true, WriteLockoutTime: true,
	WriteMarker: protocol.DefaultMarkerAttribute, Unexpire: true}

func (g *ground) delegate(r fakead.Rights) error {
	if err := g.fake.Delegate(fakeService, r); err != nil {
		return fmt.Errorf("set the agents' rights: %w", err)
	}
	return nil
}

// dismiss takes rights of the agents; none named: all.
func (g *ground) dismiss(rights []scenarios.Right) error {
	if g.fake == nil {
		return g.revoke(g.agent, rights)
	}
	left := fakeRights
	if slices.Contains(rights, scenarios.WriteMarker) {
		left.WriteMarker = ""
	}
	if slices.Contains(rights, scenarios.Unexpire) {
		left.Unexpire = false
	}
	if len(rights) == 0 {
		left = fakead.Rights{}
	}
	return g.delegate(left)
}

func (g *ground) seed(ctx context.Context, p scenarios.Person) (scenarios.User, error) {
	u, err := g.add(ctx, p)
	if err != nil || !p.CannotChange {
		return u, err
	}
	if g.fake == nil {
		return u, g.forbidChange(u)
	}
	if err := g.fake.SetCannotChange(u.SAM, true); err != nil {
		return u, fmt.Errorf("forbid a change: %w", err)
	}
	return u, nil
}

func (g *ground) close() error {
	if g.fake != nil {
		_ = os.Remove(g.caFile)
		return g.forest.Close()
	}
	if err := g.clear(); err != nil {
		return err
	}
	if g.policy == nil {
		return nil
	}
	return g.writePolicy(g.policy)
}

// A filter is a password filter that refuses what it was told to.
type filter struct {
	mu      sync.Mutex
	refused map[string]bool
}

func (f *filter) refuse(password protocol.Secret) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refused == nil {
		f.refused = map[string]bool{}
	}
	f.refused[password.Reveal()] = true
}

func (f *filter) accepts(r fakead.FilterRequest) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.refused[r.Password]
}

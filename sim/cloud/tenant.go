// Package cloud is the cloud side of password writeback: a tenant with its settings, users and gates, the
// operations that people and administrators ask for, enrolment of agents, and the front end that seals requests,
// sends them through a relay and waits for the answers.
//
// What each operation does, and which are written back at all, follows Microsoft's "How does self-service password
// reset writeback work"; where a sentence here names Entra, it is documented so. Left out on purpose: proving who
// one is (captcha, one-time codes) beyond having registered a method, throttles, roles other than administrator and
// everybody else, and pass-through authentication.
//
// Two kinds of time: ages, expiry and audit follow the tenant's clock; issued-at, deadlines, heartbeats and token
// lifetimes are wire time.
package cloud

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"passback/clock"
	"passback/sim/trace"
	"passback/writeback/protocol"
)

// Options of a Tenant. The zero value is a tenant of cloud-only users, without directory or relay.
type Options struct {
	ID              string          // a GUID; default: a random one
	Settings        *Settings       // default: DefaultSettings
	Clock           clock.Clock     // of ages, expiry and audit; default clock.Real()
	Directories     []Directory     // whose users are synchronised; default: none
	Relays          []Relay         // at most two, the first being preferred; default: none, so nothing is written back
	RelayKeyLife    time.Duration   // after which relay keys are replaced, by Clock; default DefaultRelayKeyLife; negative: never
	MarkerAttribute string          // what agents mark a decided request with; default protocol.DefaultMarkerAttribute
	Trace           *trace.Recorder // default: nothing is recorded
	Logger          *slog.Logger    // never told a secret; default: discards
}

// A Tenant is one customer of the cloud, and what its front ends share.
type Tenant struct {
	id          string
	clock       clock.Clock
	directories []Directory
	relays      []Relay
	marker      string
	trace       *trace.Recorder
	log         *slog.Logger

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	front  *frontEnd // nil without a relay

	syncing   sync.Mutex    // one synchronisation at a time
	enrolling sync.Mutex    // one enrolment or rotation at a time: it writes rules on the relay
	rotate    chan struct{} // asks for a look at the rotation of relay keys
	keyLife   time.Duration // after which they are due

	mu          sync.Mutex // over everything below
	settings    Settings
	synced      time.Time                      // domain time of the last synchronisation; zero: never, so nothing is configured
	accounts    map[string]*account            // by object id
	byUPN       map[string]*account            // the same, by UPN in lower case: see index
	onItsWay    map[string]protocol.TrackingID // of the one operation of a user that is, by each of the user's names
	assignments map[string]Assignment          // by UPN in lower case
	groups      []group
	ledger      ledger
	agents      map[string]*agent
	access      access    // the cloud's own, to the relays
	rotated     time.Time // when all relay keys were last drawn or begun to be replaced
	tokens      map[string]*enrolToken
	keys        []packageKey // the current one first
	audit       []AuditEntry
	failWrites  int           // of the cloud's copy, to come
	beaten      chan struct{} // closed, and made anew, by each heartbeat that counts
}

// New makes a tenant and starts its front end.
func New(o Options) (*Tenant, error) {
	settings := DefaultSettings()
	if o.Settings != nil {
		settings = *o.Settings
	}
	if err := settings.check(); err != nil {
		return nil, fmt.Errorf("the tenant's settings: %w", err)
	}
	key, err := protocol.NewPackageKey()
	if err != nil {
		return nil, fmt.Errorf("make the tenant's package key: %w", err)
	}
	t := &Tenant{
		id: o.ID, settings: settings, clock: o.Clock, directories: o.Directories, relays: o.Relays,
		marker: o.MarkerAttribute, trace: o.Trace, log: o.Logger, keyLife: o.RelayKeyLife, rotate: make(chan struct{}, 1),
		accounts: map[string]*account{}, onItsWay: map[string]protocol.TrackingID{}, assignments: map[string]Assignment{},
		agents: map[string]*agent{}, tokens: map[string]*enrolToken{},
		keys: []packageKey{{PackageKey: key}}, beaten: make(chan struct{}),
	}
	t.fillIn()
	t.ctx, t.cancel = context.WithCancel(context.Background())
	if len(o.Relays) > 0 {
		if t.front, err = startFrontEnd(t); err != nil {
			t.cancel()
			return nil, err
		}
		t.front.work.Go(t.keepRelayKeys)
	}
	return t, nil
}

func (t *Tenant) fillIn() {
	if t.id == "" {
		t.id = uuid.NewString()
	}
	if t.clock == nil {
		t.clock = clock.Real()
	}
	if t.marker == "" {
		t.marker = protocol.DefaultMarkerAttribute
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	if t.keyLife == 0 {
		t.keyLife = DefaultRelayKeyLife
	}
	t.rotated = t.clock.Now()
	t.access = newAccess("cloud", cloudRights, len(t.relays), t.rotated)
}

// Close ends what is on its way as unknown, and the front end.
func (t *Tenant) Close() error {
	t.cancel()
	if t.front != nil {
		t.front.close()
	}
	return nil
}

// ID is the tenant's, a GUID.
func (t *Tenant) ID() string { return t.id }

// Settings returns what is set now.
func (t *Tenant) Settings() Settings {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.settings
}

// SetSettings replaces the settings whole.
func (t *Tenant) SetSettings(s Settings) error {
	if err := s.check(); err != nil {
		return fmt.Errorf("the tenant's settings: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settings = s
	for _, a := range t.accounts {
		t.assign(a)
		if a.Model != CloudOnly {
			a.Model = s.model(a.UPN)
		}
	}
	t.record(AuditEntry{Activity: ActivityPolicyChange, Success: true})
	return nil
}

func (s Settings) model(upn string) SignInModel {
	if s.federated(upn) {
		return Federated
	}
	return HashSynchronised
}

// Reset puts settings and users back: those given, and those whom the next synchronisation brings. Object ids, agents
// and keys stay, since others hold them; passwords of cloud-only users are to be given anew.
func (t *Tenant) Reset(s Settings) error {
	if err := t.SetSettings(s); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, a := range t.accounts {
		if a.Model == CloudOnly {
			delete(t.accounts, id)
		}
		a.copy, a.copyAt, a.mustChange = passwordCopy{}, time.Time{}, false
	}
	t.index()
	clear(t.assignments)
	t.audit, t.failWrites = nil, 0
	return nil
}

// Sealing is what a request would be sealed with now, for tests that seal what the cloud would not: the package key,
// the agents' keys, and the session that answers come back in.
func (t *Tenant) Sealing() (key protocol.PackageKey, to []protocol.PublicKey, session string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.front != nil {
		session = t.front.session
	}
	return t.keys[0].PackageKey, t.recipients(), session
}

// FailCloudWrites lets the next n writes of a cloud copy fail, after the directory took the password.
func (t *Tenant) FailCloudWrites(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failWrites = n
}

// wire is the time of deadlines and heartbeats.
func wire() time.Time { return clock.Real().Now() }

package writeback

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"passback/clock"
	"passback/fakead"
	"passback/writeback/directory"
	"passback/writeback/protocol"
)

const (
	firstPassword = "Winter-Morning-41"
	newPassword   = "Spring-Evening-42"
	newerPassword = "Summer-Evening-43"
	service       = "svc-writeback"
	servicePass   = "Service-Account-1"
	longAgo       = 30 * 24 * time.Hour
)

// serviceRights are what an administrator delegates to the agent's account.
var serviceRights = fakead.Rights{ResetPassword: true, WritePwdLastSet: true, WriteLockoutTime: true, WriteMarker: protocol.DefaultMarkerAttribute, Unexpire: true}

// A bench is a domain controller, the requests that a cloud would send for it, and what agents need to serve them.
type bench struct {
	testing.TB
	dc   *fakead.Server
	logs *lockedBuffer
}

func newBench(t testing.TB, o ...fakead.Options) *bench {
	t.Helper()
	b := &bench{TB: t, dc: fakead.RunT(t, o...), logs: &lockedBuffer{}}
	b.must(b.dc.AddUser(fakead.User{SAM: service, Password: servicePass, NeverExpires: true}))
	b.must(b.dc.Delegate(service, serviceRights))
	return b
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// addUser seeds an account whose password was set long ago, unless it says otherwise.
func (b *bench) addUser(u fakead.User) {
	b.Helper()
	if u.Password == "" {
		u.Password = firstPassword
	}
	if u.PasswordSet.IsZero() {
		u.PasswordSet = clock.Real().Now().Add(-longAgo)
	}
	b.must(b.dc.AddUser(u))
}

func (b *bench) state(sam string) fakead.UserState {
	b.Helper()
	u, err := b.dc.User(sam)
	b.must(err)
	return u
}

func (b *bench) markers(sam string) []string {
	return b.state(sam).Values(protocol.DefaultMarkerAttribute)
}

// writes counts the password writes that the directory took for an account.
func (b *bench) writes(sam string) (taken, all int) {
	b.Helper()
	dn := b.state(sam).DN
	for _, w := range b.dc.PasswordWrites() {
		if w.Target == dn {
			all++
			if w.Code == 0 {
				taken++
			}
		}
	}
	return taken, all
}

// request is a first delivery of what the cloud asks for an account.
func (b *bench) request(sam string, op protocol.Operation) task {
	b.Helper()
	guid := b.state(sam).GUID
	now := clock.Real().Now()
	t := task{
		request: protocol.Request{
			TrackingID: b.newID(), Operation: op, SourceAnchor: base64.StdEncoding.EncodeToString(guid[:]),
			Domain: b.dc.Domain(), DC: "dc1." + b.dc.Domain(), IssuedAt: now, Deadline: now.Add(protocol.DefaultDeadline),
		},
		delivery: delivery{count: 1},
	}
	if op.SetsPassword() {
		t.secrets.New = protocol.NewSecret(newPassword)
	}
	if op == protocol.Change {
		t.secrets.Old = protocol.NewSecret(firstPassword)
	}
	return t
}

func (b *bench) newID() protocol.TrackingID {
	b.Helper()
	id, err := protocol.NewTrackingID()
	b.must(err)
	return id
}

// idOf makes an id as it was made at another time.
func (b *bench) idOf(at time.Time) protocol.TrackingID {
	b.Helper()
	ms := at.UnixMilli()
	const digits = "0123456789abcdef"
	var hex [12]byte
	for i := range hex {
		hex[len(hex)-1-i] = digits[ms>>(4*i)&0xf]
	}
	id, err := protocol.ParseTrackingID(string(hex[:8]) + "-" + string(hex[8:]) + string(b.newID())[13:])
	b.must(err)
	return id
}

// An agent is an applier whose connections can be cut.
type agent struct {
	*applier
	down  atomic.Bool // the network, for new connections
	mu    sync.Mutex
	conns []net.Conn
}

func (b *bench) agent(change ...func(*directory.Options)) *agent {
	b.Helper()
	a := &agent{}
	o := directory.Options{
		Domain: b.dc.Domain(), Servers: []string{strings.TrimPrefix(b.dc.LDAPSURL(), "ldaps://")}, Roots: b.dc.CA().Pool(),
		User: service + "@" + b.dc.Domain(), Password: protocol.NewSecret(servicePass), Dial: a.dial,
	}
	for _, c := range change {
		c(&o)
	}
	d, err := directory.New(o)
	b.must(err)
	b.Cleanup(d.Close)
	a.applier = &applier{domains: []*directory.Domain{d}, log: slog.New(slog.NewTextHandler(b.logs, nil))}
	return a
}

func (a *agent) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if a.down.Load() {
		return nil, errors.New("the network is down")
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err == nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.conns = append(a.conns, conn)
	}
	return conn, err
}

// cut closes every connection of the agent, as a failing network does.
func (a *agent) cut() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.conns {
		_ = c.Close()
	}
	a.conns = nil
}

// A stall holds the next password write that reaches the controller, and cuts off the agent that sent it: what
// left the agent lands later.
type stall struct {
	b       *bench
	held    chan struct{} // closed when it is held
	release chan struct{}
	landed  chan int // its result code
}

func (b *bench) stall(a *agent) *stall {
	s := &stall{b: b, held: make(chan struct{}), release: make(chan struct{}), landed: make(chan int, 1)}
	var mu sync.Mutex
	reached, after := false, false
	b.Cleanup(b.dc.Hook(func(o fakead.Operation) fakead.Action {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case !o.SetsPassword():
		case o.Stage == fakead.BeforeModify && !reached:
			reached = true
			close(s.held)
			a.cut()
			return fakead.Hold(s.release)
		case o.Stage == fakead.AfterModify && !after:
			select {
			case <-s.release:
				after = true
				s.landed <- o.Code
			default: // another one
			}
		}
		return fakead.Pass()
	}))
	return s
}

// land lets the held write go on, and returns how it ended.
func (s *stall) land() int {
	s.b.Helper()
	select {
	case <-s.held:
	default:
		s.b.Fatal("no password write was held")
	}
	close(s.release)
	return <-s.landed
}

// once calls f at the given stage of the next modify for which want holds.
func (b *bench) once(stage fakead.Stage, want func(fakead.Operation) bool, f func() fakead.Action) {
	var done atomic.Bool
	b.Cleanup(b.dc.Hook(func(o fakead.Operation) fakead.Action {
		if o.Stage == stage && want(o) && done.CompareAndSwap(false, true) {
			return f()
		}
		return fakead.Pass()
	}))
}

func setsPassword(o fakead.Operation) bool { return o.SetsPassword() }

func isBurn(o fakead.Operation) bool { return !o.SetsPassword() }

// want checks a decision's outcome and settlement.
func (b *bench) want(d decision, outcome protocol.Outcome, settle settlement) {
	b.Helper()
	if d.outcome != outcome || d.settle != settle {
		b.Errorf("got %s (settle %d, %s), want %s (settle %d)", d.outcome, d.settle, d.detail, outcome, settle)
	}
	for _, secret := range []string{firstPassword, newPassword, newerPassword, servicePass} {
		if strings.Contains(d.detail+d.engine+b.logs.String(), secret) {
			b.Errorf("a password was told")
		}
	}
}

type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

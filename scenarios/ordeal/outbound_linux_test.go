package ordeal_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"passback/fakead"
	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback"
	"passback/writeback/protocol"
)

// Outbound only, proved: the agent lives behind a firewall that lets it connect to the cloud, its relay and the
// directory, and counts everything else. From enrolment to goodbye it needs nothing else, and never listens.

const (
	relayPort, enrolPort = 443, 8443
	serviceName          = "svc-writeback"
	proxyUser            = "agent"
	proxyPassword        = "Perimeter-Kites-77"
)

func TestOutboundOnly(t *testing.T) {
	if !inOwnNamespaces(t) {
		return
	}
	buildNetwork(t)
	binary := buildAgent(t)
	dc := startDirectory(t)
	t.Run("direct", func(t *testing.T) {
		walledIn(t, binary, dc, "")
	})
	t.Run("by an authenticating proxy alone", func(t *testing.T) {
		p := startProxy(t, cloudIP, proxyUser, proxyPassword)
		walledIn(t, binary, dc, p.address)
		asked, refused := p.targets()
		t.Logf("the proxy connected to %v, and refused %d requests", asked, refused)
		if len(asked) != 2 || refused > 0 {
			t.Errorf("want the proxy asked for the relay and for the enrolment, always with the account")
		}
	})
}

// startDirectory serves LDAPS in the directory's namespace.
func startDirectory(t *testing.T) *fakead.Server {
	t.Helper()
	var dc *fakead.Server
	err := within(directorySpace, func() (err error) {
		dc, err = fakead.New(fakead.Options{Domain: domain, Listen: directoryIP, LDAPSPort: 636})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dc.Close() })
	policy := dc.Policy()
	policy.MinAge, policy.LockoutThreshold, policy.LockoutDuration, policy.LockoutWindow = 0, 3, time.Hour, time.Hour
	dc.SetPolicy(policy)
	rights := fakead.Rights{ResetPassword: true, ChangePassword: true, WritePwdLastSet: true, WriteLockoutTime: true, Unexpire: true, WriteMarker: protocol.DefaultMarkerAttribute}
	err = errors.Join(dc.AddUser(fakead.User{SAM: serviceName, Password: passwordBefore("person-service"), NeverExpires: true}), dc.Delegate(serviceName, rights))
	for _, sam := range []string{"person1", "person2"} {
		err = errors.Join(err, dc.AddUser(fakead.User{SAM: sam, UPN: sam + "@" + domain, Password: passwordBefore(sam), PasswordSet: dc.Clock().Now().AddDate(0, -1, 0)}))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dc
}

// startCloud serves cloud and relay in the namespace of the test itself.
func startCloud(t *testing.T, dc *fakead.Server) *sim.World {
	t.Helper()
	ca := filepath.Join(t.TempDir(), "directory.pem")
	if err := os.WriteFile(ca, dc.CA().PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return sim.RunT(t, sim.Options{
		Listen: cloudIP, Ports: sim.Ports{HTTPS: relayPort, Web: enrolPort}, WithoutAgent: true,
		External: &sim.ExternalDirectory{
			URL: "ldaps://" + net.JoinHostPort(directoryIP, "636"), Domain: domain, CAFile: ca, BindUser: serviceName + "@" + domain,
			Password: protocol.NewSecret(passwordBefore("person-service")), YesThisIsReal: true, // the address is not one of tests
		},
	})
}

// walledIn gives one agent something of everything to do behind its firewall.
func walledIn(t *testing.T, binary string, dc *fakead.Server, proxy string) {
	w := startCloud(t, dc)
	change := func(*writeback.Config) {}
	dir := t.TempDir()
	if proxy != "" {
		secret := filepath.Join(dir, "proxy.secret")
		if err := os.WriteFile(secret, []byte(proxyPassword+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		change = func(c *writeback.Config) {
			c.Proxy, c.ProxyAuth = "http://"+proxy, writeback.Bind{User: proxyUser, PasswordFile: secret}
		}
	}
	calls := filepath.Join(dir, "calls")
	p, err := newProcess(dir, w.AgentConfig(), change, traced(t, calls, binary)...)
	if err != nil {
		t.Fatal(err)
	}
	p.more = []string{"HTTPS_PROXY=", "https_proxy="}
	config, err := writeback.LoadConfig(p.config)
	if err != nil {
		t.Fatal(err)
	}
	openings, err := openingsOf(config, proxy, w.Relay.HTTPSAddr())
	if err == nil {
		err = wallIn(openings)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("open: %v", openings)
	if err := errors.Join(p.enrol(w.Cloud.NewEnrolToken(0)), p.start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // of one that a failure left behind
	stop := watch(p.cmd.Process.Pid, agentSpace)
	if err := p.serving(); err != nil {
		t.Fatal(err)
	}
	work(t, w, dc)
	if err := p.terminate(); err != nil {
		t.Error(err)
	}
	seen, looks := stop()
	t.Logf("looked %d times for a socket that listens, and saw %q", looks, seen)
	if len(seen) > 0 || looks == 0 {
		t.Errorf("want no socket that listens")
	}
	onlyConnects(t, calls)
	count := mustCount(t)
	t.Logf("packets that began something: %v", count)
	if count["inbound"] != 0 || count["elsewhere"] != 0 || count["cloud"] == 0 || count["directory"] == 0 {
		t.Errorf("want connections to the cloud and to the directory, and nothing else in or out")
	}
	if !withoutSecrets(p.said(), proxyPassword, passwordBefore("person1"), passwordAfter("person1"), passwordBefore("person-service")) {
		t.Errorf("a password is in what the agent wrote")
	}
	wallHolds(t)
}

// work is a reset, a reset that is refused, a change and an unlock.
func work(t *testing.T, w *sim.World, dc *fakead.Server) {
	const upn = "person1@" + domain
	old, first, second := protocol.NewSecret(passwordBefore("person1")), protocol.NewSecret(passwordAfter("person1")), protocol.NewSecret(passwordAfter("person1")+"-again")
	if err := dc.SetPassword("person1", old.Reveal(), dc.Clock().Now().AddDate(0, -1, 0)); err != nil {
		t.Fatal(err)
	}
	policy := dc.Policy()
	policy.History = 0
	dc.SetPolicy(policy)
	for _, step := range []struct {
		ask  cloud.Ask
		want protocol.Outcome
	}{
		{cloud.Ask{Way: cloud.PortalReset, New: protocol.NewSecret("Kt-91!")}, protocol.PolicyViolation},
		{cloud.Ask{Way: cloud.PortalReset, New: first}, protocol.Success},
		{cloud.Ask{Way: cloud.AccessPanel, Old: first, New: second}, protocol.Success},
		{cloud.Ask{Way: cloud.UnlockAlone}, protocol.Success},
	} {
		step.ask.User = upn
		if r := w.Cloud.Perform(t.Context(), step.ask); r.Outcome != step.want {
			t.Errorf("%s: told %s (%s %s), want %s", step.ask.Way, r.Outcome, r.Reason, r.Detail, step.want)
		}
	}
	if state, err := dc.User("person1"); err != nil || !state.PasswordIs(second.Reveal()) {
		t.Errorf("the directory has another password (%v)", err)
	}
}

// terminate asks it to end, and waits.
func (p *process) terminate() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("the agent was asked to end: %w\n%s", err, p.lately())
	}
	return nil
}

// traced runs the agent in its namespace and, where strace(1) is there, writes down its calls of listen(2) and
// connect(2). The tracer is a child (-D), so that signals go to the agent.
func traced(t *testing.T, file, binary string) []string {
	command := []string{"ip", "netns", "exec", agentSpace}
	if _, err := exec.LookPath("strace"); err == nil {
		command = append(command, "strace", "-D", "-f", "-qq", "-A", "-e", "trace=listen,connect", "-e", "signal=none", "-o", file)
	} else {
		t.Log("strace is not there: that no listen is called is not traced, only looked for")
	}
	return append(command, binary)
}

// onlyConnects looks at the calls that were traced.
func onlyConnects(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	connects, listens := strings.Count(string(text), "connect("), strings.Count(string(text), "listen(")
	t.Logf("traced %d calls of connect and %d of listen", connects, listens)
	if err != nil || listens > 0 || connects == 0 {
		t.Errorf("want no call of listen, and some of connect (%v)", err)
	}
}

func mustCount(t *testing.T) map[string]int {
	t.Helper()
	count, err := counters()
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// wallHolds shows that the detectors detect: what the agent never did is done for it.
func wallHolds(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var dialer net.Dialer
	if _, err := dialer.DialContext(ctx, "tcp", "192.0.2.2:443"); err == nil {
		t.Error("the agent's host took a connection")
	}
	err := within(agentSpace, func() error {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		defer syscall.Close(fd)
		_ = syscall.Connect(fd, &syscall.SockaddrInet4{Port: 80, Addr: [4]byte{192, 0, 2, 1}})
		l, err := net.Listen("tcp", "192.0.2.2:0")
		if err != nil {
			return err
		}
		defer l.Close()
		if len(listeners(syscall.Gettid())) != 1 {
			t.Error("a socket that listens was not seen")
		}
		return nil
	})
	if count := mustCount(t); err != nil || count["inbound"] == 0 || count["elsewhere"] == 0 {
		t.Errorf("the firewall counted %v of what it should (%v)", count, err)
	}
}

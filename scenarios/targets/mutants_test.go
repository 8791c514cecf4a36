package targets

import (
	"context"
	"crypto/rand"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/scenarios"
	"passback/scenarios/report"
	"passback/writeback"
	"passback/writeback/protocol"
)

// Every scenario can fail: in a world that is broken in a way that it is about, it does. The worlds are real; a mutant
// changes one thing in them.

// A mutant breaks each target that an opener opens.
type mutant struct {
	scenarios.Opener
	breaks func(*target) scenarios.Target
}

func (m mutant) Open(ctx context.Context, s scenarios.Setup) (scenarios.Target, error) {
	opened, err := m.Opener.Open(ctx, s)
	if err != nil {
		return nil, err
	}
	return m.breaks(opened.(*target)), nil
}

// contrary tells every caller the opposite of what happened.
type contrary struct{ *target }

func (c contrary) Ask(ctx context.Context, a scenarios.Ask) (scenarios.Answer, error) {
	answer, err := c.target.Ask(ctx, a)
	if answer.Changed == protocol.ChangedYes {
		answer.Outcome, answer.Changed = protocol.InternalError, protocol.ChangedNo
	} else {
		answer.Outcome, answer.Changed, answer.TrackingID = protocol.Success, protocol.ChangedYes, "00000000-0000-7000-8000-000000000000"
	}
	return answer, err
}

// meddler is an administrator who sets another password after each request, so that the directory is written once
// more than was asked.
type meddler struct{ *target }

func (m meddler) Ask(ctx context.Context, a scenarios.Ask) (scenarios.Answer, error) {
	answer, err := m.target.Ask(ctx, a)
	if err != nil {
		return answer, err
	}
	return answer, m.meddle(a.User.DN)
}

func (m meddler) Inject(ctx context.Context, queue string, message protocol.Message) error {
	if err := m.target.Inject(ctx, queue, message); err != nil {
		return err
	}
	return m.everyone(m.meddle)
}

func (t *target) meddle(dn string) error {
	return t.ground.asAdmin(func(c *ldap.Conn) error {
		modify := ldap.NewModifyRequest(dn, nil)
		modify.Replace("unicodePwd", []string{quoted(protocol.NewSecret("Md1!" + rand.Text()))})
		if err := c.Modify(modify); !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
			return err
		}
		return nil
	})
}

func (t *target) everyone(do func(dn string) error) error {
	var people []string
	err := t.ground.asAdmin(func(c *ldap.Conn) error {
		found, err := c.Search(ldap.NewSearchRequest(t.ground.ou, ldap.ScopeSingleLevel, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=user)", []string{"1.1"}, nil))
		if err != nil {
			return err
		}
		for _, e := range found.Entries {
			people = append(people, e.DN)
		}
		return nil
	})
	for _, dn := range people {
		if err == nil {
			err = do(dn)
		}
	}
	return err
}

// doorman enrols whoever knocks, with a token of its own.
type doorman struct{ *target }

func (d doorman) Enrol(ctx context.Context, _ protocol.Secret) error {
	return d.target.Enrol(ctx, d.world.Cloud.NewEnrolToken(0))
}

// idle arranges nothing of what a scenario asks of the directory.
type idle struct{ *target }

func (idle) Alter(context.Context, scenarios.User, scenarios.Alteration) error      { return nil }
func (idle) SetFineGrained(context.Context, scenarios.User, scenarios.Policy) error { return nil }
func (idle) RevokeAgentRights(context.Context, ...scenarios.Right) error            { return nil }
func (idle) MovePDC(context.Context, string) error                                  { return nil }
func (idle) StopController(context.Context, string) (func() error, error)           { return done, nil }
func (idle) BindInClear(context.Context, scenarios.User, protocol.Secret) (bool, error) {
	return false, nil
}

// HoldReplication holds for good.
func (i idle) HoldReplication(ctx context.Context) (func() error, error) {
	_, err := i.target.HoldReplication(ctx)
	return done, err
}

func done() error { return nil }

// survivors runs scenarios on mutants and returns those that did not fail.
func survivors(t *testing.T, f File, list []scenarios.Scenario, breaks func(*target) scenarios.Target) (passed []scenarios.Scenario) {
	t.Helper()
	opener, err := New(f)
	if err != nil {
		t.Fatal(err)
	}
	const atOnce, timeout = 4, time.Minute // of a mutant that hangs; opening takes long on a busy machine
	var mu sync.Mutex
	var running sync.WaitGroup
	free := make(chan struct{}, atOnce)
	for _, s := range list {
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			r := report.RunOne(t.Context(), mutant{opener, breaks}, s, timeout)
			mu.Lock()
			defer mu.Unlock()
			if r.Verdict == scenarios.Passed {
				passed = append(passed, s)
			}
			if strings.HasPrefix(r.Reason, "open the target") {
				t.Errorf("%s: %s", s.ID, r.Reason)
			}
		})
	}
	running.Wait()
	return passed
}

func listed(t *testing.T, filter string) []scenarios.Scenario {
	t.Helper()
	list, err := report.List(filter)
	if err != nil || len(list) == 0 {
		t.Fatalf("%d scenarios, %v", len(list), err)
	}
	return list
}

// What is Slow waits for locks and deadlines; it is made of the same checks.
func TestEachScenarioFailsInABrokenWorld(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a world for each scenario")
	}
	left := listed(t, "!Slow")
	for _, breaks := range []func(*target) scenarios.Target{
		func(t *target) scenarios.Target { return contrary{t} },
		func(t *target) scenarios.Target { return meddler{t} },
		func(t *target) scenarios.Target { return doorman{t} },
	} {
		left = survivors(t, File{}, left, breaks)
	}
	for _, s := range left {
		t.Errorf("%s passes in every broken world: %s", s.ID, s.Title)
	}
}

// A scenario that rests on what it arranged in the directory fails where that did not come about.
func TestWhatIsArrangedMatters(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a world for each scenario")
	}
	arranging := listed(t, "!Slow && (Area:controllers || /^PB-POLICY-(019|020)$/ || /^PB-FEEDBACK-01[6-9]$/)")
	for _, s := range survivors(t, File{}, arranging, func(t *target) scenarios.Target { return idle{t} }) {
		t.Errorf("%s passes though nothing was arranged: %s", s.ID, s.Title)
	}
}

// The test's own binary is the agent, as it is or with a fault.
const (
	honestAgent    = "honest-agent"
	listeningAgent = "listening-agent"
	chattyAgent    = "chatty-agent"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case listeningAgent:
			if _, err := net.Listen("tcp", "127.0.0.1:0"); err != nil {
				panic(err)
			}
			fallthrough
		case honestAgent:
			os.Exit(writeback.Main(writeback.Command(), os.Args[2:], os.Stderr))
		case chattyAgent:
			if _, err := net.Dial("tcp", os.Args[2]); err != nil {
				panic(err)
			}
			os.Exit(writeback.Main(writeback.Command(), os.Args[3:], os.Stderr))
		}
	}
	os.Exit(m.Run())
}

func TestAnAgentThatListensOrTalksToOthersIsSeen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux's /proc")
	}
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	same := func(t *target) scenarios.Target { return t }
	outbound := listed(t, "Area:outbound && Feature:agent-process && !Slow")
	for _, agent := range []struct {
		words []string
		pass  int
	}{{[]string{honestAgent}, len(outbound)}, {[]string{listeningAgent}, 0}, {[]string{chattyAgent, stranger.Addr().String()}, 0}} {
		f := File{Agent: Agent{Command: append([]string{os.Args[0]}, agent.words...)}}
		if passed := survivors(t, f, outbound, same); len(passed) != agent.pass {
			t.Errorf("%s: %d of %d scenarios passed, want %d", agent.words[0], len(passed), len(outbound), agent.pass)
		}
	}
}

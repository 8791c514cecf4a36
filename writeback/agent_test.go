package writeback_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"passback/fakerelay"
	"passback/writeback"
	"passback/writeback/protocol"
)

func TestResetReachesTheDirectoryAndIsAnswered(t *testing.T) {
	l := newLab(t)
	l.start(l.enrolled())
	const password = "Spring-Evening-42"
	r := l.request(nil)
	a := l.ask(r, newPassword(password))
	if a.Outcome != protocol.Success || a.DC != "dc1.corp.example" {
		t.Fatalf("answered %+v\n%s", a, l.logText())
	}
	if !l.passwordIs("alice", password) {
		t.Error("the directory does not have the password")
	}
	eventually(t, "an empty queue", func() bool { return l.queued(protocol.QueueRequests) == 0 })
	for _, id := range []string{"31001", "31002", "31015", "31019"} {
		if !l.event(id) {
			t.Errorf("event %s was not logged", id)
		}
	}
	for _, secret := range []string{password, initial, bindPassword, l.token, "secret-of-"} {
		if strings.Contains(l.logText(), secret) {
			t.Error("a secret was logged")
		}
	}
}

func TestRefusalIsAnsweredWithItsRule(t *testing.T) {
	l := newLab(t)
	l.start(l.enrolled())
	a := l.ask(l.request(nil), newPassword("short"))
	if a.Outcome != protocol.PolicyViolation || a.Violation == nil || a.Violation.Rule != protocol.RuleLength {
		t.Errorf("answered %+v", a)
	}
	if !l.passwordIs("alice", initial) {
		t.Error("a refused password was set")
	}
	if !l.event("33008") || !l.event("31003") {
		t.Error("the refusal was not logged as the real service does")
	}
}

func TestChangeNeedsTheOldPassword(t *testing.T) {
	l := newLab(t)
	l.start(l.enrolled())
	change := func(r *protocol.Request) { r.Operation, r.Unlock = protocol.Change, false }
	wrong := protocol.Secrets{Old: protocol.NewSecret("Not-My-Password-1"), New: protocol.NewSecret("Spring-Evening-42")}
	if a := l.ask(l.request(change), wrong); a.Outcome != protocol.IncorrectPassword {
		t.Errorf("with a wrong old password: %+v", a)
	}
	right := protocol.Secrets{Old: protocol.NewSecret(initial), New: protocol.NewSecret("Spring-Evening-42")}
	if a := l.ask(l.request(change), right); a.Outcome != protocol.Success {
		t.Errorf("with the old password: %+v", a)
	}
	if !l.passwordIs("alice", "Spring-Evening-42") {
		t.Error("the directory does not have the password")
	}
}

func TestRedeliveryIsAnsweredAlikeAndAppliedOnce(t *testing.T) {
	l := newLab(t)
	l.start(l.enrolled())
	dropped := make(chan struct{})
	remove := l.relay.Hook(func(e fakerelay.Event) fakerelay.Action {
		if e.Kind == fakerelay.Complete && !e.Done && e.Entity == protocol.QueueRequests && e.DeliveryCount == 1 {
			select {
			case <-dropped:
			default:
				close(dropped)
				return fakerelay.Disconnect
			}
		}
		return fakerelay.Pass
	})
	defer remove()
	m := l.seal(l.request(nil), newPassword("Spring-Evening-42"))
	l.send(m)
	if a := l.answer(m); a.Outcome != protocol.Success {
		t.Errorf("first answered %+v", a)
	}
	<-dropped
	eventually(t, "a new connection", func() bool { return strings.Count(l.logText(), "connected to the relay") > 1 })
	l.wire.Advance(protocol.LockDuration + time.Second)
	if a := l.answer(m); a.Outcome != protocol.Success {
		t.Errorf("then answered %+v", a)
	}
	written := 0
	for _, w := range l.dc.PasswordWrites() {
		if w.Code == 0 {
			written++
		}
	}
	if written != 1 {
		t.Errorf("the password was written %d times", written)
	}
}

// The controller has the modify and does not judge it before the relay's lock has lapsed: the request comes again, is
// applied by that delivery, and what the controller sat on changes nothing.
func TestTheControllerSitsOnTheModifyPastTheLock(t *testing.T) {
	l := newLab(t)
	l.start(l.enrolled())
	inHand, goOn := make(chan struct{}), make(chan struct{})
	defer l.holdModify(inHand, goOn)()
	m := l.seal(l.request(nil), newPassword("Spring-Evening-42"))
	l.send(m)
	<-inHand
	l.wire.Advance(protocol.LockDuration + time.Second)
	if a := l.answer(m); a.Outcome != protocol.Success {
		t.Errorf("the second delivery was answered %+v", a)
	}
	close(goOn)
	if a := l.answer(m); a.Outcome != protocol.Success {
		t.Errorf("the first delivery was answered %+v", a)
	}
	var codes []int
	for _, w := range l.dc.PasswordWrites() {
		codes = append(codes, w.Code)
	}
	if !slices.Equal(codes, []int{0, 20}) {
		t.Errorf("the directory's record of writes is %v, want one that it took and a 20", codes)
	}
}

func TestForeignAndTamperedMessagesAreRemoved(t *testing.T) {
	l := newLab(t)
	l.start(l.enrolled())
	foreign := l.request(func(r *protocol.Request) { r.Tenant = "fabrikam" })
	tampered := l.seal(l.request(nil), newPassword("Spring-Evening-42"))
	tampered.Body[len(tampered.Body)/2] ^= 1
	moved := l.seal(l.request(nil), newPassword("Spring-Evening-42"))
	moved.ID = string(l.request(nil).TrackingID)
	for name, m := range map[string]protocol.Message{
		"foreign": l.seal(foreign, newPassword("Spring-Evening-42")), "tampered": tampered, "moved": moved,
		"not ours": {ID: "x", Body: []byte("hello"), TTL: time.Minute}, "empty": {ID: "y", TTL: time.Minute},
	} {
		l.send(m)
		eventually(t, name+": an empty queue", func() bool { return l.queued(protocol.QueueRequests) == 0 })
	}
	if n := l.queued(protocol.QueueAnswers); n != 0 {
		t.Errorf("%d answers to messages that do not open", n)
	}
	if len(l.dc.PasswordWrites()) != 0 {
		t.Error("one of them reached the directory")
	}
	q, err := l.relay.Queue(protocol.QueueRequests)
	must(t, err)
	if q.DeadLetterCount() != 0 {
		t.Error("one of them was dead-lettered")
	}
}

func TestRequestSealedToNobodyHereIsRefusedAtTheLastDelivery(t *testing.T) {
	l := newLab(t)
	l.start(l.enrolled())
	other, err := protocol.NewPrivateKey()
	must(t, err)
	m, err := protocol.SealRequest(l.keys[0], l.request(nil), newPassword("Spring-Evening-42"), []protocol.PublicKey{other.Public()})
	must(t, err)
	l.send(m)
	if a := l.answer(m); a.Outcome != protocol.DecryptionFailed {
		t.Errorf("answered %+v", a)
	}
	alice, err := l.dc.User("alice")
	must(t, err)
	if burnt := alice.Values(protocol.DefaultMarkerAttribute); len(burnt) != 2 {
		t.Errorf("the refusal was not burnt: %q", burnt)
	}
}

func TestInvalidRequestIsRefused(t *testing.T) {
	l := newLab(t)
	l.start(l.enrolled())
	r := l.request(nil)
	m := l.forge(r, func(o map[string]any) { o["dc"] = "not a name" })
	l.send(m)
	if a := l.answer(m); a.Outcome != protocol.InvalidRequest {
		t.Errorf("answered %+v", a)
	}
}

func TestStagingAgentBeatsAndTakesNothing(t *testing.T) {
	l := newLab(t)
	l.mode = protocol.Staging
	l.start(l.enrolled())
	beats := l.beats()
	if b := beats[0]; b.Mode != protocol.Staging || b.Ready || b.Reason != "the tenant says so" || !b.Usable() {
		t.Errorf("beat %+v", b)
	}
	l.send(l.seal(l.request(nil), newPassword("Spring-Evening-42")))
	if l.queued(protocol.QueueRequests) != 1 || len(l.dc.PasswordWrites()) != 0 {
		t.Error("a staging agent took a request")
	}
}

func TestHeartbeatTellsWhatTheCloudNeeds(t *testing.T) {
	l := newLab(t)
	stop := l.start(l.enrolled())
	must(t, stop())
	beats := l.beats()
	first, last := beats[0], beats[len(beats)-1]
	if first.Mode != protocol.Active || len(first.Domains) != 1 || first.Domains[0].DC != "dc1.corp.example" || first.Keys[0] != l.agents[0].Thumbprint() {
		t.Errorf("first beat %+v", first)
	}
	if !last.Goodbye || last.Ready {
		t.Errorf("last beat %+v, want a goodbye", last)
	}
	served := false
	for _, b := range beats {
		must(t, b.CheckFresh(time.Now(), time.Time{}))
		served = served || b.Ready && b.Relays[0].Listening
	}
	if !served {
		t.Error("no beat said that requests are taken")
	}
}

func TestStopFinishesWhatIsInHand(t *testing.T) {
	l := newLab(t)
	stop := l.start(l.enrolled())
	inHand, goOn := make(chan struct{}), make(chan struct{})
	remove := l.holdModify(inHand, goOn)
	defer remove()
	m := l.seal(l.request(nil), newPassword("Spring-Evening-42"))
	l.send(m)
	<-inHand
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	eventually(t, "a goodbye", func() bool { b := l.beats(); return b[len(b)-1].Goodbye })
	close(goOn)
	if a := l.answer(m); a.Outcome != protocol.Success {
		t.Errorf("answered %+v", a)
	}
	must(t, <-stopped)
	if l.queued(protocol.QueueRequests) != 0 {
		t.Error("the request was answered and not completed")
	}
}

func TestClockThatIsOffTakesNothing(t *testing.T) {
	for says, skew := range map[string]time.Duration{"ahead of": -6 * time.Second, "behind": 6 * time.Second} {
		l := newLab(t)
		c := l.enrolled()
		l.mu.Lock()
		l.skew = skew // of the cloud's clock
		l.mu.Unlock()
		l.send(l.seal(l.request(nil), newPassword("Spring-Evening-42")))
		l.begin(c)
		eventually(t, "event 34020", func() bool { return l.event("34020") })
		eventually(t, "a heartbeat that says so", func() bool {
			b := l.beats()
			return len(b) > 0 && !b[len(b)-1].Ready && strings.Contains(b[len(b)-1].Reason, says+" the cloud's")
		})
		if l.queued(protocol.QueueRequests) != 1 || !l.passwordIs("alice", initial) {
			t.Errorf("%s off: the request was taken", skew)
		}
	}
}

func TestClockThatIsALittleOffServes(t *testing.T) {
	l := newLab(t)
	l.skew = 4 * time.Second
	l.start(l.enrolled())
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("answered %+v", a)
	}
}

func TestUnknownPackageKeyIsAskedFor(t *testing.T) {
	l := newLab(t)
	policy := l.dc.Policy()
	policy.MinAge = 0
	l.dc.SetPolicy(policy)
	l.start(l.enrolled())
	for _, password := range []string{"Spring-Evening-42", "Spring-Evening-43"} { // the second is made just after the first was asked for
		l.mu.Lock()
		fresh, err := protocol.NewPackageKey()
		must(t, err)
		l.keys = append([]protocol.PackageKey{fresh}, l.keys...)
		l.mu.Unlock()
		if a := l.ask(l.request(nil), newPassword(password)); a.Outcome != protocol.Success {
			t.Errorf("answered %+v", a)
		}
	}
}

func TestListensOnTwoRelays(t *testing.T) {
	l := newLab(t)
	l.second = l.newRelay()
	policy := l.dc.Policy()
	policy.MinAge = 0 // two resets in one day
	l.dc.SetPolicy(policy)
	l.start(l.enrolled())
	for i, n := range []*fakerelay.Namespace{l.relay, l.second} {
		l.use(n)
		if a := l.ask(l.request(nil), newPassword(fmt.Sprint("Spring-Evening-4", i))); a.Outcome != protocol.Success {
			t.Errorf("answered %+v", a)
		}
		if len(l.beats()) == 0 {
			t.Error("a relay without a heartbeat")
		}
	}
}

func TestReplayThroughTheOtherRelayChangesNothing(t *testing.T) {
	l := newLab(t)
	l.second = l.newRelay()
	l.start(l.enrolled())
	m := l.seal(l.request(nil), newPassword("short"))
	l.send(m)
	if a := l.answer(m); a.Outcome != protocol.PolicyViolation {
		t.Fatalf("answered %+v", a)
	}
	policy := l.dc.Policy()
	policy.MinLength, policy.Complexity, policy.History, policy.MinAge = 0, false, 0, 0 // now it would be accepted
	l.dc.SetPolicy(policy)
	l.use(l.second)
	l.send(m)
	if a := l.answer(m); a.Outcome != protocol.PolicyViolation {
		t.Errorf("the replay was answered %+v", a)
	}
	if !l.passwordIs("alice", initial) {
		t.Error("the replay changed the password")
	}
}

func TestConnectsToTheProxyAndTheDirectoryAlone(t *testing.T) {
	l := newLab(t)
	proxy := httptest.NewServer(http.HandlerFunc(tunnel))
	t.Cleanup(proxy.Close)
	l.writeConfig(l.yaml("proxy: " + proxy.URL + "\n"))
	c := l.config()
	only := func(allowed string) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr != allowed {
				t.Errorf("connected to %s, want %s alone", addr, allowed)
			}
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		}
	}
	c.DialRelay = only(strings.TrimPrefix(proxy.URL, "http://"))
	c.DialLDAP = only(strings.TrimPrefix(l.dc.LDAPSURL(), "ldaps://"))
	must(t, writeback.Enroll(within(t), c, protocol.NewSecret(l.token)))
	l.start(c)
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("answered %+v", a)
	}
}

// tunnel is what a proxy does for CONNECT.
func tunnel(w http.ResponseWriter, r *http.Request) {
	up, err := net.Dial("tcp", r.Host)
	if r.Method != http.MethodConnect || err != nil {
		http.Error(w, "want CONNECT to a host that is there", http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	down, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		up.Close()
		return
	}
	go func() {
		defer up.Close()
		_, _ = io.Copy(up, buffered)
	}()
	go func() {
		defer down.Close()
		_, _ = io.Copy(down, up)
	}()
}

func TestDirectoryDownIsAnsweredAndTold(t *testing.T) {
	l := newLab(t)
	l.start(l.enrolled())
	r := l.request(nil)
	must(t, l.dc.Close())
	if a := l.ask(r, newPassword("Spring-Evening-42")); a.Outcome != protocol.DirectoryUnavailable {
		t.Errorf("answered %+v", a)
	}
	eventually(t, "a heartbeat that says so", func() bool {
		b := l.beats()
		return !b[len(b)-1].Usable() && b[len(b)-1].Domains[0].Detail != ""
	})
}

func TestOneOfSeveralAgentsWaitsBeforeItReceives(t *testing.T) {
	l := newLab(t)
	l.others = true
	c := l.enrolled()
	c.FirstBeatDelay = time.Hour
	_, _, stop := l.begin(c)
	eventually(t, "a heartbeat that says so", func() bool {
		b := l.beats()
		return len(b) > 0 && b[0].Mode == protocol.Active && !b[0].Ready && strings.Contains(b[0].Reason, "too recent")
	})
	must(t, stop())
	c.FirstBeatDelay = time.Millisecond
	l.start(c)
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("answered %+v", a)
	}
}

// All agents of a tenant start again, after a power cut: nobody waits for them twice.
func TestOneOfSeveralAgentsStartsAgain(t *testing.T) {
	l := newLab(t)
	l.others = true
	c := l.enrolled()
	c.FirstBeatDelay = time.Hour
	_, _, stop := l.begin(c)
	eventually(t, "a heartbeat", func() bool { return len(l.beats()) > 0 })
	eventually(t, "the file that tells since when it is active", func() bool { return len(l.activeSince()) > 0 })
	must(t, stop())
	since := l.activeSince()
	since["since"] = time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	text, err := json.Marshal(since)
	must(t, err)
	l.write("state/active.json", string(text))
	l.start(c)
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("answered %+v", a)
	}
}

// The first agent of a tenant begins at once. Started again beside one that has just joined, it does not wait either:
// while both waited, nobody would be served.
func TestFirstAgentStartsAgainBesideAnother(t *testing.T) {
	l := newLab(t)
	c := l.enrolled()
	c.FirstBeatDelay = time.Hour
	must(t, l.start(c)())
	l.others = true
	l.start(c)
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("answered %+v", a)
	}
}

func (l *lab) activeSince() (file map[string]string) {
	text, err := os.ReadFile(l.path("state/active.json"))
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil && !os.IsNotExist(err) {
		l.t.Fatal(err)
	}
	return file
}

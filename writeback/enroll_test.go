package writeback_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"passback/clock"
	"passback/writeback"
	"passback/writeback/protocol"
)

func TestEnrolmentKeepsItsSecretsToItself(t *testing.T) {
	l := newLab(t)
	l.enrolled()
	info, err := os.Stat(l.path("state"))
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("state_dir has mode %04o", info.Mode().Perm())
	}
	files, err := os.ReadDir(l.path("state"))
	must(t, err)
	if len(files) != 3 {
		t.Errorf("state_dir holds %v, want a key, an enrolment and a lock", files)
	}
	for _, f := range files {
		info, err := f.Info()
		must(t, err)
		text, err := os.ReadFile(l.path("state/" + f.Name()))
		must(t, err)
		if info.Mode().Perm() != 0o600 || strings.Contains(string(text), "secret-of-") {
			t.Errorf("%s has mode %04o, or a readable credential", f.Name(), info.Mode().Perm())
		}
	}
	for _, id := range []string{"31004", "31005", "31018"} {
		if !l.event(id) {
			t.Errorf("event %s was not logged", id)
		}
	}
}

func TestLostEnrolmentAnswerIsAskedForAgain(t *testing.T) {
	l := newLab(t)
	c := l.config()
	var dials atomic.Int64
	c.DialRelay = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil && addr == l.enrol.Listener.Addr().String() && dials.Add(1) == 1 {
			return &deafConn{Conn: conn}, nil
		}
		return conn, err
	}
	must(t, writeback.Enroll(within(t), c, protocol.NewSecret(l.token)))
	if dials.Load() != 2 || len(l.agents) != 1 {
		t.Errorf("%d calls and %d agents, want 2 and 1", dials.Load(), len(l.agents))
	}
	must(t, writeback.Enroll(within(t), c, protocol.NewSecret(l.token))) // by hand, with the same token
	if len(l.agents) != 1 {
		t.Errorf("the same key enrolled as %d agents", len(l.agents))
	}
}

// deafConn loses what is answered after TLS stands: the cloud has heard, and the agent does not know.
type deafConn struct {
	net.Conn
	heard int
}

func (c *deafConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.heard += n; c.heard > 2000 { // a server's handshake is less
		_ = c.Close()
		return 0, errors.New("the answer is lost")
	}
	return n, err
}

func TestEnrolmentIsRefusedWithTheCloudsReason(t *testing.T) {
	l := newLab(t)
	c := l.config()
	err := writeback.Enroll(within(t), c, protocol.NewSecret("made-up"))
	refused, ok := errors.AsType[*protocol.EnrolError](err)
	if !ok || refused.Code != protocol.EnrolTokenUnknown || refused.Status != http.StatusForbidden {
		t.Errorf("with a made-up token: %v", err)
	}
	must(t, writeback.Enroll(within(t), c, protocol.NewSecret(l.token)))
	c.StateDir = l.path("other")
	err = writeback.Enroll(within(t), c, protocol.NewSecret(l.token))
	if refused, ok := errors.AsType[*protocol.EnrolError](err); !ok || refused.Code != protocol.EnrolTokenUsed {
		t.Errorf("with a used token: %v", err)
	}
	if strings.Contains(l.logText(), "made-up") || strings.Contains(l.logText(), l.token) {
		t.Error("a token was logged")
	}
}

func TestAgentNeedsAnEnrolment(t *testing.T) {
	l := newLab(t)
	agent, err := writeback.New(l.config())
	must(t, err)
	if err := agent.Run(within(t)); err == nil || !strings.Contains(err.Error(), "run enroll") {
		t.Errorf("an agent without an enrolment ran: %v", err)
	}
}

func TestServesOnWhileTheCloudIsAway(t *testing.T) {
	l := newLab(t)
	c := l.enrolled()
	c.DialRelay = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr == l.enrol.Listener.Addr().String() {
			return nil, errors.New("the cloud is away")
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	l.start(c)
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("answered %+v", a)
	}
	if !l.event("32001") {
		t.Error("event 32001 was not logged")
	}
}

func TestStopsWhenUnenrolled(t *testing.T) {
	l := newLab(t)
	c := l.enrolled()
	days := clock.NewRunning()
	c.Clock = days
	_, ended, stop := l.begin(c)
	eventually(t, "a connection", func() bool { return l.event("31019") })
	l.mu.Lock()
	l.refuse = &protocol.EnrolError{Status: http.StatusForbidden, Code: protocol.EnrolUnknownAgent, Message: "unenrolled"}
	l.mu.Unlock()
	days.Advance(protocol.RenewInterval) // the daily renewal
	<-ended
	if err := stop(); err == nil || !strings.Contains(err.Error(), "unenrolled") {
		t.Errorf("ended with %v", err)
	}
}

func TestRefusedCredentialsAreRenewed(t *testing.T) {
	l := newLab(t)
	l.start(l.enrolled())
	l.mu.Lock()
	rule := l.agents[0].Thumbprint()[:8] + "-listen"
	clear(l.rules) // so that a renewal makes it again
	l.mu.Unlock()
	must(t, l.relay.DeleteKey(protocol.QueueRequests, rule))
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("answered %+v", a)
	}
	if !l.event("32002") {
		t.Error("event 32002 was not logged")
	}
}

func TestModeChangesWithTheEnrolment(t *testing.T) {
	l := newLab(t)
	c := l.enrolled()
	days := clock.NewRunning()
	c.Clock = days
	l.start(c)
	l.mu.Lock()
	l.mode = protocol.Staging
	l.mu.Unlock()
	days.Advance(protocol.RenewInterval)
	eventually(t, "a heartbeat as staging", func() bool {
		b := l.beats()
		return b[len(b)-1].Mode == protocol.Staging && !b[len(b)-1].Ready
	})
}

package writeback_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"passback/clock"
	"passback/writeback"
	"passback/writeback/protocol"
)

// badPasswords of the agent's own account, as the directory counts them.
func (l *lab) badPasswords() int {
	l.t.Helper()
	u, err := l.dc.User("svc-writeback")
	must(l.t, err)
	return u.BadPasswords
}

func (l *lab) setMode(m protocol.Mode) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mode = m
}

// TestRefusedBindIsTriedAgainAfterAReload: whatever else happens, an agent must not lock its own account out.
func TestRefusedBindIsTriedAgainAfterAReload(t *testing.T) {
	l := newLab(t)
	p := l.dc.Policy()
	p.LockoutThreshold = 10
	l.dc.SetPolicy(p)
	c := l.enrolled()
	days := clock.NewRunning()
	c.Clock = days
	l.write("bind.secret", "Not-The-Password-1")
	agent, _, _ := l.begin(c)
	eventually(t, "a beat that says so", func() bool {
		b := l.beats()
		return len(b) > 0 && strings.Contains(b[len(b)-1].Domains[0].Detail, "reload or restart the agent")
	})
	l.setMode(protocol.Staging)
	days.Advance(protocol.RenewInterval)
	eventually(t, "a beat of a new term", func() bool { b := l.beats(); return b[len(b)-1].Mode == protocol.Staging })
	if n := l.badPasswords(); n != 1 {
		t.Errorf("the directory counts %d wrong passwords, want 1", n)
	}
	l.write("bind.secret", bindPassword)
	l.setMode(protocol.Active)
	must(t, agent.Reload(l.config()))
	eventually(t, "a directory that can be written to", func() bool { b := l.beats(); return b[len(b)-1].Usable() })
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("answered %+v", a)
	}
}

func TestReloadTellsTheCloudOfAnotherMode(t *testing.T) {
	l := newLab(t)
	agent, _, _ := l.begin(l.enrolled())
	<-agent.Ready()
	l.writeConfig(l.yaml("mode: staging\n"))
	must(t, agent.Reload(l.config()))
	eventually(t, "a beat as staging", func() bool {
		b := l.beats()
		return b[len(b)-1].Mode == protocol.Staging && !b[len(b)-1].Ready
	})
	l.writeConfig(l.yaml(""))
	must(t, agent.Reload(l.config()))
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("answered %+v", a)
	}
}

func TestReloadRefusesWhatTakesARestart(t *testing.T) {
	l := newLab(t)
	agent, _, _ := l.begin(l.enrolled())
	<-agent.Ready()
	for name, change := range map[string]func(*writeback.Config){
		"state_dir": func(c *writeback.Config) { c.StateDir = l.path("other") },
		"cloud":     func(c *writeback.Config) { c.Cloud = "https://elsewhere.example/enrol" },
	} {
		c := l.config()
		change(&c)
		if err := agent.Reload(c); !errors.Is(err, writeback.ErrRestart) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := l.config()
	c.Directories[0].Bind.PasswordFile = l.path("nowhere")
	if err := agent.Reload(c); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a secret that is not there: %v", err)
	}
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("afterwards answered %+v", a)
	}
}

// runVerb runs the verb run within this process, and returns what ends it.
func (l *lab) runVerb() (stop func() error) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	root := writeback.Command()
	root.SetOut(new(bytes.Buffer))
	root.SetArgs([]string{"run", "--config", l.path("agent.yaml"), "--ready-file", l.path("ready.json")})
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(ctx) }()
	stop = func() error {
		cancel()
		return <-ended
	}
	eventually(l.t, "the ready file", func() bool {
		_, err := os.Stat(l.path("ready.json"))
		return err == nil
	})
	return stop
}

func TestHangUpReloads(t *testing.T) {
	l := newLab(t)
	l.enrolled()
	self, err := os.FindProcess(os.Getpid())
	must(t, err)
	stop := l.runVerb()
	l.writeConfig("nonsense")
	must(t, self.Signal(syscall.SIGHUP))
	eventually(t, "an error in the status", func() bool {
		last := l.status().LastError
		return last != nil && last.Event == "ConfigurationError"
	})
	l.writeConfig(l.yaml("mode: staging\n"))
	must(t, self.Signal(syscall.SIGHUP))
	eventually(t, "the new mode", func() bool { return l.status().Mode == protocol.Staging })
	must(t, stop())
}

// TestServiceManagerIsTold stands in for systemd.
func TestServiceManagerIsTold(t *testing.T) {
	l := newLab(t)
	l.enrolled()
	path := l.path("notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	must(t, err)
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "3000000")
	hear := func(want func(string) bool) {
		t.Helper()
		message := make([]byte, 4096)
		must(t, manager.SetReadDeadline(time.Now().Add(patience)))
		for {
			n, err := manager.Read(message)
			must(t, err)
			if want(string(message[:n])) {
				return
			}
		}
	}
	stop := l.runVerb()
	serves := func(m string) bool {
		return strings.HasPrefix(m, "READY=1\nWATCHDOG=1\n") && strings.Contains(m, "STATUS=takes requests")
	}
	for range 3 { // the watchdog is fed again and again, though nothing happens
		hear(serves)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	hear(func(m string) bool { return m == "STOPPING=1" })
	must(t, <-stopped)
}

// While a lone agent reloads, the cloud goes on to send: no heartbeat says that nobody is there.
func TestReloadIsNoAbsence(t *testing.T) {
	l := newLab(t)
	c := l.enrolled()
	agent, _, _ := l.begin(c)
	<-agent.Ready()
	eventually(t, "a heartbeat of an agent that is ready", func() bool { b := l.beats(); return len(b) > 0 && b[len(b)-1].Ready })
	before := len(l.beats())
	must(t, agent.Reload(c))
	eventually(t, "heartbeats after the reload", func() bool { return l.event("34024") && len(l.beats()) > before+1 })
	for _, b := range l.beats()[before:] {
		if !b.Ready || !b.Usable() {
			t.Errorf("a heartbeat says: ready %t, %v %v", b.Ready, b.Relays, b.Domains)
		}
	}
}

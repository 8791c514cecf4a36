package writeback_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"passback/writeback"
	"passback/writeback/protocol"
)

// verb runs a verb of the agent's command line on the lab's configuration.
func (l *lab) verb(line ...string) (code int, stdout, stderr string) {
	l.t.Helper()
	var out, errs bytes.Buffer
	root := writeback.Command()
	root.SetOut(&out)
	code = writeback.Main(root, append(line, "--config", l.path("agent.yaml")), &errs)
	return code, out.String(), errs.String()
}

func (l *lab) status() writeback.Status {
	l.t.Helper()
	s, err := writeback.ReadStatus(l.path("state"))
	must(l.t, err)
	return s
}

func TestStatusOfARunningAgent(t *testing.T) {
	l := newLab(t)
	stop := l.start(l.enrolled())
	id := l.request(nil).TrackingID
	r := l.request(func(r *protocol.Request) { r.TrackingID = id })
	if a := l.ask(r, newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Fatalf("answered %+v", a)
	}
	l.ask(l.request(nil), newPassword("short"))
	eventually(t, "a status that counts both", func() bool { return len(l.status().Requests) == 2 })
	s := l.status()
	if s.State != writeback.StateRunning || s.PID != os.Getpid() || s.Mode != protocol.Active || !s.TakesRequests || s.Tenant != tenant {
		t.Errorf("status %+v", s)
	}
	if len(s.Relays) != 1 || !s.Relays[0].Listening || len(s.Directories) != 1 || s.Directories[0].DC != "dc1.corp.example" {
		t.Errorf("relays %+v, directories %+v", s.Relays, s.Directories)
	}
	l.mu.Lock()
	key := l.agents[0].Thumbprint()
	l.mu.Unlock()
	if len(s.Keys) != 1 || s.Keys[0].Thumbprint != key || s.Keys[0].Role != "current" {
		t.Errorf("keys %+v, want %s", s.Keys, key)
	}
	if s.Requests[protocol.Success] != 1 || s.Requests[protocol.PolicyViolation] != 1 || s.LastSuccess == nil || s.LastSuccess.TrackingID != id {
		t.Errorf("requests %v, last success %v", s.Requests, s.LastSuccess)
	}
	if s.LastError == nil || s.LastError.Event != "PasswordResetFail" {
		t.Errorf("last error %v", s.LastError)
	}
	code, out, _ := l.verb("status")
	for _, part := range []string{"running", "active, takes requests", "writes to dc1.corp.example", string(id), key} {
		if code != 0 || !strings.Contains(out, part) {
			t.Errorf("status exits with %d and does not say %q:\n%s", code, part, out)
		}
	}
	must(t, stop())
	if code, out, errs := l.verb("status"); code != 1 || !strings.Contains(out, "stopped") || !strings.Contains(errs, "does not run") {
		t.Errorf("after the end: exit code %d\n%s%s", code, out, errs)
	}
}

func TestStatusSaysThatItIsStale(t *testing.T) {
	l := newLab(t)
	if code, _, errs := l.verb("status"); code != 1 || !strings.Contains(errs, "no agent has run") {
		t.Errorf("before the first start: exit code %d, %s", code, errs)
	}
	must(t, os.MkdirAll(l.path("state"), 0o700))
	text, err := json.Marshal(writeback.Status{State: writeback.StateRunning, Written: time.Now().Add(-2 * time.Minute)})
	must(t, err)
	l.write("state/status.json", string(text))
	code, out, errs := l.verb("status", "--json")
	var s writeback.Status
	must(t, json.Unmarshal([]byte(out), &s))
	if code != 1 || s.State != writeback.StateStale || !strings.Contains(errs, "it hangs") {
		t.Errorf("exit code %d, %s: %s", code, s.State, errs)
	}
}

func TestStatusTellsOfALostRelay(t *testing.T) {
	l := newLab(t)
	l.start(l.enrolled())
	must(t, l.relay.Close())
	eventually(t, "a relay that is not connected, and why", func() bool {
		s := l.status()
		return !s.TakesRequests && s.Reason == "no relay is connected" && !s.Relays[0].Listening && s.Relays[0].Error != ""
	})
}

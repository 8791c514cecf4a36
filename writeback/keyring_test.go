package writeback_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"passback/clock"
	"passback/writeback"
	"passback/writeback/protocol"
)

const halfYear = 183 * 24 * time.Hour

// rolled is a lab whose agent, just stopped or still running, has rolled its key over.
func rolled(t *testing.T) (l *lab, c writeback.Config, days *clock.Running, stop func() error) {
	t.Helper()
	l = newLab(t)
	c = l.enrolled()
	days = clock.NewRunning()
	c.Clock = days
	stop = l.start(c)
	days.Advance(halfYear)
	eventually(t, "a heartbeat with both keys", func() bool {
		b := l.beats()
		return len(b[len(b)-1].Keys) == 2
	})
	return l, c, days, stop
}

// sealedTo sends a reset that one of the agent's keys alone can open.
func (l *lab) sealedTo(key int) protocol.Answer {
	l.t.Helper()
	m, err := protocol.SealRequest(l.keys[0], l.request(nil), newPassword("short"), l.agents[key:key+1])
	must(l.t, err)
	l.send(m)
	return l.answer(m)
}

// files are those of the keys and of the enrolment.
func (l *lab) files() (names []string) {
	l.t.Helper()
	files, err := os.ReadDir(l.path("state"))
	must(l.t, err)
	for _, f := range files {
		if strings.HasPrefix(f.Name(), "agent.key") || strings.HasPrefix(f.Name(), "enrolment") {
			names = append(names, f.Name())
		}
	}
	return names
}

func TestKeyRollsOverEverySixMonths(t *testing.T) {
	l, _, days, _ := rolled(t)
	l.mu.Lock()
	agents := slices.Clone(l.agents)
	l.mu.Unlock()
	if len(agents) != 2 {
		t.Fatalf("the cloud knows %d keys, want 2", len(agents))
	}
	b := l.beats()
	if keys := b[len(b)-1].Keys; keys[0] != agents[1].Thumbprint() || keys[1] != agents[0].Thumbprint() {
		t.Errorf("the beat shows %v, want the new one and the old one", keys)
	}
	for key := range agents {
		if a := l.sealedTo(key); a.Outcome != protocol.PolicyViolation {
			t.Errorf("sealed to key %d: answered %+v", key, a)
		}
	}
	days.Advance(protocol.MaxDeadline + 5*time.Minute + time.Second)
	eventually(t, "a heartbeat with the new key alone", func() bool {
		b := l.beats()
		return len(b[len(b)-1].Keys) == 1
	})
	if names := l.files(); !slices.Equal(names, []string{"agent.key", "enrolment.jwe"}) {
		t.Errorf("state_dir holds %v", names)
	}
	if a := l.sealedTo(0); a.Outcome != protocol.DecryptionFailed {
		t.Errorf("sealed to a key that is destroyed: answered %+v", a)
	}
	if a := l.sealedTo(1); a.Outcome != protocol.PolicyViolation {
		t.Errorf("sealed to the new key: answered %+v", a)
	}
}

func TestRolloverThatWasCutOffIsEnded(t *testing.T) {
	for name, undo := range map[string]map[string]string{
		"before the renames":  {"agent.key": "agent.key.next", "agent.key.old": "agent.key"},
		"between the renames": {"agent.key": "agent.key.next"},
	} {
		t.Run(name, func(t *testing.T) {
			l, c, _, stop := rolled(t)
			must(t, stop())
			for _, from := range []string{"agent.key", "agent.key.old"} {
				if to := undo[from]; to != "" {
					must(t, os.Rename(l.path("state/"+from), l.path("state/"+to)))
				}
			}
			l.start(c)
			for key := range 2 {
				if a := l.sealedTo(key); a.Outcome != protocol.PolicyViolation {
					t.Errorf("sealed to key %d: answered %+v", key, a)
				}
			}
			if names := l.files(); !slices.Equal(names, []string{"agent.key", "agent.key.old", "enrolment.jwe"}) {
				t.Errorf("state_dir holds %v", names)
			}
		})
	}
}

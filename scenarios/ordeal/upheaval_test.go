package ordeal_test

import (
	"bytes"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"passback/clock"
	"passback/writeback/protocol"
)

// What changes under an agent while people ask: its configuration, and the keys that requests are sealed with. Nobody
// loses a request by it.

// A lone agent reads its configuration anew at SIGHUP, and goes on with what it has in hand.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	w, people := newLocking(t, protocol.LockDuration, crowdSize)
	text, err := os.ReadFile(w.agent.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.agent.config, bytes.Replace(text, []byte("level: warn"), []byte("level: info"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	id := w.sim.Cloud.Agents()[0].ID
	crowd := newCrowd(t, w, people)
	for reloads := 1; reloads <= 2*(*goes); reloads++ {
		crowd.servedBy(t, id)
		if err := w.agent.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for strings.Count(w.agent.said(), "ConfigurationReloaded") < reloads {
			if err := clock.Sleep(t.Context(), clock.Real(), 5*time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
	}
	crowd.servedBy(t, id)
	crowd.inTime(t, people)
}

// An agent that is unenrolled takes the tenant's package key with it: the other learns the new one by a request that it
// cannot open, and opens it.
func TestUnenrolUnderLoad(t *testing.T) {
	t.Parallel()
	w, people, agents := aPair(t, protocol.LockDuration)
	crowd := newCrowd(t, w, people)
	for id := range agents {
		crowd.servedBy(t, id)
	}
	leaver := w.others[0]
	leaver.leave(t)
	if err := leaver.verb("unenroll").Run(); err != nil {
		t.Fatalf("unenroll: %v\n%s", err, leaver.lately())
	}
	left := w.sim.Cloud.Agents()
	if len(left) != 1 {
		t.Fatalf("%d agents are enrolled, want one", len(left))
	}
	crowd.servedBy(t, left[0].ID)
	if err := w.sim.Cloud.RollPackageKey(); err != nil { // again, sooner than the agent asks for keys a second time
		t.Fatal(err)
	}
	crowd.servedBy(t, left[0].ID)
	crowd.inTime(t, people)
}

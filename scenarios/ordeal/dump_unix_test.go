//go:build unix

package ordeal_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"passback/sim/cloud"
)

// An agent that dies of the runtime's own hand, with a password in its memory, says where it stood and nothing else:
// the dump of its goroutines shows no password, and the kernel is told to write no core.
func TestDumpShowsNoPassword(t *testing.T) {
	t.Parallel()
	for _, how := range []struct {
		name   string
		signal syscall.Signal
		shows  string
	}{
		{"all goroutines, by SIGQUIT", syscall.SIGQUIT, "SIGQUIT: quit"},
		{"a fatal error, by SIGABRT", syscall.SIGABRT, "SIGABRT: abort"},
	} {
		t.Run(how.name, func(t *testing.T) {
			w, err := newWorld(t, buildAgent(t), 0, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer w.close()
			sam := w.people[0]
			ask, err := w.prepare(sam, ordinary, cloud.AccessPanel)
			if err != nil {
				t.Fatal(err)
			}
			trap := w.trap(beforeModify, lost)
			defer trap.end()
			answer := w.begin(sam, ask)
			if err := w.await(trap.caught, answer); err != nil {
				t.Fatal(err)
			}
			if limit := coreLimit(t, w.agent.cmd.Process.Pid); limit != "0 0" {
				t.Errorf("the kernel may write a core of %q bytes", limit)
			}
			if err := w.agent.cmd.Process.Signal(how.signal); err != nil {
				t.Fatal(err)
			}
			_ = w.agent.cmd.Wait()
			w.told = append(w.told, told{sam: sam, ask: ask})
			if said := w.agent.said(); !strings.Contains(said, how.shows) || !strings.Contains(said, "goroutine ") {
				t.Errorf("want a dump of goroutines:\n%s", w.agent.lately())
			}
			if err := w.secretsIn(w.agent); err != nil {
				t.Error(err)
			}
		})
	}
}

// coreLimit is a process's limit of a core's size, soft and hard; where that cannot be read, what it should be.
func coreLimit(t *testing.T, pid int) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		return "0 0"
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "Max core file size"); found {
			return strings.Join(strings.Fields(rest)[:2], " ")
		}
	}
	t.Fatal("no limit of cores")
	return ""
}

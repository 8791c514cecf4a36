package ordeal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// frames keeps the newest lines of a relay's trace.
type frames struct {
	mu    sync.Mutex
	lines []string
	next  int
}

const framesKept = 100_000 // some seconds of a busy relay, or minutes of one that is asked by one person at a time

// Write implements io.Writer; it is given a line at a time.
func (f *frames) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lines) < framesKept {
		f.lines = append(f.lines, string(line))
	} else {
		f.lines[f.next] = string(line)
		f.next = (f.next + 1) % framesKept
	}
	return len(line), nil
}

// keep writes them, oldest first, to a file that lasts where the tests are run with -artifacts.
func (f *frames) keep(t *testing.T, name string) string {
	t.Helper()
	f.mu.Lock()
	text := strings.Join(f.lines[f.next:], "") + strings.Join(f.lines[:f.next], "")
	f.mu.Unlock()
	file := filepath.Join(t.ArtifactDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Error(err)
	}
	return file
}

// story tells the whole way of a person's request: each hop, what the agent wrote meanwhile and what it explains now,
// and what the directory keeps.
func (w *world) story(sam string, asked time.Time, result cloud.Result) string {
	id := string(result.TrackingID)
	var text strings.Builder
	fmt.Fprintf(&text, "%s asked at %s, request %s: %s (%s; %s)\n", sam, asked.Format(time.RFC3339Nano), id, result.Outcome, result.Reason, result.Detail)
	for _, hop := range w.sim.Trace.Of(id) {
		fmt.Fprintf(&text, "  %s %-9s %s  %s\n", hop.At.Format("15:04:05.000000"), hop.Place, hop.What, hop.Detail)
	}
	if state, err := w.sim.Directory.User(sam); err != nil {
		fmt.Fprintf(&text, "  the directory: %v\n", err)
	} else {
		values := state.Values(protocol.DefaultMarkerAttribute)
		fmt.Fprintf(&text, "  the directory keeps: %q\n", slices.DeleteFunc(values, func(v string) bool { return !strings.Contains(v, id) }))
	}
	for _, agent := range append(w.others, w.agent) {
		explain := agent.verb("explain", id)
		explain.Stdout, explain.Stderr = &text, &text
		if err := explain.Run(); err != nil {
			fmt.Fprintf(&text, "  explain: %v\n", err)
		}
		fmt.Fprintf(&text, "the agent's last lines:\n%s", agent.lately())
	}
	return text.String()
}

//go:build !windows

package writeback

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where stderr is the journal's stream, each line begins with its priority; where it is another file, none does.
func TestPrioritiesOfTheJournal(t *testing.T) {
	for _, journal := range []bool{true, false} {
		f, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		t.Setenv(journalStream, "1:1")
		if journal {
			t.Setenv(journalStream, deviceAndInode(f))
		}
		level := new(slog.LevelVar)
		setLevel(level, Log{Level: "debug"})
		log := logbook{newLogger(f, Log{Format: "json"}, level).With("agent", "one").WithGroup("of"), &record{}, level}
		log.Debug("looked")
		log.event(eventStarted, "started")
		log.event(eventServiceBusWarning, "again")
		log.event(eventServiceBusError, "lost\nand gone")
		text, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		if len(lines) != 4 {
			t.Fatalf("%d lines:\n%s", len(lines), text)
		}
		for i, prefix := range []string{"<7>", "<6>", "<4>", "<3>"} {
			if !journal {
				prefix = ""
			}
			if !strings.HasPrefix(lines[i], prefix+`{"time"`) || !strings.Contains(lines[i], `"agent":"one"`) {
				t.Errorf("want the prefix %q: %s", prefix, lines[i])
			}
		}
	}
}

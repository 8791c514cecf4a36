package writeback

import (
	"io"
	"log/slog"
	"os"

	terminal "golang.org/x/term"
)

// newLogger writes to f, stderr, as the configuration says. auto: text where a person reads it, JSON elsewhere.
func newLogger(f *os.File, l Log, level *slog.LevelVar) *slog.Logger {
	to := func(w io.Writer) slog.Handler {
		options := &slog.HandlerOptions{Level: level}
		if l.Format == "text" || l.Format == "auto" && terminal.IsTerminal(int(f.Fd())) {
			return slog.NewTextHandler(w, options)
		}
		return slog.NewJSONHandler(w, options)
	}
	if isJournal(f) {
		return slog.New(newPrioritized(f, to))
	}
	return slog.New(to(f))
}

// setLevel takes a level that validate has checked.
func setLevel(v *slog.LevelVar, l Log) { _ = v.UnmarshalText([]byte(l.Level)) }

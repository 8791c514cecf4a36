package writeback

import (
	"log/slog"
	"os"

	terminal "golang.org/x/term"
)

// newLogger writes to stderr as the configuration says. auto: text where a person reads it, JSON elsewhere.
func newLogger(l Log, level *slog.LevelVar) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if l.Format == "text" || l.Format == "auto" && terminal.IsTerminal(int(os.Stderr.Fd())) {
		return slog.New(slog.NewTextHandler(os.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, options))
}

// setLevel takes a level that validate has checked.
func setLevel(v *slog.LevelVar, l Log) { _ = v.UnmarshalText([]byte(l.Level)) }

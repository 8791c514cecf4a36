package writeback

// Under systemd, stderr is a stream to the journal, which takes the priority of each line from a prefix <N> (sd-daemon(3),
// with the levels of syslog(3)). JOURNAL_STREAM says by device and inode which stream that is (systemd.exec(5)), so
// that what is redirected elsewhere stays clean. Left out on purpose: the journal's native protocol and its fields.

import (
	"context"
	"io"
	"log/slog"
	"os"
)

// journalStream names the variable that systemd sets.
const journalStream = "JOURNAL_STREAM"

func isJournal(f *os.File) bool {
	stream := os.Getenv(journalStream)
	return stream != "" && stream == deviceAndInode(f)
}

// priorities are the prefixes, by the level from which each serves.
var priorities = []struct {
	from   slog.Level
	prefix string
}{{slog.LevelError, "<3>"}, {slog.LevelWarn, "<4>"}, {slog.LevelInfo, "<6>"}}

const debugPriority = "<7>"

func priority(level slog.Level) string {
	for _, p := range priorities {
		if level >= p.from {
			return p.prefix
		}
	}
	return debugPriority
}

// A prioritized handler has one for each priority, of the same attributes and groups: slog writes a line at once, so the
// prefix has to be the writer's.
type prioritized map[string]slog.Handler

func newPrioritized(w io.Writer, to func(io.Writer) slog.Handler) prioritized {
	h := prioritized{debugPriority: to(prefixed{w, debugPriority})}
	for _, p := range priorities {
		h[p.prefix] = to(prefixed{w, p.prefix})
	}
	return h
}

type prefixed struct {
	to     io.Writer
	prefix string
}

func (p prefixed) Write(line []byte) (int, error) {
	_, err := p.to.Write(append([]byte(p.prefix), line...))
	return len(line), err
}

// Enabled implements slog.Handler.
func (p prioritized) Enabled(ctx context.Context, level slog.Level) bool {
	return p[priority(level)].Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (p prioritized) Handle(ctx context.Context, r slog.Record) error {
	return p[priority(r.Level)].Handle(ctx, r) //nolint:wrapcheck // the handler's own
}

// WithAttrs implements slog.Handler.
func (p prioritized) WithAttrs(attrs []slog.Attr) slog.Handler {
	return p.each(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

// WithGroup implements slog.Handler.
func (p prioritized) WithGroup(name string) slog.Handler {
	return p.each(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (p prioritized) each(change func(slog.Handler) slog.Handler) prioritized {
	changed := prioritized{}
	for prefix, h := range p {
		changed[prefix] = change(h)
	}
	return changed
}

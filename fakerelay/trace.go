package fakerelay

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"passback/clock"
	"passback/fakerelay/amqp"
)

// Trace writes a line to w for each frame of every connection, as it stands on the wire (<- from the client, -> to it),
// for connections that come (++) and go (--), and for each fault that strikes (!!), until stop is called. Each begins
// with the time and the number of the connection. Tokens, keys and what messages hold are left out: their lengths are
// shown. Connections wait for w, whose errors are ignored.
func (n *Namespace) Trace(w io.Writer) (stop func()) {
	return n.trace.add(func(_ uint64, line string) { _, _ = io.WriteString(w, line) })
}

// traces are those who want to see the trace.
type traces struct {
	frames amqp.Tracer
	any    atomic.Bool // list is not empty

	mu   sync.Mutex
	list []*func(connection uint64, line string)
}

func (t *traces) add(show func(connection uint64, line string)) (stop func()) {
	entry := &show
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, entry)
	t.switchFrames()
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.list = slices.DeleteFunc(t.list, func(other *func(uint64, string)) bool { return other == entry })
		t.switchFrames()
	}
}

func (t *traces) switchFrames() {
	t.any.Store(len(t.list) > 0)
	if len(t.list) == 0 {
		t.frames.Show(nil)
		return
	}
	t.frames.Show(func(name, line string) {
		if number, err := strconv.ParseUint(name, 10, 64); err == nil {
			t.note(number, line)
		}
	})
}

// note shows a line about a connection.
func (t *traces) note(connection uint64, line string) {
	if !t.any.Load() {
		return
	}
	line = fmt.Sprintf("%s %d %s\n", clock.Real().Now().UTC().Format("15:04:05.000000"), connection, line)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, show := range t.list {
		(*show)(connection, line)
	}
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

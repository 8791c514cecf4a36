package sim

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"passback/fakead"
	"passback/fakerelay"
	"passback/sim/trace"
	"passback/writeback/protocol"
)

// Hops that the relay, the directory and an agent within the process show. None carries a value of a message.

func (w *World) traceRelay(e fakerelay.Event) {
	if !e.Done || e.Entity == protocol.QueueStatus {
		return
	}
	var detail string
	if e.DeliveryCount > 1 {
		detail = fmt.Sprintf("delivery %d", e.DeliveryCount)
	}
	w.Trace.Add(e.MessageID, trace.Relay, e.Kind.String()+" "+e.Entity, detail)
}

// traceFault makes a hop of a fault that strikes a message in the relay.
func (w *World) traceFault(name string, e fakerelay.Event) {
	w.Trace.Add(e.MessageID, trace.Relay, "fault "+name, e.Kind.String()+" "+e.Entity)
}

func (w *World) traceDirectory(o fakead.Operation) {
	id := w.Cloud.OnItsWay(o.Target)
	what := "modify received"
	detail := strings.Join(o.Attributes, ", ")
	if o.Stage == fakead.AfterModify {
		what, detail = "modify answered", fmt.Sprintf("result %d", o.Code)
	}
	w.Trace.Add(string(id), trace.Directory, what, detail)
}

// agentLog passes an agent's log on, and makes a hop of each event that carries a tracking id.
type agentLog struct {
	slog.Handler
	trace *trace.Recorder
	with  []slog.Attr
}

// Keys of the agent's events.
const (
	keyTrackingID = "tracking_id"
	keyEventID    = "event_id"
	keyEvent      = "event"
	keyOutcome    = "outcome"
	keyDetail     = "detail"
)

// Enabled lets every event through, for the trace.
func (l agentLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle implements slog.Handler.
func (l agentLog) Handle(ctx context.Context, r slog.Record) error {
	var id, number, event, outcome, detail string
	wanted := func(key string) *string {
		switch key {
		case keyTrackingID:
			return &id
		case keyEventID:
			return &number
		case keyEvent:
			return &event
		case keyOutcome:
			return &outcome
		case keyDetail:
			return &detail
		}
		return nil
	}
	note := func(a slog.Attr) bool {
		if value := wanted(a.Key); value != nil {
			*value = a.Value.String()
		}
		return true
	}
	for _, a := range l.with {
		note(a)
	}
	r.Attrs(note)
	if id != "" {
		l.trace.Add(id, trace.Agent, "event "+number+" "+event, strings.TrimSpace(outcome+" "+detail))
	}
	if !l.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return l.Handler.Handle(ctx, r) //nolint:wrapcheck // a handler's error is the logger's to drop
}

// WithAttrs implements slog.Handler.
func (l agentLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	l.with = append(l.with[:len(l.with):len(l.with)], attrs...)
	l.Handler = l.Handler.WithAttrs(attrs)
	return l
}

// WithGroup implements slog.Handler.
func (l agentLog) WithGroup(name string) slog.Handler {
	l.Handler = l.Handler.WithGroup(name)
	return l
}

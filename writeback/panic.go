package writeback

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"passback/writeback/protocol"
	"passback/writeback/relay"
)

// survive, deferred, has a panic end one request and not the agent. The request may have reached the directory: it is
// left to another delivery, which finds out, and removed unanswered, so unknown, at its last.
func (t *term) survive(d *relay.Delivery) {
	v := recover()
	if v == nil {
		return
	}
	t.log.event(eventServiceError, "A request made the agent panic.",
		"tracking_id", limit(d.Message.ID), "delivery", d.Count, "panic", panicText(v), "stack", string(debug.Stack()))
	if d.Count >= protocol.MaxDeliveryCount {
		t.complete(t.work, d)
		return
	}
	t.give(t.work, d)
}

// panicText is what may be logged of a panic: the runtime's own words, which show no values, or else its type alone,
// since anything may be in it. A stack shows no strings.
func panicText(v any) string {
	if e, ok := v.(runtime.Error); ok {
		return e.Error()
	}
	return fmt.Sprintf("a %T", v)
}

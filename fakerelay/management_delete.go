package fakerelay

// com.microsoft:batch-delete-messages: {message-count: int, enqueued-time-utc?: timestamp, session-id?: string} answers
// {message-count: int}, or 204 when there was none to delete (read from @azure/service-bus's own tests). Oldest first;
// what is locked stays. Deferred and scheduled messages stay too: what the service does with them is not documented.

import (
	"time"

	"passback/fakerelay/amqp"
)

func batchDeleteMessages(k *call) {
	count, ok := amqp.Lookup[int32](k.body, "message-count")
	if !ok || count <= 0 || int(count) > k.c.ns.tier.mostDeleted() {
		k.badArgument("message-count")
		return
	}
	before, _ := amqp.Lookup[time.Time](k.body, "enqueued-time-utc")
	erase := k.queue.DeleteMessages
	if _, named := amqp.Lookup[string](k.body, "session-id"); named {
		s, ok := k.session()
		if !ok {
			return
		}
		erase = s.DeleteMessages
	}
	deleted, err := erase(int(count), before)
	switch {
	case err != nil:
		k.fail(err)
	case deleted == 0:
		k.answer(refusal{status: 204, text: textNoMessages}, amqp.Map{})
	default:
		k.ok(amqp.Map{{Key: "message-count", Value: int32(deleted)}})
	}
}

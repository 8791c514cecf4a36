package fakerelay

// com.microsoft:get-message-sessions: {last-updated-time: timestamp, skip: int, top: int} answers {skip: int,
// sessions-ids: array of string}, or 204 at the end. A time in the year 10000 asks for all sessions that have
// messages or state, an earlier one for those whose state was set since.

import (
	"time"

	"passback/fakerelay/amqp"
)

const maxSessionsPage = 1000 // of one answer; the SDK asks for 100

// allSessions is the service's marker, DateTime.MaxValue rounded up to milliseconds.
var allSessions = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)

func getMessageSessions(k *call) {
	since, ok := amqp.Lookup[time.Time](k.body, "last-updated-time")
	if !ok {
		k.badArgument("last-updated-time")
		return
	}
	skip, ok := amqp.Lookup[int32](k.body, "skip")
	if !ok || skip < 0 {
		k.badArgument("skip")
		return
	}
	top, ok := amqp.Lookup[int32](k.body, "top")
	if !ok || top <= 0 {
		k.badArgument("top")
		return
	}
	if !since.Before(allSessions) {
		since = time.Time{}
	}
	ids, err := k.queue.Sessions(since)
	if err != nil {
		k.fail(err)
		return
	}
	page := ids[min(int(skip), len(ids)):]
	page = page[:min(int(top), len(page), maxSessionsPage)]
	if len(page) == 0 {
		k.answer(refusal{status: 204, text: textNoMessages}, amqp.Map{})
		return
	}
	k.ok(amqp.Map{{Key: "skip", Value: skip + int32(len(page))}, {Key: "sessions-ids", Value: amqp.ArrayOf(page...)}})
}

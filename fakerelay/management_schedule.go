package fakerelay

// com.microsoft:schedule-message: {messages: list of {message-id, message: binary, session-id?}} answers
// {sequence-numbers: array of long}. com.microsoft:cancel-scheduled-message: {sequence-numbers: array of long}
// answers {}.

import (
	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

func scheduleMessage(k *call) {
	entries, ok := items[amqp.Map](k.body, "messages")
	if !ok {
		k.badArgument("messages")
		return
	}
	messages := make([]broker.Message, 0, len(entries))
	for _, entry := range entries {
		payload, _ := amqp.Lookup[[]byte](entry, "message")
		var m amqp.Message
		if err := m.UnmarshalBinary(payload); err != nil {
			k.badArgument("message")
			return
		}
		one, err := storedOne(payload, &m)
		if err != nil || one.ScheduledFor.IsZero() {
			k.badArgument(string(annotationScheduled))
			return
		}
		messages = append(messages, one)
	}
	s := k.step(Event{Kind: Enqueue, Entity: k.queue.Path(), MessageID: messages[0].ID, SessionID: deref(messages[0].SessionID)})
	k.c.consult(s, func() {
		numbers, err := k.queue.Send(messages...)
		if err == nil && s.twice {
			numbers, err = k.queue.Send(messages...)
		}
		if err != nil {
			k.fail(err)
			return
		}
		s.Done = true
		k.c.consult(s, func() { k.ok(amqp.Map{{Key: "sequence-numbers", Value: amqp.ArrayOf(numbers...)}}) })
	})
}

func cancelScheduledMessage(k *call) {
	numbers, ok := items[int64](k.body, "sequence-numbers")
	if !ok {
		k.badArgument("sequence-numbers")
		return
	}
	if err := k.queue.CancelScheduled(numbers...); err != nil {
		k.fail(err)
		return
	}
	k.ok(amqp.Map{})
}

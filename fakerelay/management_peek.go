package fakerelay

// com.microsoft:peek-message: {from-sequence-number: long, message-count: int, session-id?: string} answers
// {messages: list of {message: binary}}, or 204 when there are none.

import (
	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

const textNoMessages = "No messages available."

// maxAnswer bounds the messages of one answer, in bytes, so that it stays far below what clients take.
const maxAnswer = 4 * broker.MaxMessageSize

func peekMessage(k *call) {
	from, ok := amqp.Lookup[int64](k.body, "from-sequence-number")
	if !ok {
		k.badArgument("from-sequence-number")
		return
	}
	count, ok := amqp.Lookup[int32](k.body, "message-count")
	if !ok || count <= 0 {
		k.badArgument("message-count")
		return
	}
	var session *string
	if id, ok := amqp.Lookup[string](k.body, "session-id"); ok {
		session = &id
	}
	found, err := k.queue.Peek(from, int(count), session)
	if err != nil {
		k.fail(err)
		return
	}
	var messages amqp.List
	size := 0
	for _, s := range found {
		payload, err := peekedMessage(s)
		if err != nil {
			k.fail(err)
			return
		}
		if size += len(payload); size > maxAnswer && len(messages) > 0 {
			break
		}
		messages = append(messages, amqp.Map{{Key: "message", Value: payload}})
	}
	k.messages(messages)
}

func (k *call) messages(messages amqp.List) {
	if len(messages) == 0 {
		k.answer(refusal{status: 204, text: textNoMessages}, amqp.Map{})
		return
	}
	k.ok(amqp.Map{{Key: "messages", Value: messages}})
}

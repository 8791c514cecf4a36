package fakerelay

// com.microsoft:receive-by-sequence-number: {sequence-numbers: array of long, receiver-settle-mode: uint (0
// receives and deletes, 1 locks)} answers {messages: list of {message: binary, lock-token: uuid}}. It hands out
// deferred messages only.

import (
	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

func receiveBySequenceNumber(k *call) {
	numbers, ok := items[int64](k.body, "sequence-numbers")
	if !ok || len(numbers) > broker.MaxPeek {
		k.badArgument("sequence-numbers")
		return
	}
	mode, ok := amqp.Lookup[uint32](k.body, "receiver-settle-mode")
	if !ok || mode > uint32(amqp.ReceiverSecond) {
		k.badArgument("receiver-settle-mode")
		return
	}
	deliveries, err := k.receiveDeferred(numbers)
	if err != nil {
		k.fail(err)
		return
	}
	var messages amqp.List
	for _, d := range deliveries {
		payload, err := delivered(d, mode == uint32(amqp.ReceiverSecond))
		if err == nil && mode == uint32(amqp.ReceiverFirst) {
			err = k.queue.Complete(d.LockToken)
		}
		if err != nil {
			k.fail(err)
			return
		}
		messages = append(messages, amqp.Map{{Key: "message", Value: payload}, {Key: "lock-token", Value: amqp.UUID(d.LockToken)}})
	}
	k.messages(messages)
}

// receiveDeferred locks all or none.
func (k *call) receiveDeferred(numbers []int64) ([]broker.Delivery, error) {
	var deliveries []broker.Delivery
	for _, number := range numbers {
		d, err := k.queue.ReceiveDeferred(number)
		if err != nil {
			for _, locked := range deliveries {
				if err := k.queue.Release(locked.LockToken); err != nil {
					k.c.log.Debug("release", "entity", k.path, "err", err)
				}
			}
			return nil, err
		}
		deliveries = append(deliveries, d)
	}
	return deliveries, nil
}

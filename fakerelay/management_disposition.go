package fakerelay

// com.microsoft:update-disposition: {disposition-status, lock-tokens: array of uuid, deadletter-reason,
// deadletter-description, properties-to-modify} answers {}. The SDKs settle by it when the link that a message
// came on is gone.

import (
	"github.com/google/uuid"

	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

// dispositions are the values of disposition-status; "defered" is the service's own spelling.
var dispositions = map[string]Kind{
	"completed": Complete, "abandoned": Abandon, "suspended": DeadLetter, "defered": Defer,
}

func updateDisposition(k *call) {
	status, _ := amqp.Lookup[string](k.body, "disposition-status")
	kind, known := dispositions[status]
	tokens, ok := items[amqp.UUID](k.body, "lock-tokens")
	switch {
	case !known:
		k.badArgument("disposition-status")
		return
	case !ok:
		k.badArgument("lock-tokens")
		return
	}
	modify, _ := amqp.Lookup[amqp.Map](k.body, "properties-to-modify")
	o := outcome{kind: kind, properties: propertiesOf(modify)}
	if kind == DeadLetter {
		for key, property := range map[string]string{
			"deadletter-reason": broker.DeadLetterReason, "deadletter-description": broker.DeadLetterDescription,
		} {
			if text, ok := amqp.Lookup[string](k.body, key); ok {
				o.properties[property] = text
			}
		}
	}
	k.settleAll(tokens, o)
}

// settleAll settles one message after another; the first that fails is answered.
func (k *call) settleAll(tokens []amqp.UUID, o outcome) {
	if len(tokens) == 0 {
		k.ok(amqp.Map{})
		return
	}
	k.c.settleToken(k.step(Event{}), k.queue, uuid.UUID(tokens[0]), o, func(err error) {
		if err != nil {
			k.fail(err)
			return
		}
		k.settleAll(tokens[1:], o)
	})
}

package fakerelay

// com.microsoft:renew-lock: {lock-tokens: array of uuid} answers {expirations: array of timestamp}.

import (
	"time"

	"github.com/google/uuid"

	"passback/fakerelay/amqp"
)

func renewLock(k *call) {
	tokens, ok := items[amqp.UUID](k.body, "lock-tokens")
	if !ok {
		k.badArgument("lock-tokens")
		return
	}
	k.renew(tokens, nil)
}

// renew renews one lock after another, since a hook may hold any of them.
func (k *call) renew(tokens []amqp.UUID, until []time.Time) {
	if len(tokens) == 0 {
		k.ok(amqp.Map{{Key: "expirations", Value: amqp.ArrayOf(until...)}})
		return
	}
	token := uuid.UUID(tokens[0])
	d, err := k.queue.Locked(token)
	if err != nil {
		k.fail(err)
		return
	}
	s := k.step(eventOf(Renew, k.queue, d))
	s.lose = func() { k.c.loseLock(k.queue, token) }
	k.c.consult(s, func() {
		at, err := k.queue.RenewLock(token)
		if err != nil {
			k.fail(err)
			return
		}
		s.Done = true
		k.c.consult(s, func() { k.renew(tokens[1:], append(until, at)) })
	})
}

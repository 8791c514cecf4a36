package fakerelay

// com.microsoft:renew-session-lock: {session-id} answers {expiration: timestamp}.
// com.microsoft:get-session-state: {session-id} answers {session-state: binary or null}.
// com.microsoft:set-session-state: {session-id, session-state: binary or null} answers {}.
// All are for the connection that holds the session.

import (
	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

// session finds the session of a request, and answers where there is none.
func (k *call) session() (*broker.Session, bool) {
	id, ok := amqp.Lookup[string](k.body, "session-id")
	if !ok {
		k.badArgument("session-id")
		return nil, false
	}
	s, err := k.c.heldSession(k.path, id)
	if err != nil {
		k.fail(err)
		return nil, false
	}
	return s, true
}

func renewSessionLock(k *call) {
	s, ok := k.session()
	if !ok {
		return
	}
	renewal := k.step(Event{Kind: Renew, Entity: k.queue.Path(), SessionID: s.ID()})
	renewal.lose = s.LoseLock
	k.c.consult(renewal, func() {
		until, err := s.Renew()
		if err != nil {
			k.fail(err)
			return
		}
		renewal.Done = true
		k.c.consult(renewal, func() { k.ok(amqp.Map{{Key: "expiration", Value: until}}) })
	})
}

func getSessionState(k *call) {
	s, ok := k.session()
	if !ok {
		return
	}
	state, err := s.State()
	if err != nil {
		k.fail(err)
		return
	}
	var value any
	if state != nil {
		value = state
	}
	k.ok(amqp.Map{{Key: "session-state", Value: value}})
}

func setSessionState(k *call) {
	s, ok := k.session()
	if !ok {
		return
	}
	value, _ := k.body.Get("session-state")
	state, isBinary := value.([]byte)
	if value != nil && !isBinary {
		k.badArgument("session-state")
		return
	}
	if err := s.SetState(state); err != nil {
		k.fail(err)
		return
	}
	k.ok(amqp.Map{})
}

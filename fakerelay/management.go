package fakerelay

// The $management node of an entity (reference: "AMQP 1.0 in Azure Service Bus: request-response-based
// operations"). Each operation, or family of them, has a file. What it does not offer is answered with 501.

import (
	"strings"

	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

// An operation is one that $management offers.
type operation struct {
	right Rights
	run   func(*call)
}

// operations are named as on the wire.
var operations = map[string]operation{
	"com.microsoft:renew-lock":                 {Listen, renewLock},
	"com.microsoft:update-disposition":         {Listen, updateDisposition},
	"com.microsoft:peek-message":               {Listen, peekMessage},
	"com.microsoft:receive-by-sequence-number": {Listen, receiveBySequenceNumber},
	"com.microsoft:schedule-message":           {Send, scheduleMessage},
	"com.microsoft:cancel-scheduled-message":   {Send, cancelScheduledMessage},
	"com.microsoft:renew-session-lock":         {Listen, renewSessionLock},
	"com.microsoft:get-session-state":          {Listen, getSessionState},
	"com.microsoft:set-session-state":          {Listen, setSessionState},
	"com.microsoft:get-message-sessions":       {Listen, getMessageSessions},
	"com.microsoft:add-rule":                   {Listen, addRule},
	"com.microsoft:remove-rule":                {Listen, removeRule},
	"com.microsoft:enumerate-rules":            {Listen, enumerateRules},
	"com.microsoft:batch-delete-messages":      {Listen, batchDeleteMessages},
}

// A call is one request to $management. Exactly one of its answering methods is called, at once or later.
type call struct {
	c        *connection
	queue    *broker.Queue
	path     string
	body     amqp.Map
	delivery *amqp.Delivery
}

func (c *connection) attachManagement(r *amqp.AttachRequest, path string, sends bool) {
	node := path + managementSuffix
	q, ok := c.entity(r, path, node, 0)
	if !ok {
		return
	}
	l := &entityLink{path: node, queue: q, name: r.Attach.Name, detach: r.Detach}
	c.enter(l)
	if !sends {
		c.attachReply(r, node, func() { c.exit(l) })
		return
	}
	_, err := r.AcceptReceiver(amqp.ReceiverOptions{
		OnTransfer: func(d *amqp.Delivery) { c.manage(d, q, path) },
		OnClosed:   func(*amqp.Receiver, *amqp.Error) { c.exit(l) },
	})
	if err != nil {
		c.exit(l)
	}
}

// manage runs a request, if the hooks let it pass and it has the right that its operation needs.
func (c *connection) manage(d *amqp.Delivery, q *broker.Queue, path string) {
	k := &call{c: c, queue: q, path: path, delivery: d}
	name, _ := amqp.Lookup[string](d.Message.ApplicationProperties, "operation")
	request := k.step(Event{Kind: Request, Entity: q.Path(), Operation: strings.TrimPrefix(name, "com.microsoft:")})
	c.consult(request, func() { k.run(name) })
}

// step is one of the call's, with how it is refused.
func (k *call) step(e Event) *step {
	return &step{Event: e, detach: k.delivery.Receiver().Detach, refuse: k.refuse}
}

func (k *call) run(name string) {
	op, known := operations[name]
	if v := k.delivery.Message.Value; v != nil {
		k.body, _ = v.V.(amqp.Map)
	}
	switch {
	case !known:
		k.refuse(refusal{501, amqp.CondNotImplemented, notSupported(name) + tracking(k.path)})
	case !k.c.allowed(k.path+managementSuffix, op.right):
		e := k.c.denied(k.path, op.right)
		k.refuse(refusal{401, e.Condition, e.Description})
	case k.body == nil:
		k.badArgument("body")
	default:
		op.run(k)
	}
}

// ok answers with success.
func (k *call) ok(body amqp.Map) {
	k.answer(refusal{status: 200, text: "OK"}, body)
}

// fail answers with what the service says to an error of the broker.
func (k *call) fail(err error) { k.refuse(k.c.ns.refusalOf(err, k.c.host(), k.path)) }

func (k *call) badArgument(name string) {
	k.refuse(refusal{400, condArgumentError, badArgument(name) + tracking(k.path)})
}

func (k *call) refuse(r refusal) { k.answer(r, amqp.Map{}) }

func (k *call) answer(r refusal, body amqp.Map) {
	properties := amqp.Map{{Key: "statusCode", Value: r.status}, {Key: "statusDescription", Value: r.text}}
	if r.condition != "" {
		properties = properties.With("errorCondition", r.condition)
	}
	k.c.answer(k.delivery, k.path+managementSuffix, &amqp.Message{ApplicationProperties: properties, Value: &amqp.Value{V: body}})
}

// items reads an array argument whose elements are all a T. Some clients send a list.
func items[T any](body amqp.Map, name string) ([]T, bool) {
	value, _ := body.Get(name)
	var raw []any
	switch value := value.(type) {
	case amqp.Array:
		raw = value.Items
	case amqp.List:
		raw = value
	}
	out := make([]T, 0, len(raw))
	for _, item := range raw {
		t, ok := item.(T)
		if !ok {
			return nil, false
		}
		out = append(out, t)
	}
	return out, len(out) > 0
}

package fakerelay

// The entities of a Config.json: each property of the official emulator's, under its name there.

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"passback/fakerelay/broker"
)

func (c *configReader) namespace(path string, raw json.RawMessage) {
	o := c.object(path, raw)
	o.take("Name") // clients may call it by any name
	for i, entry := range c.array(path+".Queues", o.take("Queues")) {
		c.queue(fmt.Sprintf("%s.Queues[%d]", path, i), entry)
	}
	for i, entry := range c.array(path+".Topics", o.take("Topics")) {
		c.topic(fmt.Sprintf("%s.Topics[%d]", path, i), entry)
	}
	o.rest(textUnknown)
}

func (c *configReader) queue(path string, raw json.RawMessage) {
	o := c.object(path, raw)
	q := QueueOptions{Name: o.text("Name")}
	p := c.object(path+".Properties", o.take("Properties"))
	q.DeadLetterOnExpiration = p.boolean("DeadLetteringOnMessageExpiration")
	q.RequiresDuplicateDetection = p.boolean("RequiresDuplicateDetection")
	q.RequiresSession = p.boolean("RequiresSession")
	q.DuplicateWindow = p.duration("DuplicateDetectionHistoryTimeWindow")
	q.LockDuration = p.duration("LockDuration")
	q.DefaultTTL = p.timeToLive()
	q.MaxDeliveryCount = p.number("MaxDeliveryCount")
	q.ForwardTo = p.entity("ForwardTo")
	q.ForwardDeadLettersTo = p.entity("ForwardDeadLetteredMessagesTo")
	p.rest(textUnknown)
	o.rest(textUnknown)
	c.entities.Queues = append(c.entities.Queues, q)
}

func (c *configReader) topic(path string, raw json.RawMessage) {
	o := c.object(path, raw)
	t := Topic{TopicOptions: TopicOptions{Name: o.text("Name")}}
	p := c.object(path+".Properties", o.take("Properties"))
	t.DefaultTTL = p.timeToLive()
	t.DuplicateWindow = p.duration("DuplicateDetectionHistoryTimeWindow")
	t.RequiresDuplicateDetection = p.boolean("RequiresDuplicateDetection")
	p.rest(textUnknown)
	for i, entry := range c.array(path+".Subscriptions", o.take("Subscriptions")) {
		t.Subscriptions = append(t.Subscriptions, c.subscription(fmt.Sprintf("%s.Subscriptions[%d]", path, i), entry))
	}
	o.rest(textUnknown)
	c.entities.Topics = append(c.entities.Topics, t)
}

// subscription has a rule $Default only where the file has none.
func (c *configReader) subscription(path string, raw json.RawMessage) SubscriptionOptions {
	o := c.object(path, raw)
	s := SubscriptionOptions{Name: o.text("Name")}
	p := c.object(path+".Properties", o.take("Properties"))
	s.DeadLetterOnExpiration = p.boolean("DeadLetteringOnMessageExpiration")
	s.RequiresSession = p.boolean("RequiresSession")
	s.LockDuration = p.duration("LockDuration")
	s.DefaultTTL = p.timeToLive()
	s.MaxDeliveryCount = p.number("MaxDeliveryCount")
	s.ForwardTo = p.entity("ForwardTo")
	s.ForwardDeadLettersTo = p.entity("ForwardDeadLetteredMessagesTo")
	p.rest(textUnknown)
	for i, entry := range c.array(path+".Rules", o.take("Rules")) {
		s.Rules = append(s.Rules, c.rule(fmt.Sprintf("%s.Rules[%d]", path, i), entry))
	}
	o.rest(textUnknown)
	return s
}

func (c *configReader) rule(path string, raw json.RawMessage) Rule {
	o := c.object(path, raw)
	r := Rule{Name: o.text("Name")}
	p := c.object(path+".Properties", o.take("Properties"))
	sql := c.object(p.path+".SqlFilter", p.take("SqlFilter"))
	correlation := c.object(p.path+".CorrelationFilter", p.take("CorrelationFilter"))
	switch kind := p.text("FilterType"); kind {
	case "Sql":
		r.Filter = broker.Filter{Kind: broker.SQLFilter, SQL: sql.text("SqlExpression")}
	case "Correlation":
		r.Filter = broker.Filter{Kind: broker.CorrelationFilter, Correlation: correlation.correlation()}
	default:
		c.fail(p.path+".FilterType", strconv.Quote(kind), `"Sql" or "Correlation"`)
	}
	action := c.object(p.path+".Action", p.take("Action"))
	r.Action.SQL = action.text("SqlExpression")
	for _, each := range []*configObject{sql, correlation, action, p, o} {
		each.rest(textUnknown)
	}
	return r
}

func (o *configObject) correlation() broker.Correlation {
	f := broker.Correlation{
		ContentType: o.text("ContentType"), CorrelationID: o.text("CorrelationId"), Label: o.text("Label"),
		MessageID: o.text("MessageId"), ReplyTo: o.text("ReplyTo"), ReplyToSessionID: o.text("ReplyToSessionId"),
		SessionID: o.text("SessionId"), To: o.text("To"),
	}
	properties := o.c.object(o.path+".Properties", o.take("Properties"))
	for name := range properties.fields {
		if f.Properties == nil {
			f.Properties = make(map[string]any)
		}
		f.Properties[name] = properties.scalar(name)
	}
	return f
}

// scalar is a string, a boolean, or a number: a whole one where it is written so.
func (o *configObject) scalar(key string) (v any) {
	raw := o.take(key)
	var number json.Number
	if json.Unmarshal(raw, &number) == nil && len(raw) > 0 && raw[0] != '"' {
		if whole, err := number.Int64(); err == nil {
			return whole
		}
	}
	allowed := "a string, a number, true or false"
	if json.Unmarshal(raw, &v) != nil {
		o.c.fail(o.path+"."+key, shorten(raw), allowed)
	}
	switch v.(type) {
	case string, float64, bool:
	default:
		o.c.fail(o.path+"."+key, shorten(raw), allowed)
	}
	return v
}

func (o *configObject) timeToLive() (d time.Duration) {
	if d = o.duration("DefaultMessageTimeToLive"); d >= forEver {
		return 0
	}
	return d
}

// entity is the path of another one, which may be written as a URL.
func (o *configObject) entity(key string) string {
	text := o.text(key)
	path, err := audiencePath(text)
	if err != nil {
		o.c.fail(o.path+"."+key, strconv.Quote(text), "the name or the URL of a queue or a topic")
	}
	return path
}

package fakerelay

// What rules see of an AMQP message, and how an action's changes get into it. The system properties are those of the
// service's message class ("Messages, payloads, and serialization") under the names that rules use for them.

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"

	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
	"passback/fakerelay/sqlfilter"
)

const (
	annotationPartition    amqp.Symbol = "x-opt-partition-key"
	annotationViaPartition amqp.Symbol = "x-opt-via-partition-key"
	timeSpan               amqp.Symbol = "com.microsoft:timespan" // .NET's TimeSpan: a number of ticks
)

// A systemProperty is one that rules can name as sys.<name>.
type systemProperty struct {
	get func(*amqp.Message, broker.Stored) any // nil: not set
	set func(*amqp.Message, any) error         // nil: an action's change has no effect
}

var systemProperties = map[string]systemProperty{
	"contenttype": {
		func(m *amqp.Message, _ broker.Stored) any { return textOf(m.Properties.ContentType) },
		func(m *amqp.Message, v any) error { return setText(&m.Properties.ContentType, v) },
	},
	"correlationid":    {func(m *amqp.Message, _ broker.Stored) any { return idText(m.Properties.CorrelationID) }, setCorrelationID},
	"messageid":        {func(m *amqp.Message, _ broker.Stored) any { return idText(m.Properties.MessageID) }, setMessageID},
	"label":            textProperty(func(p *amqp.Properties) **string { return &p.Subject }),
	"replyto":          textProperty(func(p *amqp.Properties) **string { return &p.ReplyTo }),
	"replytosessionid": textProperty(func(p *amqp.Properties) **string { return &p.ReplyToGroupID }),
	"sessionid":        textProperty(func(p *amqp.Properties) **string { return &p.GroupID }),
	"to":               textProperty(func(p *amqp.Properties) **string { return &p.To }),
	"partitionkey":     annotationProperty[string](annotationPartition),
	"viapartitionkey":  annotationProperty[string](annotationViaPartition),

	"scheduledenqueuetimeutc": annotationProperty[time.Time](annotationScheduled),
	"timetolive":              {timeToLive, setTimeToLive},

	"sequencenumber":         {get: func(_ *amqp.Message, s broker.Stored) any { return s.SequenceNumber }},
	"enqueuedsequencenumber": {get: func(_ *amqp.Message, s broker.Stored) any { return s.EnqueuedSequenceNumber }},
	"enqueuedtimeutc":        {get: func(_ *amqp.Message, s broker.Stored) any { return s.EnqueuedAt }},
	"deliverycount":          {get: func(_ *amqp.Message, s broker.Stored) any { return int64(s.Failures) }},
	"size":                   {get: func(_ *amqp.Message, s broker.Stored) any { return int64(len(s.Body)) }},
	"state":                  {get: func(_ *amqp.Message, s broker.Stored) any { return int64(s.State) }},
	"deadlettersource": {get: func(_ *amqp.Message, s broker.Stored) any {
		if s.DeadLetterSource == "" {
			return nil
		}
		return s.DeadLetterSource
	}},
}

// codec is what the broker reads and writes properties with.
func codec() broker.Codec { return broker.Codec{Read: readProperties, Write: writeProperties} }

func readProperties(s broker.Stored) (*sqlfilter.Message, error) {
	m, err := decodeStored(s)
	if err != nil {
		return nil, err
	}
	out := sqlfilter.NewMessage()
	for name, p := range systemProperties {
		out.System[name] = p.get(m, s)
	}
	for _, e := range m.ApplicationProperties {
		if key, ok := e.Key.(string); ok {
			out.User[key] = ruleValue(e.Value)
		}
	}
	return out, nil
}

// writeProperties encodes the message anew with what differs from its own properties.
func writeProperties(s broker.Stored, changed *sqlfilter.Message) (broker.Message, error) {
	m, err := decodeStored(s)
	if err != nil {
		return broker.Message{}, err
	}
	for name, p := range systemProperties {
		if v := changed.System[name]; p.set != nil && !reflect.DeepEqual(v, p.get(m, s)) {
			if err := p.set(m, v); err != nil {
				return broker.Message{}, fmt.Errorf("sys.%s: %w", name, err)
			}
		}
	}
	m.ApplicationProperties = changedProperties(m.ApplicationProperties, changed.User)
	payload, err := encode(m, nil)
	if err != nil {
		return broker.Message{}, err
	}
	return storedOne(payload, m)
}

// decodeStored has Properties, and those that settling added among the application's.
func decodeStored(s broker.Stored) (*amqp.Message, error) {
	m := new(amqp.Message)
	if err := m.UnmarshalBinary(s.Body); err != nil {
		return nil, fmt.Errorf("decode a stored message: %w", err)
	}
	if m.Properties == nil {
		m.Properties = &amqp.Properties{}
	}
	for key, value := range s.Properties {
		m.ApplicationProperties = m.ApplicationProperties.With(key, value)
	}
	return m, nil
}

// changedProperties keeps the values that are as they were, of whatever type, in their order.
func changedProperties(old amqp.Map, user map[string]any) amqp.Map {
	var out amqp.Map
	for _, e := range old {
		key, ok := e.Key.(string)
		if !ok {
			out = append(out, e)
			continue
		}
		v, kept := user[key]
		if kept && !reflect.DeepEqual(v, ruleValue(e.Value)) {
			e.Value = wireValue(v)
		}
		if kept {
			out = append(out, e)
		}
	}
	var added []string
	for key := range user {
		if _, known := old.Get(key); !known {
			added = append(added, key)
		}
	}
	slices.Sort(added)
	for _, key := range added {
		out = append(out, amqp.MapEntry{Key: key, Value: wireValue(user[key])})
	}
	return out
}

// ruleValue is a value as rules take it.
func ruleValue(v any) any {
	switch v := v.(type) {
	case amqp.UUID:
		return uuid.UUID(v)
	case amqp.Symbol:
		return string(v)
	case amqp.Described:
		if ticks, ok := v.Value.(int64); ok && v.Descriptor == any(timeSpan) {
			return time.Duration(min(max(ticks, math.MinInt64/nanosecondsPerTick), math.MaxInt64/nanosecondsPerTick) * nanosecondsPerTick)
		}
	}
	return v
}

func wireValue(v any) any {
	switch v := v.(type) {
	case uuid.UUID:
		return amqp.UUID(v)
	case time.Duration:
		return amqp.Described{Descriptor: timeSpan, Value: int64(v / nanosecondsPerTick)}
	}
	return v
}

func textProperty(field func(*amqp.Properties) **string) systemProperty {
	return systemProperty{
		func(m *amqp.Message, _ broker.Stored) any { return textOf(*field(m.Properties)) },
		func(m *amqp.Message, v any) error { return setText(field(m.Properties), v) },
	}
}

func textOf[T ~string](s *T) any {
	if s == nil {
		return nil
	}
	return string(*s)
}

// setText takes nil, a string, or what C# would make one of.
func setText[T ~string](field **T, v any) error {
	*field = nil
	if v == nil {
		return nil
	}
	text, err := asText(v)
	if err != nil {
		return err
	}
	converted := T(text)
	*field = &converted
	return nil
}

func asText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64, float64, bool, uuid.UUID:
		return fmt.Sprint(v), nil
	}
	return "", errors.New("must be a string")
}

func idText(id any) any {
	if id == nil {
		return nil
	}
	return messageID(id)
}

func setMessageID(m *amqp.Message, v any) (err error) {
	m.Properties.MessageID, err = asText(v)
	return err
}

func setCorrelationID(m *amqp.Message, v any) (err error) {
	if v == nil {
		m.Properties.CorrelationID = nil
		return nil
	}
	m.Properties.CorrelationID, err = asText(v)
	return err
}

func annotationProperty[T any](key amqp.Symbol) systemProperty {
	return systemProperty{
		func(m *amqp.Message, _ broker.Stored) any {
			if v, ok := amqp.Lookup[T](m.MessageAnnotations, key); ok {
				return v
			}
			return nil
		},
		func(m *amqp.Message, v any) error {
			if v == nil {
				m.MessageAnnotations = slices.DeleteFunc(slices.Clone(m.MessageAnnotations), func(e amqp.MapEntry) bool { return e.Key == any(key) })
				return nil
			}
			if _, ok := v.(T); !ok {
				return fmt.Errorf("must be a %T", *new(T))
			}
			m.MessageAnnotations = m.MessageAnnotations.With(key, v)
			return nil
		},
	}
}

func timeToLive(m *amqp.Message, _ broker.Stored) any {
	if m.Header == nil || m.Header.TTL == nil {
		return nil
	}
	return time.Duration(*m.Header.TTL) * time.Millisecond
}

func setTimeToLive(m *amqp.Message, v any) error {
	if m.Header == nil {
		m.Header = &amqp.Header{}
	}
	m.Header.TTL = nil
	if v == nil {
		return nil
	}
	d, ok := v.(time.Duration)
	if !ok || d <= 0 {
		return errors.New("must be a length of time")
	}
	ms := uint32(min(d.Milliseconds(), math.MaxUint32))
	m.Header.TTL = &ms
	return nil
}

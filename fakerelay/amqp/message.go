package amqp

import "time"

// Message is a message in the form of 3.2: an optional header, annotations, properties, a body and a footer.
// Its body is one or more data sections, one or more sequences, or one value: at most one of Data, Sequence and
// Value is set. A message without a body, which the standard does not allow but clients send, stays without.
type Message struct {
	Header                *Header
	DeliveryAnnotations   Map // keys are Symbol or uint64; nil: the section is absent
	MessageAnnotations    Map // as DeliveryAnnotations
	Properties            *Properties
	ApplicationProperties Map // keys are string
	Data                  [][]byte
	Sequence              []List
	Value                 *Value
	Footer                Map // as DeliveryAnnotations
}

// Value is the content of an amqp-value section, which may be null.
type Value struct{ V any }

// Header is the section of what intermediaries may change (3.2.1).
type Header struct {
	Durable       bool
	Priority      *uint8  // nil: 4
	TTL           *uint32 // milliseconds; nil: none
	FirstAcquirer bool
	DeliveryCount uint32
}

// Properties are what the sender fixed (3.2.4). A nil pointer or slice is an absent field.
type Properties struct {
	MessageID          any // nil, uint64, UUID, []byte or string
	UserID             []byte
	To                 *string
	Subject            *string
	ReplyTo            *string
	CorrelationID      any // as MessageID
	ContentType        *Symbol
	ContentEncoding    *Symbol
	AbsoluteExpiryTime *time.Time
	CreationTime       *time.Time
	GroupID            *string
	GroupSequence      *uint32
	ReplyToGroupID     *string
}

func (h *Header) descriptor() uint64 { return codeHeader }

// fields always say the delivery-count: rhea, which JavaScript clients stand on, does not know its default.
func (h *Header) fields() List {
	return List{omit(h.Durable, false), omitNil(h.Priority), omitNil(h.TTL), omit(h.FirstAcquirer, false), h.DeliveryCount}
}

func (h *Header) read(r *fieldReader) {
	h.Durable = optional(r, "durable", false)
	h.Priority = optionalPointer[uint8](r, "priority")
	h.TTL = optionalPointer[uint32](r, "ttl")
	h.FirstAcquirer = optional(r, "first-acquirer", false)
	h.DeliveryCount = optional(r, "delivery-count", uint32(0))
}

func (p *Properties) descriptor() uint64 { return codeProperties }

func (p *Properties) fields() List {
	return List{
		p.MessageID, omitBinary(p.UserID), omitNil(p.To), omitNil(p.Subject), omitNil(p.ReplyTo), p.CorrelationID,
		omitNil(p.ContentType), omitNil(p.ContentEncoding), omitNil(p.AbsoluteExpiryTime), omitNil(p.CreationTime),
		omitNil(p.GroupID), omitNil(p.GroupSequence), omitNil(p.ReplyToGroupID),
	}
}

func (p *Properties) read(r *fieldReader) {
	p.MessageID = readMessageID(r, "message-id")
	p.UserID = optional(r, "user-id", []byte(nil))
	p.To = optionalPointer[string](r, "to")
	p.Subject = optionalPointer[string](r, "subject")
	p.ReplyTo = optionalPointer[string](r, "reply-to")
	p.CorrelationID = readMessageID(r, "correlation-id")
	p.ContentType = optionalPointer[Symbol](r, "content-type")
	p.ContentEncoding = optionalPointer[Symbol](r, "content-encoding")
	p.AbsoluteExpiryTime = optionalPointer[time.Time](r, "absolute-expiry-time")
	p.CreationTime = optionalPointer[time.Time](r, "creation-time")
	p.GroupID = optionalPointer[string](r, "group-id")
	p.GroupSequence = optionalPointer[uint32](r, "group-sequence")
	p.ReplyToGroupID = optionalPointer[string](r, "reply-to-group-id")
}

func readMessageID(r *fieldReader, name string) any {
	switch v := r.next().(type) {
	case nil, uint64, UUID, []byte, string:
		return v
	default:
		r.fail("field %s has the type %s", name, typeName(v))
		return nil
	}
}

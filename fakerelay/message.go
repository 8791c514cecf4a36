package fakerelay

// Between AMQP messages and the broker's: what the service reads when a message is sent, and what it adds when
// one is delivered ("AMQP 1.0 in Azure Service Bus protocol guide", Messages).

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/google/uuid"

	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

// Annotations of messages.
const (
	annotationSequence         amqp.Symbol = "x-opt-sequence-number"
	annotationEnqueuedSequence amqp.Symbol = "x-opt-enqueue-sequence-number"
	annotationEnqueued         amqp.Symbol = "x-opt-enqueued-time"
	annotationLockedUntil      amqp.Symbol = "x-opt-locked-until"
	annotationScheduled        amqp.Symbol = "x-opt-scheduled-enqueue-time"
	annotationState            amqp.Symbol = "x-opt-message-state"
	annotationDeadLetterSource amqp.Symbol = "x-opt-deadletter-source"
	annotationLockToken        amqp.Symbol = "x-opt-lock-token" // of the delivery
)

// batchFormat is the message format of a batch: each data section is a whole message.
const batchFormat = 0x80013700

// stored turns what a client sent into messages for the broker; more than one for a batch.
func stored(format uint32, payload []byte, m *amqp.Message) ([]broker.Message, error) {
	if format != batchFormat {
		one, err := storedOne(payload, m)
		return []broker.Message{one}, err
	}
	batch := make([]broker.Message, 0, len(m.Data))
	for _, data := range m.Data {
		var inner amqp.Message
		data = bytes.Clone(data) // so that no message keeps the whole batch
		if err := inner.UnmarshalBinary(data); err != nil {
			return nil, fmt.Errorf("message %d of the batch: %w", len(batch), err)
		}
		one, err := storedOne(data, &inner)
		if err != nil {
			return nil, err
		}
		batch = append(batch, one)
	}
	return batch, nil
}

// storedOne keeps the bytes as they came, unless the message has no id: then it gets one, as the service does.
func storedOne(payload []byte, m *amqp.Message) (broker.Message, error) {
	if m.Properties == nil {
		m.Properties = &amqp.Properties{}
	}
	if m.Properties.MessageID == nil {
		id := uuid.New()
		m.Properties.MessageID = hex.EncodeToString(id[:])
		var err error
		if payload, err = m.Properties.PutInto(payload); err != nil {
			return broker.Message{}, fmt.Errorf("give the message an id: %w", err)
		}
	}
	out := broker.Message{Body: payload, ID: messageID(m.Properties.MessageID), SessionID: m.Properties.GroupID}
	if h := m.Header; h != nil && h.TTL != nil {
		out.TTL = time.Duration(*h.TTL) * time.Millisecond
	}
	if at, ok := amqp.Lookup[time.Time](m.MessageAnnotations, annotationScheduled); ok {
		out.ScheduledFor = at
	}
	return out, nil
}

// messageID is an id of any of its types as the text that duplicates are told by.
func messageID(id any) string {
	switch id := id.(type) {
	case string:
		return id
	case uint64:
		return strconv.FormatUint(id, 10)
	case amqp.UUID:
		return uuid.UUID(id).String()
	case []byte:
		return string(id)
	}
	return ""
}

// delivered encodes a message for its receiver: as it came, with the broker's header and annotations.
func delivered(d broker.Delivery, locked bool) ([]byte, error) {
	m, bare, err := described(d.Stored)
	if err != nil {
		return nil, err
	}
	if d.State == broker.Deferred {
		m.MessageAnnotations = m.MessageAnnotations.With(annotationState, int32(d.State))
	}
	if locked {
		m.DeliveryAnnotations = m.DeliveryAnnotations.With(annotationLockToken, amqp.UUID(d.LockToken))
		m.MessageAnnotations = m.MessageAnnotations.With(annotationLockedUntil, d.LockedUntil)
	}
	return encode(m, bare)
}

// peekedMessage encodes a message for who only looks at it: with its state and without a lock.
func peekedMessage(s broker.Stored) ([]byte, error) {
	m, bare, err := described(s)
	if err != nil {
		return nil, err
	}
	m.MessageAnnotations = m.MessageAnnotations.With(annotationState, int32(s.State))
	return encode(m, bare)
}

func encode(m *amqp.Message, bare []byte) (b []byte, err error) {
	if bare != nil {
		b, err = m.MarshalHead(bare)
	} else {
		b, err = m.MarshalBinary()
	}
	if err != nil {
		return nil, fmt.Errorf("encode a delivery: %w", err)
	}
	return b, nil
}

// described decodes a stored message and adds what holds however it is handed out. The bare message is not decoded unless
// it is changed; bare is it as it came.
func described(s broker.Stored) (m *amqp.Message, bare []byte, err error) {
	m = new(amqp.Message)
	if len(s.Properties) == 0 {
		bare, err = m.UnmarshalHead(s.Body)
	} else {
		err = m.UnmarshalBinary(s.Body)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("decode a stored message: %w", err)
	}
	if m.Header == nil {
		m.Header = &amqp.Header{}
	}
	m.Header.DeliveryCount = s.Failures
	if !s.ExpiresAt.IsZero() {
		ttl := uint32(min(s.ExpiresAt.Sub(s.EnqueuedAt).Milliseconds(), math.MaxUint32))
		m.Header.TTL = &ttl
	}
	m.MessageAnnotations = m.MessageAnnotations.
		With(annotationSequence, s.SequenceNumber).
		With(annotationEnqueued, s.EnqueuedAt)
	if s.EnqueuedSequenceNumber != s.SequenceNumber {
		m.MessageAnnotations = m.MessageAnnotations.With(annotationEnqueuedSequence, s.EnqueuedSequenceNumber)
	}
	if s.DeadLetterSource != "" {
		m.MessageAnnotations = m.MessageAnnotations.With(annotationDeadLetterSource, s.DeadLetterSource)
	}
	for key, value := range s.Properties {
		m.ApplicationProperties = m.ApplicationProperties.With(key, value)
	}
	return m, bare, nil
}

// A lock token travels as the delivery tag in the byte order of a .NET Guid: its first three numbers are little
// endian, so that the same swap leads there and back.
func tagOf(token uuid.UUID) []byte {
	t := swapGUID(token)
	return t[:]
}

func tokenOf(tag []byte) (uuid.UUID, bool) {
	if len(tag) != len(uuid.UUID{}) {
		return uuid.Nil, false
	}
	return swapGUID(uuid.UUID(tag)), true
}

func swapGUID(t uuid.UUID) uuid.UUID {
	t[0], t[1], t[2], t[3] = t[3], t[2], t[1], t[0]
	t[4], t[5] = t[5], t[4]
	t[6], t[7] = t[7], t[6]
	return t
}

package amqp

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Frames (2.3): size, data offset, type, channel; an extended header, which is skipped; a performative; a payload.

const (
	frameHeader  = 8
	minFrameSize = 512 // which every peer must be able to read (2.8.12)

	frameAMQP byte = 0
	frameSASL byte = 1
)

// readFrame reads one frame of a type and gives its channel and its body, which is valid until the next call. The
// memory that it takes is bounded by Config.MaxFrameSize.
func (c *Conn) readFrame(typ byte) (channel uint16, body []byte, err error) {
	header, err := c.in.Peek(frameHeader)
	if err != nil {
		return 0, nil, fmt.Errorf("amqp: read a frame: %w", err)
	}
	size, offset := binary.BigEndian.Uint32(header), int(header[4])*4
	channel = binary.BigEndian.Uint16(header[6:])
	switch {
	case size > c.cfg.MaxFrameSize:
		return 0, nil, Errorf(CondFramingError, "a frame of %d bytes, the longest allowed has %d", size, c.cfg.MaxFrameSize)
	case size < frameHeader || offset < frameHeader || offset > int(size):
		return 0, nil, Errorf(CondFramingError, "a frame of %d bytes with its data at %d", size, offset)
	case header[5] != typ:
		return 0, nil, Errorf(CondFramingError, "a frame of the type %d instead of %d", header[5], typ)
	}
	_, _ = c.in.Discard(frameHeader) // they are there
	n := int(size) - frameHeader
	if cap(c.body) < n {
		c.body = make([]byte, n)
	}
	if _, err := io.ReadFull(c.in, c.body[:n]); err != nil {
		return 0, nil, fmt.Errorf("amqp: read a frame: %w", err)
	}
	body = c.body[offset-frameHeader : n]
	c.traceIn(channel, body)
	return channel, body, nil
}

// parsePerformative reads the performative (or SASL frame body) at the start of a frame's body; what follows is
// the payload.
func parsePerformative(body []byte) (p composite, payload []byte, err error) {
	if p, payload, ok := parseQuick(body); ok {
		return p, payload, nil
	}
	return parseAny(body)
}

func parseAny(body []byte) (p composite, payload []byte, err error) {
	d := newDecoder(body)
	v, err := d.value()
	if err != nil {
		return nil, nil, err
	}
	description, ok := v.(Described)
	if !ok {
		return nil, nil, Errorf(CondDecodeError, "a frame that begins with the type %s, not with a performative", typeName(v))
	}
	code := descriptorCode(description.Descriptor)
	performative, ok := performatives[code]
	if !ok {
		return nil, nil, Errorf(CondDecodeError, "there is no performative %s", descriptorName(description.Descriptor))
	}
	p = performative.create()
	return p, body[d.pos:], readFields(p, performative.name, description.Value)
}

// performatives are what a frame can hold: those of AMQP (2.7) and of SASL (5.3.3).
var performatives = map[uint64]struct {
	name   string
	create func() composite
}{
	codeOpen:           {"open", func() composite { return new(Open) }},
	codeBegin:          {"begin", func() composite { return new(Begin) }},
	codeAttach:         {"attach", func() composite { return new(Attach) }},
	codeFlow:           {"flow", func() composite { return new(Flow) }},
	codeTransfer:       {"transfer", func() composite { return new(Transfer) }},
	codeDisposition:    {"disposition", func() composite { return new(Disposition) }},
	codeDetach:         {"detach", func() composite { return new(Detach) }},
	codeEnd:            {"end", func() composite { return new(End) }},
	codeClose:          {"close", func() composite { return new(Close) }},
	codeSASLMechanisms: {"sasl-mechanisms", func() composite { return new(saslMechanisms) }},
	codeSASLInit:       {"sasl-init", func() composite { return new(saslInit) }},
	codeSASLChallenge:  {"sasl-challenge", func() composite { return new(saslChallenge) }},
	codeSASLResponse:   {"sasl-response", func() composite { return new(saslResponse) }},
	codeSASLOutcome:    {"sasl-outcome", func() composite { return new(saslOutcome) }},
}

// Performatives names what a frame can hold, in the order of their descriptors.
func Performatives() []string {
	var names []string
	for _, code := range slices.Sorted(maps.Keys(performatives)) {
		names = append(names, performatives[code].name)
	}
	return names
}

// appendFrame appends a frame; a nil p makes it an empty one.
func appendFrame(b []byte, typ byte, channel uint16, p composite, payload []byte) ([]byte, error) {
	start := len(b)
	e := encoder{b: append(b, 0, 0, 0, 0, frameHeader/4, typ, byte(channel>>8), byte(channel))}
	q, ok := p.(quick)
	if written := ok && q.encode(&e); !written && p != nil {
		e.value(described(p.descriptor(), p.fields()))
	}
	e.b = append(e.b, payload...)
	binary.BigEndian.PutUint32(e.b[start:], uint32(len(e.b)-start))
	return e.b, e.err
}

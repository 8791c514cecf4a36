package amqp

// A trace is a line for each frame, decoded from the bytes as they stand on the wire: what was corrupted shows too.
// It is redacted. Binary is shown by its length, delivery-tags aside; of maps, the keys alone are, but in the
// properties of opens and attaches and in filters; of a payload, its length.

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A Tracer shows the frames of the connections whose Config names it. Its zero value shows none, and costs a load a
// frame.
type Tracer struct {
	show atomic.Pointer[func(name, line string)]
}

// Show has f called with the name of a connection (Config.Name) and a line for each frame from now on, and for each protocol header; nil ends that. f is called
// before what a frame brings about happens, and before a frame is written, one call at a time in each direction of a
// connection. It holds the connection up, and may not call it.
func (t *Tracer) Show(f func(name, line string)) {
	if f == nil {
		t.show.Store(nil)
		return
	}
	t.show.Store(&f)
}

// traced gives who is to be shown what, or nil.
func (c *Conn) traced() func(name, line string) {
	if c.cfg.Tracer == nil {
		return nil
	}
	if f := c.cfg.Tracer.show.Load(); f != nil {
		return *f
	}
	return nil
}

// Who a line is from, as seen from the server.
const (
	traceIn  = "<- "
	traceOut = "-> "
)

func (c *Conn) traceIn(channel uint16, body []byte) {
	if show := c.traced(); show != nil {
		show(c.cfg.Name, traceIn+frameLine(channel, body))
	}
}

// traceHeader shows a protocol header.
func (c *Conn) traceHeader(direction string, header []byte) {
	if show := c.traced(); show != nil {
		show(c.cfg.Name, direction+fmt.Sprintf("header %q", header))
	}
}

// traceOut shows whole frames that are about to be written, or a header.
func (c *Conn) traceOut(b []byte) {
	show := c.traced()
	if show == nil {
		return
	}
	if len(b) == len(headerAMQP) && string(b[:4]) == headerAMQP[:4] {
		c.traceHeader(traceOut, b)
		return
	}
	for len(b) >= frameHeader {
		size := min(int(binary.BigEndian.Uint32(b)), len(b))
		if size < frameHeader {
			return
		}
		show(c.cfg.Name, traceOut+frameLine(binary.BigEndian.Uint16(b[6:]), b[frameHeader:size]))
		b = b[size:]
	}
}

// frameFields names the fields of what a frame holds, in their order.
var frameFields = map[uint64][]string{
	codeOpen: {
		"container-id", "hostname", "max-frame-size", "channel-max", "idle-time-out", "outgoing-locales", "incoming-locales",
		"offered-capabilities", "desired-capabilities", "properties",
	},
	codeBegin: {
		"remote-channel", "next-outgoing-id", "incoming-window", "outgoing-window", "handle-max", "offered-capabilities",
		"desired-capabilities", "properties",
	},
	codeAttach: {
		"name", "handle", "role", "snd-settle-mode", "rcv-settle-mode", "source", "target", "unsettled", "incomplete-unsettled",
		"initial-delivery-count", "max-message-size", "offered-capabilities", "desired-capabilities", "properties",
	},
	codeFlow: {
		"next-incoming-id", "incoming-window", "next-outgoing-id", "outgoing-window", "handle", "delivery-count", "link-credit",
		"available", "drain", "echo", "properties",
	},
	codeTransfer: {
		"handle", "delivery-id", "delivery-tag", "message-format", "settled", "more", "rcv-settle-mode", "state", "resume", "aborted",
		"batchable",
	},
	codeDisposition: {"role", "first", "last", "settled", "state", "batchable"},
	codeDetach:      {"handle", "closed", "error"},
	codeEnd:         {"error"},
	codeClose:       {"error"},

	codeSASLMechanisms: {"mechanisms"},
	codeSASLInit:       {"mechanism", "initial-response", "hostname"},
	codeSASLChallenge:  {"challenge"},
	codeSASLResponse:   {"response"},
	codeSASLOutcome:    {"code", "additional-data"},

	codeError:    {"condition", "description", "info"},
	codeReceived: {"section-number", "section-offset"},
	codeAccepted: {}, codeRejected: {"error"}, codeReleased: {},
	codeModified: {"delivery-failed", "undeliverable-here", "message-annotations"},
	codeSource: {
		"address", "durable", "expiry-policy", "timeout", "dynamic", "dynamic-node-properties", "distribution-mode", "filter",
		"default-outcome", "outcomes", "capabilities",
	},
	codeTarget: {"address", "durable", "expiry-policy", "timeout", "dynamic", "dynamic-node-properties", "capabilities"},
}

var stateNames = map[uint64]string{
	codeError: "error", codeReceived: "received", codeAccepted: "accepted", codeRejected: "rejected", codeReleased: "released",
	codeModified: "modified", codeSource: "source", codeTarget: "target",
}

// frameLine decodes a frame's body.
func frameLine(channel uint16, body []byte) string {
	if len(body) == 0 {
		return "empty"
	}
	d := newDecoder(body)
	v, err := d.value()
	performative, is := v.(Described)
	if err != nil || !is {
		return fmt.Sprintf("%d: not a performative: %d bytes", channel, len(body))
	}
	var b strings.Builder
	name := performatives[descriptorCode(performative.Descriptor)].name
	if name == "" {
		name = "unknown " + descriptorName(performative.Descriptor)
	}
	b.WriteString(strconv.Itoa(int(channel)) + ": " + name)
	traceFields(&b, performative, " ")
	if payload := len(body) - d.pos; payload > 0 {
		fmt.Fprintf(&b, " payload=%d bytes", payload)
	}
	return b.String()
}

// traceFields shows the fields that are set, each after a separator.
func traceFields(b *strings.Builder, d Described, separator string) {
	names := frameFields[descriptorCode(d.Descriptor)]
	fields, _ := d.Value.(List)
	for i, field := range fields {
		if field == nil || i >= len(names) {
			continue
		}
		b.WriteString(separator + names[i] + "=")
		separator = " "
		traceValue(b, names[i], field)
	}
}

const maxTraced = 300 // characters of a string that is shown

func traceValue(b *strings.Builder, name string, v any) {
	switch v := v.(type) {
	case []byte:
		if name == "delivery-tag" {
			b.WriteString(hex.EncodeToString(v))
			return
		}
		fmt.Fprintf(b, "(%d bytes)", len(v))
	case string:
		b.WriteString(strconv.Quote(v[:min(len(v), maxTraced)]))
	case Symbol:
		b.WriteString(strings.Trim(strconv.Quote(string(v[:min(len(v), maxTraced)])), `"`))
	case time.Time:
		b.WriteString(v.UTC().Format(time.RFC3339Nano))
	case bool:
		if name == "role" {
			b.WriteString(Role(v).String())
			return
		}
		b.WriteString(strconv.FormatBool(v))
	case Described:
		if state, known := stateNames[descriptorCode(v.Descriptor)]; known {
			b.WriteString(state + "{")
			traceFields(b, v, "")
			b.WriteString("}")
			return
		}
		traceValue(b, name, v.Value)
	case Map:
		traceMap(b, name, v)
	case List:
		traceItems(b, name, v)
	case Array:
		traceItems(b, name, v.Items)
	default:
		fmt.Fprint(b, v)
	}
}

func traceItems(b *strings.Builder, name string, items []any) {
	b.WriteString("[")
	for i, item := range items {
		if i > 0 {
			b.WriteString(" ")
		}
		traceValue(b, name, item)
	}
	b.WriteString("]")
}

// traceMap shows values only where they are no user's.
func traceMap(b *strings.Builder, name string, m Map) {
	b.WriteString("{")
	for i, e := range m {
		if i > 0 {
			b.WriteString(" ")
		}
		traceValue(b, "", e.Key)
		if name == "properties" || name == "filter" {
			b.WriteString("=")
			traceValue(b, name, e.Value)
		}
	}
	b.WriteString("}")
}

package amqp

import "math"

// Begin is the performative that begins a session on a channel (2.7.2).
type Begin struct {
	RemoteChannel       *uint16 // set in an answer
	NextOutgoingID      uint32
	IncomingWindow      uint32
	OutgoingWindow      uint32
	HandleMax           uint32 // default 4294967295 when decoded
	OfferedCapabilities []Symbol
	DesiredCapabilities []Symbol
	Properties          Map
}

func (b *Begin) descriptor() uint64 { return codeBegin }

func (b *Begin) fields() List {
	return List{
		omitNil(b.RemoteChannel), b.NextOutgoingID, b.IncomingWindow, b.OutgoingWindow, b.HandleMax,
		symbols(b.OfferedCapabilities), symbols(b.DesiredCapabilities), omitMap(b.Properties),
	}
}

func (b *Begin) read(r *fieldReader) {
	b.RemoteChannel = optionalPointer[uint16](r, "remote-channel")
	b.NextOutgoingID = required[uint32](r, "next-outgoing-id")
	b.IncomingWindow = required[uint32](r, "incoming-window")
	b.OutgoingWindow = required[uint32](r, "outgoing-window")
	b.HandleMax = optional(r, "handle-max", uint32(math.MaxUint32))
	b.OfferedCapabilities = readSymbols(r, "offered-capabilities")
	b.DesiredCapabilities = readSymbols(r, "desired-capabilities")
	b.Properties = optional(r, "properties", Map(nil))
}

// onBegin answers on the channel of the same number, so one number stands for both directions.
func (c *Conn) onBegin(channel uint16, b *Begin) *Error {
	if b.RemoteChannel != nil {
		return Errorf(CondNotAllowed, "begin on channel %d answers a session that was never begun", channel)
	}
	if highest := min(c.cfg.ChannelMax, c.peer.ChannelMax); channel > highest {
		return Errorf(CondFramingError, "begin on channel %d, the highest allowed is %d", channel, highest)
	}
	if c.sessions[channel] != nil {
		return Errorf(CondNotAllowed, "begin on channel %d, which has a session", channel)
	}
	s := newSession(c, channel, b)
	c.sessions[channel] = s
	s.write(&Begin{
		RemoteChannel: &channel, NextOutgoingID: s.nextOutgoingID, IncomingWindow: s.incomingWindow,
		OutgoingWindow: sessionWindow, HandleMax: c.cfg.HandleMax,
	}, nil)
	return nil
}

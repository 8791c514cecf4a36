package amqp

import (
	"math"
)

// Open is the performative that opens a connection (2.7.1).
type Open struct {
	ContainerID         string
	Hostname            string // "": none
	MaxFrameSize        uint32 // default 4294967295 when decoded
	ChannelMax          uint16 // default 65535 when decoded
	IdleTimeout         uint32 // milliseconds; 0: none
	OutgoingLocales     []Symbol
	IncomingLocales     []Symbol
	OfferedCapabilities []Symbol
	DesiredCapabilities []Symbol
	Properties          Map
}

func (o *Open) descriptor() uint64 { return codeOpen }

func (o *Open) fields() List {
	return List{
		o.ContainerID, omit(o.Hostname, ""), o.MaxFrameSize, o.ChannelMax, omit(o.IdleTimeout, 0),
		symbols(o.OutgoingLocales), symbols(o.IncomingLocales), symbols(o.OfferedCapabilities), symbols(o.DesiredCapabilities),
		omitMap(o.Properties),
	}
}

func (o *Open) read(r *fieldReader) {
	o.ContainerID = required[string](r, "container-id")
	o.Hostname = optional(r, "hostname", "")
	o.MaxFrameSize = optional(r, "max-frame-size", uint32(math.MaxUint32))
	o.ChannelMax = optional(r, "channel-max", uint16(math.MaxUint16))
	o.IdleTimeout = optional(r, "idle-time-out", uint32(0))
	o.OutgoingLocales = readSymbols(r, "outgoing-locales")
	o.IncomingLocales = readSymbols(r, "incoming-locales")
	o.OfferedCapabilities = readSymbols(r, "offered-capabilities")
	o.DesiredCapabilities = readSymbols(r, "desired-capabilities")
	o.Properties = optional(r, "properties", Map(nil))
}

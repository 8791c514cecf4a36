package amqp

import (
	"errors"
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

// exchangeOpen reads the peer's open and answers it. What we refuse is answered too, by open and then close, since
// no close may come before open (2.4.1).
func (c *Conn) exchangeOpen() error {
	peer, refusal, err := c.readOpen()
	if err != nil {
		return err
	}
	if refusal == nil {
		c.mu.Lock()
		c.peer = peer
		c.mu.Unlock()
		if c.handler.Open != nil {
			refusal = c.handler.Open(c)
		}
	}
	ours := &Open{
		ContainerID: c.cfg.ContainerID, MaxFrameSize: c.cfg.MaxFrameSize, ChannelMax: c.cfg.ChannelMax,
		IdleTimeout: uint32(c.cfg.IdleTimeout.Milliseconds()), Properties: c.cfg.Properties,
	}
	if refusal != nil {
		return c.refuse(ours, refusal)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.up = true
	c.writeFrame(0, ours, nil) // by the writer, so that no close of ours overtakes it
	return nil
}

func (c *Conn) refuse(ours *Open, refusal *Error) error {
	if err := c.writeNow(frameAMQP, ours); err != nil {
		return err
	}
	if err := c.writeNow(frameAMQP, &Close{Error: refusal}); err != nil {
		return err
	}
	return refusal
}

// readOpen reads the peer's open; a refusal is what is wrong with it.
func (c *Conn) readOpen() (peer *Open, refusal *Error, err error) {
	for {
		_, body, err := c.readFrame(frameAMQP)
		if err == nil && len(body) == 0 {
			continue
		}
		var p composite
		if err == nil {
			p, _, err = parsePerformative(body)
		}
		if err != nil && !errors.As(err, &refusal) {
			return nil, nil, err
		}
		if refusal != nil {
			return nil, refusal, nil
		}
		peer, ok := p.(*Open)
		switch {
		case !ok:
			return nil, Errorf(CondNotAllowed, "a connection begins with open, not with %s", performatives[p.descriptor()].name), nil
		case peer.MaxFrameSize < minFrameSize:
			return nil, Errorf(CondInvalidField, "a max-frame-size of %d, the least allowed is %d", peer.MaxFrameSize, minFrameSize), nil
		case peer.IdleTimeout > 0 && peer.IdleTimeout < uint32(minIdle.Milliseconds()):
			return nil, Errorf(CondNotAllowed, "an idle-time-out of %d ms, the least supported is %v", peer.IdleTimeout, minIdle), nil
		}
		return peer, nil, nil
	}
}

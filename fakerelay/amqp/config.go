package amqp

import (
	"crypto/rand"
	"time"
)

// Config is what a server announces and bears. The zero value works, and lets a peer in without SASL.
type Config struct {
	ContainerID      string        // default: random
	MaxFrameSize     uint32        // bytes of a frame that we read, at least 512; default 65536
	ChannelMax       uint16        // highest channel number; default 4999
	HandleMax        uint32        // highest handle of a session; default 255
	MaxLinks         int           // of one connection, more are refused; default 1000
	MaxMessageSize   uint64        // bytes of a message that we receive, where a link has no limit of its own; default 1 MiB
	IdleTimeout      time.Duration // how long a peer may be silent, in whole milliseconds; default 120 s
	HandshakeTimeout time.Duration // from accepting to the end of the peer's open; default 30 s
	WriteTimeout     time.Duration // for one write, to a peer that does not read; default 30 s
	CloseTimeout     time.Duration // how long our close waits for the peer's; default 1 s
	Mechanisms       []Mechanism   // SASL mechanisms offered, in this order; default: no SASL layer
	Properties       Map           // of our open; default none
	Tracer           *Tracer       // shows the frames; default: nobody does
	Name             string        // of the connection, for the Tracer

	// TryWrite writes to the network connection what that takes at once, and does not wait for more; one call at a time,
	// and none while its Write is called. See Conn.Flush. Default: all is written by a goroutine that may wait.
	TryWrite func([]byte) (int, error)
}

// Handler is told what the peer asks for. See the package documentation for the goroutine that calls it.
type Handler struct {
	// Open is asked about the peer's open, which Conn.Peer gives; an error refuses the connection.
	// It is called before our own open is sent. Default: all are let in.
	Open func(*Conn) *Error
	// Attach decides on a link, at once or later: it, or any goroutine after it, calls one of AcceptSender,
	// AcceptReceiver and Refuse. Default: all are refused with amqp:not-implemented.
	Attach func(*AttachRequest)
}

func (c Config) withDefaults() Config {
	setDefault(&c.ContainerID, rand.Text())
	setDefault(&c.MaxFrameSize, 65536)
	setDefault(&c.ChannelMax, 4999)
	setDefault(&c.HandleMax, 255)
	setDefault(&c.MaxLinks, 1000)
	setDefault(&c.MaxMessageSize, 1<<20)
	setDefault(&c.IdleTimeout, 120*time.Second)
	setDefault(&c.HandshakeTimeout, 30*time.Second)
	setDefault(&c.WriteTimeout, 30*time.Second)
	setDefault(&c.CloseTimeout, time.Second)
	return c
}

func setDefault[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

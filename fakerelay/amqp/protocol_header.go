package amqp

import (
	"fmt"
	"io"
)

// Protocol headers (2.2, 5.3.2): "AMQP", the protocol's id, the version 1.0.0.
const (
	headerAMQP = "AMQP\x00\x01\x00\x00"
	headerSASL = "AMQP\x03\x01\x00\x00"
)

// exchangeHeader reads the peer's header and answers with ours. If they differ the connection has ended: ours has
// told the peer what we speak.
func (c *Conn) exchangeHeader(ours string) error {
	var theirs [len(headerAMQP)]byte
	if _, err := io.ReadFull(c.in, theirs[:]); err != nil {
		return fmt.Errorf("amqp: read the protocol header: %w", err)
	}
	c.traceHeader(traceIn, theirs[:])
	if err := c.writeRaw([]byte(ours)); err != nil {
		return err
	}
	if string(theirs[:]) != ours {
		return fmt.Errorf("amqp: the peer's protocol header is %q, this server speaks %q", theirs[:], ours)
	}
	return nil
}

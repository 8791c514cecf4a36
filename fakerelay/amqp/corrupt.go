package amqp

// noFormatCode is a byte that begins no value (1.2): what is spoilt with it can never be decoded.
const noFormatCode = 0xff

// CorruptNext spoils the next frame that is written, so that the peer cannot decode it: a fault for tests of the
// peer. Empty frames are left alone.
func (c *Conn) CorruptNext() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.disposing {
		s.flushDisposition()
	}
	c.corrupts, c.corruptAt = true, len(c.out)
}

// corrupt spoils the frame of a batch that is to be spoilt, if it is in there; else it is the first of the next.
func (c *Conn) corrupt(batch []byte) {
	if !c.corrupts {
		return
	}
	at := c.corruptAt + frameHeader
	if c.corruptAt = 0; at < len(batch) {
		c.corrupts = false
		batch[at] = noFormatCode
	}
}

package amqp

// noFormatCode is a byte that begins no value (1.2): what is spoilt with it can never be decoded.
const noFormatCode = 0xff

// CorruptNext spoils the next frame that is written, so that the peer cannot decode it: a fault for tests of the
// peer. Empty frames are left alone.
func (c *Conn) CorruptNext() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.corrupts = true
}

// corrupt spoils the first frame of a batch if it is to be.
func (c *Conn) corrupt(batch []byte) {
	if !c.corrupts || len(batch) <= frameHeader {
		return
	}
	c.corrupts = false
	batch[frameHeader] = noFormatCode
}

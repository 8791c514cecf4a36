package amqp

// Close is the performative that closes a connection (2.7.9).
type Close struct{ Error *Error }

func (c *Close) descriptor() uint64 { return codeClose }

func (c *Close) fields() List { return List{compositeValue(c.Error)} }

func (c *Close) read(r *fieldReader) { c.Error = readComposite[Error](r, "error") }

// onClose answers a close, or takes the answer to ours.
func (c *Conn) onClose(p *Close) {
	if p.Error != nil {
		c.blame(p.Error)
	}
	c.close(nil)
	c.peerClosed = true
}

package amqp

// End is the performative that ends a session (2.7.8).
type End struct{ Error *Error }

func (e *End) descriptor() uint64 { return codeEnd }

func (e *End) fields() List { return List{compositeValue(e.Error)} }

func (e *End) read(r *fieldReader) { e.Error = readComposite[Error](r, "error") }

// onEnd answers an end, or takes the answer to ours, and frees the channel.
func (s *Session) onEnd(e *End) {
	if !s.ending {
		s.write(&End{}, nil)
		s.ended(e.Error)
	}
	delete(s.conn.sessions, s.channel)
}

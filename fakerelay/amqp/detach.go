package amqp

// Detach is the performative that detaches a link (2.7.7).
type Detach struct {
	Handle uint32
	Closed bool
	Error  *Error
}

func (d *Detach) descriptor() uint64 { return codeDetach }

func (d *Detach) fields() List {
	return List{d.Handle, omit(d.Closed, false), compositeValue(d.Error)}
}

func (d *Detach) read(r *fieldReader) {
	d.Handle = required[uint32](r, "handle")
	d.Closed = optional(r, "closed", false)
	d.Error = readComposite[Error](r, "error")
}

func (s *Session) onDetach(d *Detach) {
	l, ok := s.links[d.Handle]
	if !ok {
		s.fail(Errorf(CondUnattachedHandle, "detach of the handle %d", d.Handle))
		return
	}
	if l.state == linkRequested {
		l.answer(Answer{}, true)
	}
	if l.state != linkDetaching {
		s.write(&Detach{Handle: d.Handle, Closed: d.Closed}, nil)
	}
	l.ended(d.Error)
	delete(s.links, d.Handle)
	s.conn.links--
}

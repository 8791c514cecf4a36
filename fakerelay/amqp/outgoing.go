package amqp

// How deliveries leave a session: within the peer's window (2.5.6), within the room of the connection's buffer, cut
// into frames, and one delivery at a time.

// full tells whether no transfer can be written now, and sees to it that unblocked is called once that changes.
func (s *Session) full() bool {
	if !s.conn.hasRoom() {
		s.conn.callWhenRoom(s)
		s.stopped = true
		return true
	}
	if s.remoteWindow == 0 {
		s.stopped = true
		return true
	}
	return false
}

// pump writes what waits, as far as window, room and credit go.
func (s *Session) pump() {
	for !s.ending && (s.current != nil || len(s.waiting) > 0) && !s.full() {
		if s.current == nil {
			s.current = s.nextWaiting()
		}
		if s.current == nil {
			return
		}
		s.writeTransfer(s.current)
	}
}

// nextWaiting takes the first queued delivery of the first link that has credit; that link then goes to the end.
func (s *Session) nextWaiting() *Sent {
	for i, l := range s.waiting {
		if l.credit == 0 || l.state != linkAttached {
			continue
		}
		d := l.queue[0]
		l.queue = l.queue[1:]
		s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
		if len(l.queue) > 0 {
			s.waiting = append(s.waiting, l)
		}
		l.start(d)
		return d
	}
	return nil
}

// writeTransfer writes the next frame of d.
func (s *Session) writeTransfer(d *Sent) {
	t := Transfer{Handle: d.sender.handle, Settled: d.settled}
	if !d.begun {
		d.begun = true
		t.DeliveryID, t.DeliveryTag, t.MessageFormat = &d.id, d.tag, &d.format
	}
	part := d.payload
	if room := s.conn.transferRoom(); len(part) > room {
		t.More = true
		part = part[:room]
	}
	d.payload = d.payload[len(part):]
	s.write(&t, part)
	s.nextOutgoingID++
	s.remoteWindow--
	if !t.More {
		d.payload = nil
		s.current = nil
	}
}

// unblocked is called when window or room may have grown: it writes what waits, and tells those who were told to
// stop.
func (s *Session) unblocked() {
	s.pump()
	if !s.stopped || s.current != nil || s.full() {
		return
	}
	s.stopped = false
	for _, l := range s.senders {
		l.postCredit()
	}
}

package amqp

// Flow is the performative that updates the flow state of a session and, with a handle, of a link (2.7.4).
type Flow struct {
	NextIncomingID *uint32
	IncomingWindow uint32
	NextOutgoingID uint32
	OutgoingWindow uint32
	Handle         *uint32
	DeliveryCount  *uint32
	LinkCredit     *uint32
	Available      *uint32
	Drain          bool
	Echo           bool
	Properties     Map
}

func (f *Flow) descriptor() uint64 { return codeFlow }

func (f *Flow) fields() List {
	return List{
		omitNil(f.NextIncomingID), f.IncomingWindow, f.NextOutgoingID, f.OutgoingWindow, omitNil(f.Handle),
		omitNil(f.DeliveryCount), omitNil(f.LinkCredit), omitNil(f.Available), omit(f.Drain, false), omit(f.Echo, false),
		omitMap(f.Properties),
	}
}

func (f *Flow) read(r *fieldReader) {
	f.NextIncomingID = optionalPointer[uint32](r, "next-incoming-id")
	f.IncomingWindow = required[uint32](r, "incoming-window")
	f.NextOutgoingID = required[uint32](r, "next-outgoing-id")
	f.OutgoingWindow = required[uint32](r, "outgoing-window")
	f.Handle = optionalPointer[uint32](r, "handle")
	f.DeliveryCount = optionalPointer[uint32](r, "delivery-count")
	f.LinkCredit = optionalPointer[uint32](r, "link-credit")
	f.Available = optionalPointer[uint32](r, "available")
	f.Drain = optional(r, "drain", false)
	f.Echo = optional(r, "echo", false)
	f.Properties = optional(r, "properties", Map(nil))
}

func (s *Session) onFlow(f *Flow) {
	s.peerWindow(f)
	if f.Handle == nil {
		s.unblocked()
		if f.Echo {
			s.writeFlow(&Flow{})
		}
		return
	}
	l, ok := s.links[*f.Handle]
	if !ok {
		s.fail(Errorf(CondUnattachedHandle, "flow for the handle %d", *f.Handle))
		return
	}
	if l.sender != nil {
		l.sender.onFlow(f)
	}
	s.unblocked()
	if f.Echo && l.state == linkAttached {
		l.writeFlow()
	}
}

// peerWindow takes over how much the peer is ready to receive (2.5.6).
func (s *Session) peerWindow(f *Flow) {
	s.nextIncomingID = f.NextOutgoingID
	sentByPeersView := initialOutgoingID
	if f.NextIncomingID != nil {
		sentByPeersView = *f.NextIncomingID
	}
	underway := s.nextOutgoingID - sentByPeersView // serial numbers wrap (RFC 1982)
	s.remoteWindow = 0
	if underway < f.IncomingWindow {
		s.remoteWindow = f.IncomingWindow - underway
	}
}

// writeFlow fills in the session's fields, which every flow carries, and writes f.
func (s *Session) writeFlow(f *Flow) {
	next := s.nextIncomingID
	f.NextIncomingID = &next
	f.IncomingWindow = s.incomingWindow
	f.NextOutgoingID = s.nextOutgoingID
	f.OutgoingWindow = sessionWindow
	s.write(f, nil)
}

// writeFlow tells the link's state.
func (l *Link) writeFlow() {
	handle := l.handle
	f := &Flow{Handle: &handle}
	if l.sender != nil {
		count, credit := l.sender.deliveryCount, l.sender.credit
		f.DeliveryCount, f.LinkCredit, f.Drain = &count, &credit, l.sender.drain
	} else {
		count, credit := l.receiver.deliveryCount, l.receiver.credit
		f.DeliveryCount, f.LinkCredit = &count, &credit
	}
	l.session.writeFlow(f)
}

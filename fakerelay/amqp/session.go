package amqp

import (
	"maps"
	"slices"
)

const (
	sessionWindow     uint32 = 5000 // transfers, both directions
	initialOutgoingID uint32 = 0
)

// A Session is one session of a connection (2.5); the peer begins all of them. All fields are the connection's
// mutex's.
type Session struct {
	conn    *Conn
	channel uint16
	ending  bool // we sent end and wait for the peer's: all other frames are ignored
	links   map[uint32]*Link

	peerHandleMax uint32

	nextIncomingID uint32
	incomingWindow uint32
	received       map[uint32]*Delivery // by delivery-id: unsettled, from the peer

	nextOutgoingID uint32
	remoteWindow   uint32
	nextDeliveryID uint32
	sent           map[uint32]*Sent // by delivery-id: unsettled, to the peer
	current        *Sent            // whose last frame is not written yet
	waiting        []*Sender        // that have queued deliveries
	senders        []*Sender        // accepted ones
	stopped        bool             // someone was told that there is no room; see unblocked
	disposition    *Disposition     // not written yet: it may grow
	roomless       bool             // is in the connection's list
}

func newSession(c *Conn, channel uint16, b *Begin) *Session {
	return &Session{
		conn: c, channel: channel, links: map[uint32]*Link{}, peerHandleMax: b.HandleMax,
		nextIncomingID: b.NextOutgoingID, incomingWindow: sessionWindow, received: map[uint32]*Delivery{},
		nextOutgoingID: initialOutgoingID, remoteWindow: b.IncomingWindow, sent: map[uint32]*Sent{},
	}
}

// Conn is the session's connection.
func (s *Session) Conn() *Conn { return s.conn }

// End ends the session and all its links, with err if it is not nil.
func (s *Session) End(err *Error) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.fail(err)
}

// fail ends the session from our side.
func (s *Session) fail(err *Error) {
	if s.ending || s.conn.sessions[s.channel] != s {
		return
	}
	s.write(&End{Error: err}, nil)
	s.ending = true
	s.ended(err)
}

// ended tells all links, in the order of their handles.
func (s *Session) ended(err *Error) {
	for _, h := range slices.Sorted(maps.Keys(s.links)) {
		s.links[h].ended(err)
	}
	s.conn.links -= len(s.links)
	clear(s.links)
	s.waiting, s.current = nil, nil
}

// write writes a frame of this session, after the disposition that is on its way.
func (s *Session) write(p composite, payload []byte) {
	s.flushDisposition()
	if !s.ending {
		s.conn.writeFrame(s.channel, p, payload)
	}
}

// onFrame acts on all performatives of a session but begin.
func (s *Session) onFrame(p composite, payload []byte) *Error {
	if end, ok := p.(*End); ok {
		s.onEnd(end)
		return nil
	}
	if s.ending {
		return nil
	}
	switch p := p.(type) {
	case *Attach:
		return s.onAttach(p)
	case *Flow:
		s.onFlow(p)
	case *Transfer:
		return s.onTransfer(p, payload)
	case *Disposition:
		s.onDisposition(p)
	case *Detach:
		s.onDetach(p)
	}
	return nil
}

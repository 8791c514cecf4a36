package amqp

import "encoding/binary"

// MaxQueued is how many deliveries a Sender keeps that the peer gave no credit for yet.
const MaxQueued = 1000

// SenderOptions are what an outgoing link is accepted with.
type SenderOptions struct {
	Answer
	// OnCredit is called when Credit may have grown: by the peer's flow, or because what stopped us has gone.
	// Default: nothing is called.
	OnCredit func(*Sender)
	// OnDrain is called, after OnCredit, when the peer asks for what there is and wants its other credit back.
	// Whoever has no more to send calls Drained. Default: Drained is called.
	OnDrain func(*Sender)
	// OnOutcome is called for each disposition of an unsettled delivery. If settled is false the peer waits for
	// Sent.Settle; state may be nil. Default: the delivery is settled with the peer's state, a Rejected without its
	// error, which go-amqp would take for a failure of the settlement.
	OnOutcome func(d *Sent, state DeliveryState, settled bool)
	// OnClosed is called once, however the link ends: err is nil without an error, ours or the peer's.
	// Default: nothing is called.
	OnClosed func(s *Sender, err *Error)
}

// A Sender is an outgoing link.
type Sender struct {
	*Link
	options       SenderOptions
	deliveryCount uint32
	credit        uint32 // the peer's, less what was sent
	drain         bool   // the peer wants unused credit back
	drained       bool   // Drained was called, and what was queued then goes first
	queue         []*Sent
	tags          uint64
	creditPosted  bool // OnCredit is about to be called
}

// Outgoing is a delivery to send.
type Outgoing struct {
	Payload []byte // the encoded message; not to be changed afterwards
	Format  uint32 // message-format; default 0, the standard's own
	Tag     []byte // delivery-tag, at most 32 bytes; default: a counter of 8 bytes
	Settled bool   // sent settled. The link's snd-settle-mode wins unless it is mixed
	Flushed bool   // the caller calls Conn.Flush soon, and until then nobody is woken to write it. Default: it is written at once
}

// Credit is how many deliveries Send would put on the wire now: the peer's link credit less what waits; 0 while
// the session's window or the connection's buffer is full. OnCredit tells when it has grown.
func (s *Sender) Credit() uint32 {
	s.session.conn.mu.Lock()
	defer s.session.conn.mu.Unlock()
	return s.usable()
}

func (s *Sender) usable() uint32 {
	queued := uint32(len(s.queue))
	if s.state != linkAttached || s.credit <= queued {
		return 0
	}
	if s.session.current != nil || s.session.full() {
		s.session.stopped = true
		return 0
	}
	return s.credit - queued
}

// Send sends a delivery, or queues it until there is credit and room: MaxQueued at most, then it returns
// ErrQueueFull. After the link's end it returns ErrLinkClosed. It never waits.
func (s *Sender) Send(o Outgoing) (*Sent, error) {
	if len(o.Tag) > maxTag {
		return nil, Errorf(CondInvalidField, "a delivery-tag of %d bytes, the longest allowed has %d", len(o.Tag), maxTag)
	}
	s.session.conn.mu.Lock()
	defer s.session.conn.mu.Unlock()
	if s.state != linkAttached {
		return nil, ErrLinkClosed
	}
	if len(s.queue) >= MaxQueued {
		return nil, ErrQueueFull
	}
	d := &Sent{sender: s, payload: o.Payload, format: o.Format, tag: o.Tag, settled: o.Settled}
	switch s.sndSettleMode {
	case SenderSettled:
		d.settled = true
	case SenderUnsettled:
		d.settled = false
	}
	if d.tag == nil {
		s.tags++
		d.tag = binary.BigEndian.AppendUint64(nil, s.tags)
	}
	if len(s.queue) == 0 {
		s.session.waiting = append(s.session.waiting, s)
	}
	s.queue = append(s.queue, d)
	c := s.session.conn
	promised := c.promised
	c.promised = promised || o.Flushed
	s.session.pump()
	c.promised = promised
	return d, nil
}

// start uses a credit for d, which is about to be written.
func (s *Sender) start(d *Sent) {
	s.credit--
	s.deliveryCount++
	d.id = s.session.nextDeliveryID
	s.session.nextDeliveryID++
	if !d.settled {
		s.session.sent[d.id] = d
	}
	s.giveBack()
}

// Drained gives unused credit back to a peer that asked for it; without such a wish it does nothing. What is
// queued goes first.
func (s *Sender) Drained() {
	s.session.conn.mu.Lock()
	defer s.session.conn.mu.Unlock()
	if s.state == linkAttached && s.drain {
		s.drained = true
		s.giveBack()
	}
}

// giveBack answers a drain (2.6.7): the delivery-count jumps by the credit that is left.
func (s *Sender) giveBack() {
	if !s.drained || s.credit > 0 && len(s.queue) > 0 {
		return
	}
	s.deliveryCount += s.credit
	s.credit = 0
	s.writeFlow()
	s.drain, s.drained = false, false
}

// onFlow takes over the peer's credit (2.6.7): what it granted, less what was sent since it counted.
func (s *Sender) onFlow(f *Flow) {
	if s.state == linkDetaching || f.LinkCredit == nil {
		return
	}
	underway := s.deliveryCount
	if f.DeliveryCount != nil {
		underway -= *f.DeliveryCount // serial numbers wrap
	}
	s.credit = 0
	if underway < *f.LinkCredit {
		s.credit = *f.LinkCredit - underway
	}
	s.drain, s.drained = f.Drain, s.drained && f.Drain
	s.session.pump()
	s.postCredit()
	s.postDrain()
}

func (s *Sender) postCredit() {
	if s.options.OnCredit == nil || s.creditPosted || s.usable() == 0 {
		return
	}
	s.creditPosted = true
	s.session.conn.post(0, func() {
		s.session.conn.mu.Lock()
		s.creditPosted = false
		s.session.conn.mu.Unlock()
		s.options.OnCredit(s)
	})
}

func (s *Sender) postDrain() {
	if !s.drain || s.state != linkAttached {
		return
	}
	s.session.conn.post(0, func() {
		if s.options.OnDrain == nil {
			s.Drained()
			return
		}
		s.options.OnDrain(s)
	})
}

// forget drops all that waits, and all that the peer has not settled.
func (s *Sender) forget() {
	session := s.session
	s.queue = nil
	session.waiting = remove(session.waiting, s)
	session.senders = remove(session.senders, s)
	if session.current != nil && session.current.sender == s {
		session.current = nil
	}
	for id, d := range session.sent {
		if d.sender == s {
			delete(session.sent, id)
		}
	}
}

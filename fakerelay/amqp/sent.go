package amqp

// Sent is a delivery that Send took.
type Sent struct {
	sender  *Sender
	id      uint32
	tag     []byte
	format  uint32
	payload []byte // what is not written yet
	begun   bool
	settled bool
}

// Tag is its delivery-tag.
func (d *Sent) Tag() []byte { return d.tag }

// Sender is the link that it was sent on.
func (d *Sent) Sender() *Sender { return d.sender }

// Settle settles the delivery and tells the peer the state (which may be nil). It does nothing if the delivery
// is settled, or its link gone; one that still waits in the queue goes out settled.
func (d *Sent) Settle(state DeliveryState) {
	s := d.sender.session
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if !d.begun {
		d.settled = true
		delete(s.sent, d.id)
		return
	}
	if s.sent[d.id] == d {
		delete(s.sent, d.id)
		s.dispose(RoleSender, d.id, true, state)
	}
}

// acknowledged is a state as it is said back to the peer that said it. go-amqp takes an error in it for a failure of
// the settlement itself.
func acknowledged(state DeliveryState) DeliveryState {
	if _, ok := state.(Rejected); ok {
		return Rejected{}
	}
	return state
}

// receiverDisposed takes over the peer's disposition.
func (d *Sent) receiverDisposed(p *Disposition) {
	s := d.sender.session
	if p.Settled {
		delete(s.sent, d.id)
	}
	outcome := d.sender.options.OnOutcome
	s.conn.post(0, func() {
		if outcome == nil {
			d.Settle(acknowledged(p.State))
			return
		}
		outcome(d, p.State, p.Settled)
	})
}

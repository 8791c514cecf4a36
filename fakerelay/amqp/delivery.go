package amqp

import "errors"

// A Delivery is a message that the peer sent.
type Delivery struct {
	Tag     []byte
	Format  uint32        // message-format
	Payload []byte        // as sent
	Message *Message      // Payload decoded. A payload that does not decode is rejected with amqp:decode-error and not shown
	Settled bool          // by the sender: Settle does nothing
	State   DeliveryState // that it was sent in; nil: none. OtherState: within a transaction

	receiver *Receiver
	id       uint32
	second   bool // we settle after the sender (rcv-settle-mode second)
	decided  bool
}

// Receiver is the link that it came on.
func (d *Delivery) Receiver() *Receiver { return d.receiver }

// deliver decodes the message and hands the delivery over.
func (d *Delivery) deliver() {
	d.Message = new(Message)
	if err := d.Message.UnmarshalBinary(d.Payload); err != nil {
		var why *Error
		errors.As(err, &why)
		d.Settle(Rejected{why})
		return
	}
	if d.receiver.options.OnTransfer == nil {
		d.Settle(Accepted{})
		return
	}
	d.receiver.options.OnTransfer(d)
}

// Settle tells the peer the delivery's outcome and settles it; a second call does nothing.
func (d *Delivery) Settle(state DeliveryState) {
	r := d.receiver
	s := r.session
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.received[d.id] != d || d.decided {
		return
	}
	d.decided = true
	s.dispose(RoleReceiver, d.id, !d.second, state)
	if !d.second {
		d.settled()
	}
}

func (d *Delivery) settled() {
	delete(d.receiver.session.received, d.id)
	d.receiver.unsettled--
	d.receiver.topUp()
}

// senderDisposed takes over the peer's disposition: one that settles ends the delivery.
func (d *Delivery) senderDisposed(p *Disposition) {
	if p.Settled {
		d.settled()
	}
}

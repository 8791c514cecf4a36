package amqp

const defaultCredit uint32 = 1000

// ReceiverOptions are what an incoming link is accepted with.
type ReceiverOptions struct {
	Answer
	// Credit is how many deliveries the peer may have under way: sent, and not settled by us. It is topped up
	// when half is used. Default 1000.
	Credit uint32
	// SettleFirst settles a delivery together with its outcome, even where rcv-settle-mode second was agreed.
	// Default: the specification's order (2.6.12), in which the sender settles before.
	SettleFirst bool
	// OnTransfer is called for each complete delivery. Default: each is accepted.
	OnTransfer func(*Delivery)
	// OnClosed is called once, however the link ends: err is nil without an error, ours or the peer's.
	// Default: nothing is called.
	OnClosed func(r *Receiver, err *Error)
}

// A Receiver is an incoming link.
type Receiver struct {
	*Link
	options       ReceiverOptions
	deliveryCount uint32
	credit        uint32    // ours, less what came
	unsettled     uint32    // deliveries that came and that we have not settled
	partial       *Delivery // its last transfer has not come yet
}

// topUp grants credit again when half of it is used: at least a quarter at once, unless none is left.
func (r *Receiver) topUp() {
	all := r.options.Credit
	if r.state != linkAttached || r.unsettled >= all || r.credit > all/2 {
		return
	}
	grant := all - r.unsettled
	if grant <= r.credit || grant-r.credit < all/4 && r.credit > 0 {
		return
	}
	r.credit = grant
	r.writeFlow()
}

// onTransfer puts deliveries together (2.6.14).
func (r *Receiver) onTransfer(t *Transfer, payload []byte) *Error {
	if r.partial == nil {
		if err := r.begin(t); err != nil {
			r.detach(err)
			return nil
		}
	}
	d := r.partial
	if t.DeliveryID != nil && *t.DeliveryID != d.id {
		r.detach(Errorf(CondInvalidField, "the delivery %d begins before the delivery %d is complete", *t.DeliveryID, d.id))
		return nil
	}
	d.Settled = d.Settled || t.Settled
	if t.Aborted {
		r.release(d)
		r.topUp()
		return nil
	}
	size := uint64(len(d.Payload) + len(payload))
	if size > r.options.MaxMessageSize {
		r.detach(Errorf(CondMessageSizeExceeded, textMessageSize, d.id, size, r.options.MaxMessageSize))
		return nil
	}
	c := r.session.conn
	c.partial += uint64(len(payload))
	if limit := partialFactor * max(c.cfg.MaxMessageSize, r.options.MaxMessageSize); c.partial > limit {
		return Errorf(CondResourceLimitExceeded, "incomplete messages of %d bytes, a connection may have %d", c.partial, limit)
	}
	d.Payload = append(d.Payload, payload...)
	if !t.More {
		r.complete(d)
	}
	return nil
}

// textMessageSize is what Microsoft.Azure.Amqp, which the service runs on, says when it closes the link.
const textMessageSize = "The received message (delivery-id:%d, size:%d bytes) exceeds the limit (%d bytes) currently allowed on the link."

// partialFactor times the longest message is what the incomplete messages of one connection may take in all.
const partialFactor = 4

// begin starts a delivery, which uses a credit.
func (r *Receiver) begin(t *Transfer) *Error {
	switch {
	case r.credit == 0:
		return Errorf(CondTransferLimitExceeded, "a transfer without link credit")
	case t.DeliveryID == nil || t.DeliveryTag == nil:
		return Errorf(CondInvalidField, "the first transfer of a delivery has no delivery-id or no delivery-tag")
	case r.session.received[*t.DeliveryID] != nil:
		return Errorf(CondInvalidField, "the delivery-id %d is in use", *t.DeliveryID)
	}
	r.credit--
	r.deliveryCount++
	d := &Delivery{receiver: r, id: *t.DeliveryID, Tag: t.DeliveryTag, Settled: r.sndSettleMode == SenderSettled, State: t.State}
	if t.MessageFormat != nil {
		d.Format = *t.MessageFormat
	}
	d.second = !r.options.SettleFirst && r.rcvSettleMode == ReceiverSecond && (t.RcvSettleMode == nil || *t.RcvSettleMode == ReceiverSecond)
	r.partial = d
	return nil
}

func (r *Receiver) complete(d *Delivery) {
	r.release(d)
	if !d.Settled {
		r.session.received[d.id] = d
		r.unsettled++
	}
	r.topUp()
	r.session.conn.post(len(d.Payload), d.deliver)
}

// release ends the state of being incomplete.
func (r *Receiver) release(d *Delivery) {
	r.session.conn.partial -= uint64(len(d.Payload))
	r.partial = nil
}

// forget drops what is incomplete, and all that we have not settled.
func (r *Receiver) forget() {
	if r.partial != nil {
		r.release(r.partial)
	}
	for id, d := range r.session.received {
		if d.receiver == r {
			delete(r.session.received, id)
		}
	}
}

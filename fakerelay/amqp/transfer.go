package amqp

// Transfer is the performative that carries a message, or a part of it (2.7.5). The payload follows it in its frame.
type Transfer struct {
	Handle        uint32
	DeliveryID    *uint32 // set in the first transfer of a delivery, as are DeliveryTag and MessageFormat
	DeliveryTag   []byte
	MessageFormat *uint32
	Settled       bool
	More          bool
	RcvSettleMode *uint8
	State         DeliveryState
	Resume        bool
	Aborted       bool
	Batchable     bool
}

const maxTag = 32 // bytes of a delivery-tag (2.8.7)

func (t *Transfer) descriptor() uint64 { return codeTransfer }

func (t *Transfer) fields() List {
	return List{
		t.Handle, omitNil(t.DeliveryID), omitBinary(t.DeliveryTag), omitNil(t.MessageFormat), omit(t.Settled, false), omit(t.More, false),
		omitNil(t.RcvSettleMode), stateValue(t.State), omit(t.Resume, false), omit(t.Aborted, false), omit(t.Batchable, false),
	}
}

func (t *Transfer) read(r *fieldReader) {
	t.Handle = required[uint32](r, "handle")
	t.DeliveryID = optionalPointer[uint32](r, "delivery-id")
	t.DeliveryTag = optional(r, "delivery-tag", []byte(nil))
	t.MessageFormat = optionalPointer[uint32](r, "message-format")
	t.Settled = optional(r, "settled", false)
	t.More = optional(r, "more", false)
	t.RcvSettleMode = optionalPointer[uint8](r, "rcv-settle-mode")
	t.State = readState(r, "state")
	t.Resume = optional(r, "resume", false)
	t.Aborted = optional(r, "aborted", false)
	t.Batchable = optional(r, "batchable", false)
	if len(t.DeliveryTag) > maxTag {
		r.fail("a delivery-tag of %d bytes, the longest allowed has %d", len(t.DeliveryTag), maxTag)
	}
}

// onTransfer counts the transfer against the session's window, which it opens again when half is used, and gives
// it to its link.
func (s *Session) onTransfer(t *Transfer, payload []byte) *Error {
	if s.incomingWindow == 0 {
		s.fail(Errorf(CondWindowViolation, "a transfer beyond the incoming window"))
		return nil
	}
	s.nextIncomingID++
	s.incomingWindow--
	if s.incomingWindow <= sessionWindow/2 {
		s.incomingWindow = sessionWindow
		s.writeFlow(&Flow{})
	}
	l, ok := s.links[t.Handle]
	switch {
	case !ok:
		s.fail(Errorf(CondUnattachedHandle, "a transfer for the handle %d", t.Handle))
	case l.state == linkDetaching: // it was under way when we detached
	case l.receiver == nil:
		l.detach(Errorf(CondNotAllowed, "a transfer from the link's receiver"))
	default:
		return l.receiver.onTransfer(t, payload)
	}
	return nil
}

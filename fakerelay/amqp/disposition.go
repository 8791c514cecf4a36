package amqp

import "slices"

// Disposition is the performative that tells the state of deliveries, and settles them (2.7.6).
type Disposition struct {
	Role      Role // of the end that speaks
	First     uint32
	Last      *uint32 // nil: First
	Settled   bool
	State     DeliveryState
	Batchable bool
}

func (d *Disposition) descriptor() uint64 { return codeDisposition }

func (d *Disposition) fields() List {
	return List{
		bool(d.Role), d.First, omitNil(d.Last), omit(d.Settled, false), stateValue(d.State), omit(d.Batchable, false),
	}
}

func (d *Disposition) read(r *fieldReader) {
	d.Role = Role(required[bool](r, "role"))
	d.First = required[uint32](r, "first")
	d.Last = optionalPointer[uint32](r, "last")
	d.Settled = optional(r, "settled", false)
	d.State = readState(r, "state")
	d.Batchable = optional(r, "batchable", false)
}

func (s *Session) onDisposition(d *Disposition) {
	if d.Role == RoleSender {
		for _, id := range inRange(s.received, d) {
			s.received[id].senderDisposed(d)
		}
		return
	}
	for _, id := range inRange(s.sent, d) {
		s.sent[id].receiverDisposed(d)
	}
}

// inRange gives the ids between first and last that are unsettled, in their order. Its cost is bounded by what is
// unsettled, whatever range the peer names.
func inRange[T any](unsettled map[uint32]T, d *Disposition) []uint32 {
	span := uint32(0)
	if d.Last != nil {
		span = *d.Last - d.First // serial numbers wrap (RFC 1982)
	}
	if int32(span) < 0 {
		return nil // last stands before first
	}
	var ids []uint32
	if uint64(span) < uint64(len(unsettled)) {
		for i := range span + 1 {
			if _, ok := unsettled[d.First+i]; ok {
				ids = append(ids, d.First+i)
			}
		}
		return ids
	}
	for id := range unsettled {
		if id-d.First <= span {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b uint32) int { return int(int32(a - b)) })
	return ids
}

// dispose queues a disposition of ours. One that continues the last in the same state is joined to it, as long as
// that has not left.
func (s *Session) dispose(role Role, id uint32, settled bool, state DeliveryState) {
	if p := s.disposition; p != nil && p.Role == role && p.Settled == settled && joinable(p.State, state) && id == *p.Last+1 {
		*p.Last = id
		return
	}
	s.flushDisposition()
	last := id
	s.disposition = &Disposition{Role: role, First: id, Last: &last, Settled: settled, State: state}
	s.conn.disposing = append(s.conn.disposing, s)
	s.conn.announce()
}

// joinable tells whether two states are the same and say nothing of their own.
func joinable(a, b DeliveryState) bool {
	switch a.(type) {
	case Accepted, Released:
		return a == b
	}
	return false
}

func (s *Session) flushDisposition() {
	if d := s.disposition; d != nil {
		s.disposition = nil
		s.conn.writeFrame(s.channel, d, nil)
	}
}

package amqp

// Role tells which end of a link speaks (2.8.1).
type Role bool

// Roles.
const (
	RoleSender   Role = false
	RoleReceiver Role = true
)

// String names the role as the standard does.
func (r Role) String() string {
	if r == RoleReceiver {
		return "receiver"
	}
	return "sender"
}

// Settlement modes (2.8.2, 2.8.3).
const (
	SenderUnsettled uint8 = 0
	SenderSettled   uint8 = 1
	SenderMixed     uint8 = 2

	ReceiverFirst  uint8 = 0 // the receiver settles at once
	ReceiverSecond uint8 = 1 // the receiver settles after the sender
)

// Attach is the performative that attaches a link to a session (2.7.3).
type Attach struct {
	Name                 string
	Handle               uint32
	Role                 Role
	SndSettleMode        uint8 // default SenderMixed when decoded
	RcvSettleMode        uint8
	Source               *Source
	Target               *Target
	Coordinator          *Described // set instead of Target where that is not a terminus of part 3; cannot be accepted
	Unsettled            Map
	IncompleteUnsettled  bool
	InitialDeliveryCount *uint32 // set by senders; nil is let pass for 0
	MaxMessageSize       uint64  // 0: no limit
	OfferedCapabilities  []Symbol
	DesiredCapabilities  []Symbol
	Properties           Map
}

func (a *Attach) descriptor() uint64 { return codeAttach }

func (a *Attach) fields() List {
	target := compositeValue(a.Target)
	if a.Coordinator != nil {
		target = *a.Coordinator
	}
	return List{
		a.Name, a.Handle, bool(a.Role), a.SndSettleMode, a.RcvSettleMode, compositeValue(a.Source), target,
		omitMap(a.Unsettled), omit(a.IncompleteUnsettled, false), omitNil(a.InitialDeliveryCount), omit(a.MaxMessageSize, 0),
		symbols(a.OfferedCapabilities), symbols(a.DesiredCapabilities), omitMap(a.Properties),
	}
}

func (a *Attach) read(r *fieldReader) {
	a.Name = required[string](r, "name")
	a.Handle = required[uint32](r, "handle")
	a.Role = Role(required[bool](r, "role"))
	a.SndSettleMode = optional(r, "snd-settle-mode", SenderMixed)
	a.RcvSettleMode = optional(r, "rcv-settle-mode", ReceiverFirst)
	a.Source = readComposite[Source](r, "source")
	a.readTarget(r)
	a.Unsettled = optional(r, "unsettled", Map(nil))
	a.IncompleteUnsettled = optional(r, "incomplete-unsettled", false)
	a.InitialDeliveryCount = optionalPointer[uint32](r, "initial-delivery-count")
	a.MaxMessageSize = optional(r, "max-message-size", uint64(0))
	a.OfferedCapabilities = readSymbols(r, "offered-capabilities")
	a.DesiredCapabilities = readSymbols(r, "desired-capabilities")
	a.Properties = optional(r, "properties", Map(nil))
	if a.SndSettleMode > SenderMixed || a.RcvSettleMode > ReceiverSecond {
		r.fail("there are no settle modes %d and %d", a.SndSettleMode, a.RcvSettleMode)
	}
}

func (a *Attach) readTarget(r *fieldReader) {
	if len(r.list) > 0 {
		if d, ok := r.list[0].(Described); ok && descriptorCode(d.Descriptor) != codeTarget {
			r.next()
			a.Coordinator = &d
			return
		}
	}
	a.Target = readComposite[Target](r, "target")
}

func (s *Session) onAttach(a *Attach) *Error {
	c := s.conn
	if a.Handle > c.cfg.HandleMax || a.Handle > s.peerHandleMax {
		return Errorf(CondFramingError, "attach with the handle %d, the highest allowed is %d", a.Handle, min(c.cfg.HandleMax, s.peerHandleMax))
	}
	if s.links[a.Handle] != nil {
		s.fail(Errorf(CondHandleInUse, "attach with the handle %d, which has a link", a.Handle))
		return nil
	}
	if c.links >= 2*c.cfg.MaxLinks {
		return Errorf(CondResourceLimitExceeded, "%d links, of which the peer has not taken back those that were refused", c.links)
	}
	l := newLink(s, a)
	s.links[a.Handle] = l
	c.links++
	switch {
	case c.links > c.cfg.MaxLinks:
		l.refuse(Errorf(CondResourceLimitExceeded, "a connection may have %d links", c.cfg.MaxLinks))
	case c.handler.Attach == nil:
		l.refuse(Errorf(CondNotImplemented, "this server has no nodes"))
	default:
		r := &AttachRequest{Attach: *a, link: l}
		c.post(0, func() { c.handler.Attach(r) })
	}
	return nil
}

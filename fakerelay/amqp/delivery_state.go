package amqp

// Delivery states and outcomes (3.4). Transactional states (part 4) are kept as OtherState.

// A DeliveryState is Received, Accepted, Rejected, Released, Modified or OtherState.
type DeliveryState interface{ deliveryState() }

type (
	// Received tells how far a message was received; it is no outcome.
	Received struct {
		SectionNumber uint32
		SectionOffset uint64
	}
	// Accepted says that the message was processed.
	Accepted struct{}
	// Rejected says that the message is invalid.
	Rejected struct{ Error *Error }
	// Released says that the message was not, and will not be, processed.
	Released struct{}
	// Modified says what Released does, and that the message is to be changed.
	Modified struct {
		DeliveryFailed     bool
		UndeliverableHere  bool
		MessageAnnotations Map
	}
	// OtherState is any state that the standard's part 3 does not define.
	OtherState Described
)

func (Received) deliveryState()   {}
func (Accepted) deliveryState()   {}
func (Rejected) deliveryState()   {}
func (Released) deliveryState()   {}
func (Modified) deliveryState()   {}
func (OtherState) deliveryState() {}

func stateValue(s DeliveryState) any {
	switch s := s.(type) {
	case Received:
		return described(codeReceived, List{s.SectionNumber, s.SectionOffset})
	case Accepted:
		return described(codeAccepted, nil)
	case Rejected:
		return described(codeRejected, List{compositeValue(s.Error)})
	case Released:
		return described(codeReleased, nil)
	case Modified:
		return described(codeModified, List{omit(s.DeliveryFailed, false), omit(s.UndeliverableHere, false), omitMap(s.MessageAnnotations)})
	case OtherState:
		return Described(s)
	}
	return nil
}

func readState(r *fieldReader, name string) DeliveryState {
	d, ok := pointer[Described](r, name)
	if !ok {
		return nil
	}
	code := descriptorCode(d.Descriptor)
	list, isList := d.Value.(List)
	if !isList {
		return OtherState(d)
	}
	f := &fieldReader{list: list, of: name, err: r.err}
	var s DeliveryState
	switch code {
	case codeReceived:
		s = Received{required[uint32](f, "section-number"), required[uint64](f, "section-offset")}
	case codeAccepted:
		s = Accepted{}
	case codeRejected:
		s = Rejected{readComposite[Error](f, "error")}
	case codeReleased:
		s = Released{}
	case codeModified:
		s = Modified{optional(f, "delivery-failed", false), optional(f, "undeliverable-here", false), optional(f, "message-annotations", Map(nil))}
	default:
		s = OtherState(d)
	}
	r.err = f.err
	return s
}

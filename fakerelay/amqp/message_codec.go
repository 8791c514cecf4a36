package amqp

// likelySections is what the sections besides the data mostly take.
const likelySections = 256

// MarshalBinary encodes the message, its sections in the standard's order. It fails where a value has a Go type
// that AMQP has no type for.
func (m *Message) MarshalBinary() ([]byte, error) {
	size := likelySections
	for _, data := range m.Data {
		size += len(data) + 8
	}
	e := encoder{b: make([]byte, 0, size)}
	m.encodeHead(&e)
	if m.Properties != nil {
		e.value(compositeValue(m.Properties))
	}
	e.mapSection(codeApplicationProperties, m.ApplicationProperties)
	for _, d := range m.Data {
		e.section(codeData, d)
	}
	for _, s := range m.Sequence {
		e.section(codeSequence, s)
	}
	if m.Value != nil {
		e.section(codeValue, m.Value.V)
	}
	e.mapSection(codeFooter, m.Footer)
	return e.b, e.err
}

// UnmarshalHead is UnmarshalBinary for the sections that nodes on a message's way may change (3.2.1 to 3.2.3: the header
// and both annotations). It leaves all others alone and returns them as they are in b.
func (m *Message) UnmarshalHead(b []byte) (bare []byte, err error) {
	*m = Message{}
	d := newDecoder(b)
	d.aliases = true
	for d.more() {
		rest := b[d.pos:]
		if len(rest) > 2 && rest[0] == fmtDescribed && rest[1] == fmtSmallUlong && rest[2] > byte(codeMessageAnnotations) {
			return rest, nil
		}
		code, value, err := d.section()
		if err != nil {
			return nil, err
		}
		if code > codeMessageAnnotations {
			return rest, nil
		}
		if err := m.set(code, value); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// MarshalHead encodes the header and both annotations, and appends the other sections, which are encoded already.
func (m *Message) MarshalHead(bare []byte) ([]byte, error) {
	e := encoder{b: make([]byte, 0, likelySections+len(bare))}
	m.encodeHead(&e)
	return append(e.b, bare...), e.err
}

// PutInto gives an encoded message with p for its properties, and all other sections as they are in b.
func (p *Properties) PutInto(b []byte) ([]byte, error) {
	var head Message
	rest, err := head.UnmarshalHead(b)
	if err != nil {
		return nil, err
	}
	before := b[:len(b)-len(rest)]
	if d := newDecoder(rest); len(rest) > 0 {
		d.aliases = true
		code, _, err := d.section()
		if err != nil {
			return nil, err
		}
		if code == codeProperties {
			rest = rest[d.pos:]
		}
	}
	e := encoder{b: make([]byte, 0, likelySections)}
	e.value(compositeValue(p))
	out := make([]byte, 0, len(before)+len(e.b)+len(rest))
	return append(append(append(out, before...), e.b...), rest...), e.err
}

func (m *Message) encodeHead(e *encoder) {
	if m.Header != nil {
		e.value(compositeValue(m.Header))
	}
	e.mapSection(codeDeliveryAnnotations, m.DeliveryAnnotations)
	e.mapSection(codeMessageAnnotations, m.MessageAnnotations)
}

func (e *encoder) section(code uint64, v any) { e.value(Described{Descriptor: code, Value: v}) }

func (e *encoder) mapSection(code uint64, m Map) {
	if m != nil {
		e.section(code, m)
	}
}

// UnmarshalBinary decodes a message of at most MaxElements values. Nothing of m is kept. Its binary values, data
// sections above all, are parts of b, which must not be changed afterwards.
// Its errors are *Error with the condition amqp:decode-error.
func (m *Message) UnmarshalBinary(b []byte) error {
	*m = Message{}
	d := newDecoder(b)
	d.aliases = true
	last := uint64(0)
	for d.more() {
		code, value, err := d.section()
		if err != nil {
			return err
		}
		repeatable := code == codeData || code == codeSequence
		if code < last || code == last && !repeatable || m.hasBody() && code < codeFooter && code != last {
			return Errorf(CondDecodeError, "message: the section 0x%02x stands after the section 0x%02x", code, last)
		}
		if err := m.set(code, value); err != nil {
			return err
		}
		last = code
	}
	return nil
}

func (m *Message) hasBody() bool { return m.Data != nil || m.Sequence != nil || m.Value != nil }

func (d *decoder) section() (code uint64, value any, err error) {
	v, err := d.value()
	if err != nil {
		return 0, nil, err
	}
	section, ok := v.(Described)
	if !ok {
		return 0, nil, Errorf(CondDecodeError, "message: a section begins with the type %s, not with a descriptor", typeName(v))
	}
	return descriptorCode(section.Descriptor), section.Value, nil
}

func (m *Message) set(code uint64, value any) error {
	switch code {
	case codeHeader:
		m.Header = new(Header)
		return readFields(m.Header, "header", value)
	case codeProperties:
		m.Properties = new(Properties)
		return readFields(m.Properties, "properties", value)
	case codeDeliveryAnnotations:
		return setMap(&m.DeliveryAnnotations, "delivery-annotations", value, annotationKey)
	case codeMessageAnnotations:
		return setMap(&m.MessageAnnotations, "message-annotations", value, annotationKey)
	case codeApplicationProperties:
		return setMap(&m.ApplicationProperties, "application-properties", value, stringKey)
	case codeFooter:
		return setMap(&m.Footer, "footer", value, annotationKey)
	case codeData:
		data, ok := value.([]byte)
		if !ok {
			return Errorf(CondDecodeError, "message: a data section holds the type %s", typeName(value))
		}
		m.Data = append(m.Data, data)
	case codeSequence:
		list, ok := value.(List)
		if !ok {
			return Errorf(CondDecodeError, "message: an amqp-sequence section holds the type %s", typeName(value))
		}
		m.Sequence = append(m.Sequence, list)
	case codeValue:
		m.Value = &Value{value}
	default:
		return Errorf(CondDecodeError, "message: there is no section 0x%02x", code)
	}
	return nil
}

func setMap(to *Map, of string, value any, key func(any) (any, bool)) error {
	entries, ok := value.(Map)
	if !ok {
		return Errorf(CondDecodeError, "message: %s is not a map but of the type %s", of, typeName(value))
	}
	for i, e := range entries {
		k, ok := key(e.Key)
		if !ok {
			return Errorf(CondDecodeError, "message: %s has a key of the type %s", of, typeName(e.Key))
		}
		entries[i].Key = k
	}
	*to = entries
	return nil
}

func stringKey(key any) (any, bool) {
	_, ok := key.(string)
	return key, ok
}

// annotationKey takes a string for the symbol that it should be: go-amqp sends strings.
func annotationKey(key any) (any, bool) {
	switch k := key.(type) {
	case Symbol, uint64:
		return key, true
	case string:
		return Symbol(k), true
	}
	return nil, false
}

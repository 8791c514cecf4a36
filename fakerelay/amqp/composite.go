package amqp

// Composite types (1.4): described lists whose fields have positions. Trailing nulls are left out on the wire,
// and missing fields are null; fields that a peer sends beyond those we know are ignored.

// A composite is a type of the standard that is encoded as a described list.
type composite interface {
	descriptor() uint64
	fields() List
	read(*fieldReader)
}

func described(code uint64, fields List) Described {
	for len(fields) > 0 && fields[len(fields)-1] == nil {
		fields = fields[:len(fields)-1]
	}
	return Described{Descriptor: code, Value: fields}
}

// compositeValue is what a field that holds c encodes: null for a nil pointer.
func compositeValue[T any, P interface {
	*T
	composite
}](c P) any {
	if c == nil {
		return nil
	}
	return described(c.descriptor(), c.fields())
}

func omit[T interface {
	~string | ~bool | ~uint8 | ~uint16 | ~uint32 | ~uint64
}](v, absent T) any {
	if v == absent {
		return nil
	}
	return v
}

func omitNil[T any](v *T) any {
	if v == nil {
		return nil
	}
	return *v
}

func omitBinary(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func omitMap(m Map) any {
	if m == nil {
		return nil
	}
	return m
}

// symbols encodes a field that may be multiple (1.4): null, one symbol, or an array of them.
func symbols(s []Symbol) any {
	switch len(s) {
	case 0:
		return nil
	case 1:
		return s[0]
	}
	return ArrayOf(s...)
}

// A fieldReader reads a composite's fields in their order. After the first error it reads on with zero values.
type fieldReader struct {
	list List
	of   string
	err  error
}

func (r *fieldReader) next() any {
	if len(r.list) == 0 {
		return nil
	}
	v := r.list[0]
	r.list = r.list[1:]
	return v
}

func (r *fieldReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = Errorf(CondDecodeError, r.of+": "+format, args...)
	}
}

// pointer reads a field that may be null, and reports whether it was there.
func pointer[T any](r *fieldReader, name string) (T, bool) {
	v := r.next()
	t, ok := v.(T)
	if !ok && v != nil {
		r.fail("field %s has the type %s", name, typeName(v))
	}
	return t, ok
}

func optional[T any](r *fieldReader, name string, absent T) T {
	if v, ok := pointer[T](r, name); ok {
		return v
	}
	return absent
}

func optionalPointer[T any](r *fieldReader, name string) *T {
	if v, ok := pointer[T](r, name); ok {
		return &v
	}
	return nil
}

func required[T any](r *fieldReader, name string) T {
	v, ok := pointer[T](r, name)
	if !ok {
		r.fail("the mandatory field %s is missing", name)
	}
	return v
}

func readSymbols(r *fieldReader, name string) []Symbol {
	switch v := r.next().(type) {
	case nil:
		return nil
	case Symbol:
		return []Symbol{v}
	case Array:
		out := make([]Symbol, 0, len(v.Items))
		for _, item := range v.Items {
			s, ok := item.(Symbol)
			if !ok {
				r.fail("field %s has an element of the type %s", name, typeName(item))
			}
			out = append(out, s)
		}
		return out
	default:
		r.fail("field %s has the type %s", name, typeName(v))
		return nil
	}
}

// readComposite reads a field that is null or of the composite type T.
func readComposite[T any, P interface {
	*T
	composite
}](r *fieldReader, name string) *T {
	d, ok := pointer[Described](r, name)
	if !ok {
		return nil
	}
	var out P = new(T)
	if descriptorCode(d.Descriptor) != out.descriptor() {
		r.fail("field %s has the descriptor %s", name, descriptorName(d.Descriptor))
		return nil
	}
	if err := readFields(out, name, d.Value); err != nil && r.err == nil {
		r.err = err
	}
	return out
}

func readFields(c composite, of string, value any) error {
	list, ok := value.(List)
	if !ok {
		return Errorf(CondDecodeError, "%s is not a list but of the type %s", of, typeName(value))
	}
	r := &fieldReader{list: list, of: of}
	c.read(r)
	return r.err
}

package amqp

// compound reads a list or a map after its format code.
func (d *decoder) compound(code byte) (any, error) {
	if code&0x0f > 1 {
		return nil, d.fail("there is no format code 0x%02x", code)
	}
	end, count, err := d.open(code)
	if err != nil {
		return nil, err
	}
	outer := d.end
	d.end = end
	defer func() { d.end = outer; d.leave() }()
	if count > d.end-d.pos {
		return nil, d.fail("%d elements are announced and %d bytes are left", count, d.end-d.pos)
	}
	var v any
	if code == fmtList8 || code == fmtList32 {
		v, err = d.list(count)
	} else {
		v, err = d.mapping(count)
	}
	if err == nil && d.more() {
		err = d.fail("%d bytes too many in a list or map", d.end-d.pos)
	}
	return v, err
}

// open reads the size and the count of a list, map or array, and gives where it ends.
func (d *decoder) open(code byte) (end, count int, err error) {
	size, err := d.size(code)
	if err != nil {
		return 0, 0, err
	}
	if size > d.end-d.pos {
		return 0, 0, d.fail("%d bytes are announced and %d are left", size, d.end-d.pos)
	}
	end = d.pos + size
	outer := d.end
	d.end = end
	count, err = d.size(code)
	d.end = outer
	if err != nil {
		return 0, 0, err
	}
	return end, count, d.enter()
}

// likelyFields is what a list is made to hold at first, whatever its peer announces: as many as most composites have.
const likelyFields = 16

func (d *decoder) list(count int) (List, error) {
	out := make(List, 0, min(count, likelyFields))
	for range count {
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (d *decoder) mapping(count int) (Map, error) {
	if count%2 != 0 {
		return nil, d.fail("a map of %d keys and values", count)
	}
	out := make(Map, 0, min(count/2, likelyFields))
	var seen map[any]struct{} // made where comparing each key with all others would take long
	if count > 32 {
		seen = map[any]struct{}{}
	}
	for range count / 2 {
		key, err := d.value()
		if err != nil {
			return nil, err
		}
		if isComparable(key) && out.has(key, seen) {
			return nil, d.fail("a map with a key twice")
		}
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		out = append(out, MapEntry{key, v})
	}
	return out, nil
}

// has tells whether m has an entry of this key. seen, if not nil, holds m's keys, and now this one.
func (m Map) has(key any, seen map[any]struct{}) bool {
	if seen == nil {
		_, twice := m.Get(key)
		return twice
	}
	_, twice := seen[key]
	seen[key] = struct{}{}
	return twice
}

// array reads an array after its format code: one constructor, then the elements' data.
func (d *decoder) array(code byte) (any, error) {
	if code&0x0f != 0 {
		return nil, d.fail("there is no format code 0x%02x", code)
	}
	end, count, err := d.open(code)
	if err != nil {
		return nil, err
	}
	outer := d.end
	d.end = end
	defer func() { d.end = outer; d.leave() }()

	out := Array{Items: []any{}}
	element, err := d.code()
	if err == nil && element == fmtDescribed {
		if out.Descriptor, err = d.value(); err == nil {
			element, err = d.code()
		}
	}
	if err != nil {
		return nil, err
	}
	if element == fmtDescribed {
		return nil, d.fail("an array whose elements have two descriptors")
	}
	if count == 0 {
		out.Element = element
	}
	for range count {
		if d.elements++; d.elements > MaxElements {
			return nil, d.fail("more than %d values", MaxElements)
		}
		v, err := d.data(element)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, v)
	}
	if d.more() {
		return nil, d.fail("%d bytes too many in an array", d.end-d.pos)
	}
	return out, nil
}

// typeName is the standard's name of a value's type, for error descriptions.
func typeName(v any) string {
	switch v.(type) {
	case List:
		return "list"
	case Map:
		return "map"
	case Array:
		return "array"
	case Described:
		return "described"
	}
	code, _ := wideCode(v)
	return typeNames[code]
}

var typeNames = map[byte]string{
	fmtNull: "null", fmtBoolean: "boolean", fmtUbyte: "ubyte", fmtUshort: "ushort", fmtUint: "uint", fmtUlong: "ulong",
	fmtByte: "byte", fmtShort: "short", fmtInt: "int", fmtLong: "long", fmtFloat: "float", fmtDouble: "double",
	fmtDecimal32: "decimal32", fmtDecimal64: "decimal64", fmtDecimal128: "decimal128", fmtChar: "char",
	fmtTimestamp: "timestamp", fmtUUID: "uuid", fmtBinary32: "binary", fmtString32: "string", fmtSymbol32: "symbol",
}

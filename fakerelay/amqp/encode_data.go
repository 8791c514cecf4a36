package amqp

import (
	"encoding/binary"
	"math"
	"time"
)

// data appends v without its constructor, in the form of a format code that compactCode or wideCode gave for its type.
func (e *encoder) data(code byte, v any) {
	switch v := v.(type) {
	case nil:
	case bool:
		if code == fmtBoolean && v {
			e.b = append(e.b, 1)
		} else if code == fmtBoolean {
			e.b = append(e.b, 0)
		}
	case uint8:
		e.integer(1, uint64(v))
	case uint16:
		e.integer(2, uint64(v))
	case uint32:
		e.integer(fixedWidth(code), uint64(v))
	case uint64:
		e.integer(fixedWidth(code), v)
	case int8:
		e.integer(1, uint64(v))
	case int16:
		e.integer(2, uint64(v))
	case int32:
		e.integer(fixedWidth(code), uint64(v))
	case int64:
		e.integer(fixedWidth(code), uint64(v))
	case float32:
		e.integer(4, uint64(math.Float32bits(v)))
	case float64:
		e.integer(8, math.Float64bits(v))
	case Char:
		e.integer(4, uint64(uint32(v)))
	case time.Time:
		e.integer(8, uint64(v.UnixMilli()))
	case Decimal32:
		e.b = append(e.b, v[:]...)
	case Decimal64:
		e.b = append(e.b, v[:]...)
	case Decimal128:
		e.b = append(e.b, v[:]...)
	case UUID:
		e.b = append(e.b, v[:]...)
	case []byte:
		e.length(code, len(v))
		e.b = append(e.b, v...)
	case string:
		e.length(code, len(v))
		e.b = append(e.b, v...)
	case Symbol:
		e.length(code, len(v))
		e.b = append(e.b, v...)
	}
}

// fixedWidth is how many bytes the data of a fixed-width format code takes (1.2.1: its upper four bits tell).
func fixedWidth(code byte) int {
	switch code >> 4 {
	case 0x4:
		return 0
	default:
		return 1 << (code>>4 - 5)
	}
}

func (e *encoder) integer(width int, v uint64) {
	for shift := 8 * (width - 1); shift >= 0; shift -= 8 {
		e.b = append(e.b, byte(v>>shift))
	}
}

// length appends the size of variable-width data: one byte in the formats 0xa_, four in 0xb_.
func (e *encoder) length(code byte, n int) {
	if code>>4 == 0xa {
		e.b = append(e.b, byte(n))
		return
	}
	if n > math.MaxUint32 {
		e.fail("a binary, string or symbol of %d bytes is too long", n)
	}
	e.b = binary.BigEndian.AppendUint32(e.b, uint32(n))
}

// array appends an array: one constructor for all elements, which is the shortest that holds each of them.
func (e *encoder) array(a Array) {
	element, ok := arrayElement(a)
	if !ok {
		e.fail("the elements of an array must be of one AMQP type")
		return
	}
	start := len(e.b)
	e.b = append(e.b, fmtArray32, 0, 0, 0, 0, 0, 0, 0, 0)
	if a.Descriptor != nil {
		e.b = append(e.b, fmtDescribed)
		e.value(a.Descriptor)
	}
	e.b = append(e.b, element)
	for _, item := range a.Items {
		e.element(element, item)
	}
	e.closeCompound(start, fmtArray8, len(a.Items))
}

// element appends an array's element, whose constructor stands before all of them. Lists, maps and arrays in an
// array are all of the long form.
func (e *encoder) element(code byte, item any) {
	switch code {
	case fmtList32, fmtMap32, fmtArray32:
	default:
		e.data(code, item)
		return
	}
	start := len(e.b)
	e.b = append(e.b, 0, 0, 0, 0, 0, 0, 0, 0)
	count := 0
	switch v := item.(type) {
	case List:
		count = len(v)
		for _, x := range v {
			e.value(x)
		}
	case Map:
		count = 2 * len(v)
		for _, entry := range v {
			e.value(entry.Key)
			e.value(entry.Value)
		}
	case Array:
		nested := encoder{}
		nested.array(v)
		if nested.err != nil {
			e.fail("%w", nested.err)
			return
		}
		e.b = append(e.b[:start], longArray(nested.b)...)
		return
	}
	binary.BigEndian.PutUint32(e.b[start:], uint32(len(e.b)-start-4))
	binary.BigEndian.PutUint32(e.b[start+4:], uint32(count))
}

// longArray gives the data (without the format code) of an encoded array in the form with four-byte sizes.
func longArray(b []byte) []byte {
	if b[0] == fmtArray32 {
		return b[1:]
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(b[1])+3)
	out = binary.BigEndian.AppendUint32(out, uint32(b[2]))
	return append(out, b[3:]...)
}

func arrayElement(a Array) (byte, bool) {
	if len(a.Items) == 0 {
		if a.Element == 0 {
			return fmtNull, true
		}
		return a.Element, true
	}
	wide, ok := wideCode(a.Items[0])
	if !ok {
		return 0, false
	}
	element := elementCode(a.Items[0])
	for _, item := range a.Items {
		if w, ok := wideCode(item); !ok || w != wide {
			return 0, false
		}
		if elementCode(item) != element {
			element = wide
		}
	}
	return element, true
}

// elementCode is the shortest format code for an element of an array: compactCode without the forms that hold one
// value and no data.
func elementCode(item any) byte {
	code, _ := compactCode(item)
	switch code {
	case fmtTrue, fmtFalse:
		return fmtBoolean
	case fmtUint0:
		return fmtSmallUint
	case fmtUlong0:
		return fmtSmallUlong
	}
	return code
}

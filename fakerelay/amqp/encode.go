package amqp

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// Marshal encodes one value in the most compact form. It fails where a Go type is none of those that types.go
// names: an int, for example, has no AMQP type of its own.
func Marshal(v any) ([]byte, error) {
	e := encoder{}
	e.value(v)
	return e.b, e.err
}

// An encoder appends values; it remembers the first error.
type encoder struct {
	b   []byte
	err error
}

func (e *encoder) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf("amqp: "+format, args...)
	}
}

// value appends the constructor and the data of v.
func (e *encoder) value(v any) {
	switch v := v.(type) {
	case Described:
		e.b = append(e.b, fmtDescribed)
		e.value(v.Descriptor)
		e.value(v.Value)
	case List:
		e.compound(fmtList0, fmtList8, fmtList32, len(v), func() {
			for _, item := range v {
				e.value(item)
			}
		})
	case Map:
		e.compound(0, fmtMap8, fmtMap32, 2*len(v), func() {
			for _, entry := range v {
				e.value(entry.Key)
				e.value(entry.Value)
			}
		})
	case Array:
		e.array(v)
	default:
		code, ok := compactCode(v)
		if !ok {
			e.fail("%T has no AMQP type", v)
			return
		}
		e.b = append(e.b, code)
		e.data(code, v)
	}
}

// compound appends a list or a map: size and count in one byte each if they fit, else in four.
func (e *encoder) compound(code0, code8, code32 byte, count int, items func()) {
	if count == 0 && code0 != 0 {
		e.b = append(e.b, code0)
		return
	}
	start := len(e.b)
	e.b = append(e.b, code32, 0, 0, 0, 0, 0, 0, 0, 0)
	items()
	e.closeCompound(start, code8, count)
}

// closeCompound fills in the nine bytes at start that were kept for code, size and count, or shrinks them to three.
func (e *encoder) closeCompound(start int, code8 byte, count int) {
	size := len(e.b) - start - 9
	if size+1 <= math.MaxUint8 && count <= math.MaxUint8 {
		e.b[start], e.b[start+1], e.b[start+2] = code8, byte(size+1), byte(count)
		copy(e.b[start+3:], e.b[start+9:])
		e.b = e.b[:len(e.b)-6]
		return
	}
	if size+4 > math.MaxUint32 {
		e.fail("a list, map or array of %d bytes is too long", size)
	}
	binary.BigEndian.PutUint32(e.b[start+1:], uint32(size+4))
	binary.BigEndian.PutUint32(e.b[start+5:], uint32(count))
}

// compactCode gives the shortest format code for a value that is not compound.
func compactCode(v any) (byte, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return fmtTrue, true
		}
		return fmtFalse, true
	case uint32:
		switch {
		case v == 0:
			return fmtUint0, true
		case v <= math.MaxUint8:
			return fmtSmallUint, true
		}
	case uint64:
		switch {
		case v == 0:
			return fmtUlong0, true
		case v <= math.MaxUint8:
			return fmtSmallUlong, true
		}
	case int32:
		if v >= math.MinInt8 && v <= math.MaxInt8 {
			return fmtSmallInt, true
		}
	case int64:
		if v >= math.MinInt8 && v <= math.MaxInt8 {
			return fmtSmallLong, true
		}
	case []byte:
		if len(v) <= math.MaxUint8 {
			return fmtBinary8, true
		}
	case string:
		if len(v) <= math.MaxUint8 {
			return fmtString8, true
		}
	case Symbol:
		if len(v) <= math.MaxUint8 {
			return fmtSymbol8, true
		}
	}
	return wideCode(v)
}

// wideCode gives the format code that holds every value of v's type.
func wideCode(v any) (byte, bool) {
	switch v.(type) {
	case nil:
		return fmtNull, true
	case bool:
		return fmtBoolean, true
	case uint8:
		return fmtUbyte, true
	case uint16:
		return fmtUshort, true
	case uint32:
		return fmtUint, true
	case uint64:
		return fmtUlong, true
	case int8:
		return fmtByte, true
	case int16:
		return fmtShort, true
	case int32:
		return fmtInt, true
	case int64:
		return fmtLong, true
	case float32:
		return fmtFloat, true
	case float64:
		return fmtDouble, true
	case Decimal32:
		return fmtDecimal32, true
	case Decimal64:
		return fmtDecimal64, true
	case Decimal128:
		return fmtDecimal128, true
	case Char:
		return fmtChar, true
	case time.Time:
		return fmtTimestamp, true
	case UUID:
		return fmtUUID, true
	case []byte:
		return fmtBinary32, true
	case string:
		return fmtString32, true
	case Symbol:
		return fmtSymbol32, true
	case List:
		return fmtList32, true
	case Map:
		return fmtMap32, true
	case Array:
		return fmtArray32, true
	}
	return 0, false
}

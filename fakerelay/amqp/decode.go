package amqp

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// Limits of decoding. Before the bytes of a thing are there nothing is allocated for it, whatever count or size
// it announces.
const (
	// MaxDepth is how deep lists, maps, arrays and descriptors may be nested.
	MaxDepth = 32
	// MaxElements is how many values one decoded value, frame or message may hold in all.
	MaxElements = 1 << 18
)

// Unmarshal decodes exactly one value, within MaxDepth and MaxElements. The value keeps nothing of b. Its errors
// are *Error with the condition amqp:decode-error.
func Unmarshal(b []byte) (any, error) {
	d := newDecoder(b)
	v, err := d.value()
	if err == nil && d.more() {
		err = d.fail("%d bytes follow the value", d.end-d.pos)
	}
	return v, err
}

// A decoder reads values from b[pos:end].
type decoder struct {
	b        []byte
	pos, end int
	depth    int
	elements int
	aliases  bool // binary values stay part of the input
}

func newDecoder(b []byte) *decoder { return &decoder{b: b, end: len(b)} }

func (d *decoder) more() bool { return d.pos < d.end }

func (d *decoder) fail(format string, args ...any) error {
	return Errorf(CondDecodeError, "at byte %d: %s", d.pos, fmt.Sprintf(format, args...))
}

// take gives the next n bytes, which stay part of the input.
func (d *decoder) take(n int) ([]byte, error) {
	if n < 0 || n > d.end-d.pos {
		return nil, d.fail("%d bytes are needed and %d are left", n, d.end-d.pos)
	}
	d.pos += n
	return d.b[d.pos-n : d.pos], nil
}

func (d *decoder) code() (byte, error) {
	b, err := d.take(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

func (d *decoder) value() (any, error) {
	if d.elements++; d.elements > MaxElements {
		return nil, d.fail("more than %d values", MaxElements)
	}
	code, err := d.code()
	if err != nil {
		return nil, err
	}
	if code != fmtDescribed {
		return d.data(code)
	}
	if err := d.enter(); err != nil {
		return nil, err
	}
	defer d.leave()
	var v Described
	if v.Descriptor, err = d.value(); err != nil {
		return nil, err
	}
	v.Value, err = d.value()
	return v, err
}

func (d *decoder) enter() error {
	if d.depth++; d.depth > MaxDepth {
		return d.fail("nested deeper than %d", MaxDepth)
	}
	return nil
}

func (d *decoder) leave() { d.depth-- }

// data reads what follows a format code.
func (d *decoder) data(code byte) (any, error) {
	switch code >> 4 {
	case 0x4, 0x5, 0x6, 0x7, 0x8, 0x9:
		b, err := d.take(fixedWidth(code))
		if err != nil {
			return nil, err
		}
		return d.fixed(code, b)
	case 0xa, 0xb:
		n, err := d.size(code)
		if err != nil {
			return nil, err
		}
		b, err := d.take(n)
		if err != nil {
			return nil, err
		}
		return d.variable(code, b)
	case 0xc, 0xd:
		return d.compound(code)
	case 0xe, 0xf:
		return d.array(code)
	}
	return nil, d.fail("there is no format code 0x%02x", code)
}

// size reads a size or count: one byte in the formats 0xa_, 0xc_ and 0xe_, four in the others.
func (d *decoder) size(code byte) (int, error) {
	if code>>4&1 == 0 {
		b, err := d.take(1)
		if err != nil {
			return 0, err
		}
		return int(b[0]), nil
	}
	b, err := d.take(4)
	if err != nil {
		return 0, err
	}
	n := binary.BigEndian.Uint32(b)
	if n > math.MaxInt32 {
		return 0, d.fail("a size of %d", n)
	}
	return int(n), nil
}

func (d *decoder) fixed(code byte, b []byte) (any, error) {
	switch code {
	case fmtNull:
		return nil, nil
	case fmtTrue:
		return true, nil
	case fmtFalse:
		return false, nil
	case fmtUint0:
		return uint32(0), nil
	case fmtUlong0:
		return uint64(0), nil
	case fmtList0:
		return List{}, nil
	case fmtUbyte:
		return b[0], nil
	case fmtByte:
		return int8(b[0]), nil
	case fmtSmallUint:
		return uint32(b[0]), nil
	case fmtSmallUlong:
		return uint64(b[0]), nil
	case fmtSmallInt:
		return int32(int8(b[0])), nil
	case fmtSmallLong:
		return int64(int8(b[0])), nil
	case fmtBoolean:
		if b[0] > 1 {
			return nil, d.fail("a boolean of %d", b[0])
		}
		return b[0] == 1, nil
	case fmtUshort:
		return binary.BigEndian.Uint16(b), nil
	case fmtShort:
		return int16(binary.BigEndian.Uint16(b)), nil
	}
	return d.fixedWide(code, b)
}

func (d *decoder) fixedWide(code byte, b []byte) (any, error) {
	switch code {
	case fmtUint:
		return binary.BigEndian.Uint32(b), nil
	case fmtInt:
		return int32(binary.BigEndian.Uint32(b)), nil
	case fmtFloat:
		return math.Float32frombits(binary.BigEndian.Uint32(b)), nil
	case fmtChar:
		return Char(binary.BigEndian.Uint32(b)), nil
	case fmtDecimal32:
		return Decimal32(b), nil
	case fmtUlong:
		return binary.BigEndian.Uint64(b), nil
	case fmtLong:
		return int64(binary.BigEndian.Uint64(b)), nil
	case fmtDouble:
		return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
	case fmtTimestamp:
		return time.UnixMilli(int64(binary.BigEndian.Uint64(b))).UTC(), nil
	case fmtDecimal64:
		return Decimal64(b), nil
	case fmtDecimal128:
		return Decimal128(b), nil
	case fmtUUID:
		return UUID(b), nil
	}
	return nil, d.fail("there is no format code 0x%02x", code)
}

func (d *decoder) variable(code byte, b []byte) (any, error) {
	switch code {
	case fmtBinary8, fmtBinary32:
		if d.aliases {
			return b[:len(b):len(b)], nil
		}
		return append([]byte{}, b...), nil
	case fmtString8, fmtString32:
		if !utf8.Valid(b) {
			return nil, d.fail("a string that is not UTF-8")
		}
		return string(b), nil
	case fmtSymbol8, fmtSymbol32:
		return Symbol(b), nil
	}
	return nil, d.fail("there is no format code 0x%02x", code)
}

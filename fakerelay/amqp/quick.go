package amqp

import "encoding/binary"

// The two performatives that every message takes, transfer and disposition, are written and read here in the form in
// which they mostly come, without the List that describes the others: it costs an allocation for each field. What is
// written is the same as composite.go writes; what comes in another form is left to it.

// quick is a performative that can write its fields itself. It reports false, and has written nothing, if it has some
// that are seldom set.
type quick interface{ encode(*encoder) bool }

func (t *Transfer) encode(e *encoder) bool {
	if t.RcvSettleMode != nil || t.State != nil || t.Resume || t.Aborted || t.Batchable {
		return false
	}
	l := e.quickList(codeTransfer)
	l.uint(&t.Handle)
	l.uint(t.DeliveryID)
	l.binary(t.DeliveryTag)
	l.uint(t.MessageFormat)
	l.flag(t.Settled)
	l.flag(t.More)
	l.close()
	return true
}

func (d *Disposition) encode(e *encoder) bool {
	if _, accepted := d.State.(Accepted); !accepted || d.Batchable {
		return false
	}
	l := e.quickList(codeDisposition)
	e.b = append(e.b, flagCode(bool(d.Role)))
	l.count = 1
	l.uint(&d.First)
	l.uint(d.Last)
	l.flag(d.Settled)
	l.fill()
	e.b = append(e.b, accepted...)
	l.count++
	l.close()
	return true
}

// accepted is the state, encoded.
var accepted = []byte{fmtDescribed, fmtSmallUlong, byte(codeAccepted), fmtList0}

func flagCode(v bool) byte {
	if v {
		return fmtTrue
	}
	return fmtFalse
}

// A quickList is a list of less than 256 bytes that is being written. Nulls are only written before what is none.
type quickList struct {
	e     *encoder
	start int // of its size
	count byte
	nulls byte
}

func (e *encoder) quickList(code uint64) quickList {
	e.b = append(e.b, fmtDescribed, fmtSmallUlong, byte(code), fmtList8, 0, 0)
	return quickList{e: e, start: len(e.b) - 2}
}

// fill writes the nulls that were left out.
func (l *quickList) fill() {
	for ; l.nulls > 0; l.nulls-- {
		l.e.b = append(l.e.b, fmtNull)
		l.count++
	}
}

func (l *quickList) uint(v *uint32) {
	if v == nil {
		l.nulls++
		return
	}
	l.fill()
	l.count++
	switch {
	case *v == 0:
		l.e.b = append(l.e.b, fmtUint0)
	case *v <= 0xff:
		l.e.b = append(l.e.b, fmtSmallUint, byte(*v))
	default:
		l.e.b = binary.BigEndian.AppendUint32(append(l.e.b, fmtUint), *v)
	}
}

// binary takes at most maxTag bytes.
func (l *quickList) binary(v []byte) {
	if v == nil {
		l.nulls++
		return
	}
	l.fill()
	l.count++
	l.e.b = append(append(l.e.b, fmtBinary8, byte(len(v))), v...)
}

func (l *quickList) flag(v bool) {
	if !v {
		l.nulls++
		return
	}
	l.fill()
	l.count++
	l.e.b = append(l.e.b, fmtTrue)
}

func (l *quickList) close() {
	l.e.b[l.start], l.e.b[l.start+1] = byte(len(l.e.b)-l.start-1), l.count
}

// parseQuick reads a transfer or a disposition at the start of a frame's body. It reports false for all else, and for
// what is not in the form that is mostly seen.
func parseQuick(body []byte) (p composite, payload []byte, ok bool) {
	if len(body) < 6 || body[0] != fmtDescribed || body[1] != fmtSmallUlong || body[3] != fmtList8 {
		return nil, nil, false
	}
	end := 5 + int(body[4])
	if end < 6 || end > len(body) {
		return nil, nil, false
	}
	f := quickFields{b: body[6:end], count: int(body[5])}
	switch uint64(body[2]) {
	case codeTransfer:
		p = f.transfer()
	case codeDisposition:
		p = f.disposition()
	}
	return p, body[end:], p != nil && !f.odd && f.count == 0 && len(f.b) == 0
}

// quickFields are a list's fields that are being read.
type quickFields struct {
	b     []byte
	count int  // fields that are left
	odd   bool // something is not in the usual form
}

func (f *quickFields) transfer() *Transfer {
	t := &Transfer{}
	if handle := f.uint(); handle != nil {
		t.Handle = *handle
	} else {
		f.odd = true
	}
	t.DeliveryID = f.uint()
	t.DeliveryTag = f.binary()
	t.MessageFormat = f.uint()
	t.Settled = f.flag()
	t.More = f.flag()
	return t
}

func (f *quickFields) disposition() *Disposition {
	d := &Disposition{}
	f.odd = f.count < 5 || len(f.b) == 0 || f.b[0] == fmtNull
	d.Role = Role(f.flag())
	if first := f.uint(); first != nil {
		d.First = *first
	} else {
		f.odd = true
	}
	d.Last = f.uint()
	d.Settled = f.flag()
	if f.odd || len(f.b) < len(accepted) || string(f.b[:len(accepted)]) != string(accepted) {
		f.odd = true
		return d
	}
	d.State = Accepted{}
	f.b, f.count = f.b[len(accepted):], f.count-1
	return d
}

// next gives a field's format code: that of null at the end of the list too.
func (f *quickFields) next() byte {
	if f.count == 0 {
		return fmtNull
	}
	f.count--
	if len(f.b) == 0 {
		f.odd = true
		return fmtNull
	}
	code := f.b[0]
	f.b = f.b[1:]
	return code
}

func (f *quickFields) take(n int) []byte {
	if n > len(f.b) {
		f.odd = true
		return make([]byte, n)
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

func (f *quickFields) uint() *uint32 {
	v := uint32(0)
	switch f.next() {
	case fmtNull:
		return nil
	case fmtUint0:
	case fmtSmallUint:
		v = uint32(f.take(1)[0])
	case fmtUint:
		v = binary.BigEndian.Uint32(f.take(4))
	default:
		f.odd = true
	}
	return &v
}

// binary gives a copy, of at most maxTag bytes.
func (f *quickFields) binary() []byte {
	switch f.next() {
	case fmtNull:
		return nil
	case fmtBinary8:
		n := int(f.take(1)[0])
		f.odd = f.odd || n > maxTag
		return append([]byte{}, f.take(n)...)
	}
	f.odd = true
	return nil
}

func (f *quickFields) flag() bool {
	switch f.next() {
	case fmtTrue:
		return true
	case fmtNull, fmtFalse:
	default:
		f.odd = true
	}
	return false
}

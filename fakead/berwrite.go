package fakead

// Writing BER as Windows does: constructed elements have their length in four octets after 84, which are filled in
// when it is known; all others have it in as few as it takes.

import "encoding/binary"

// A berWriter holds what was written so far.
type berWriter struct{ out []byte }

// open begins a constructed element and returns where its content starts.
func (w *berWriter) open(identifier byte) (content int) {
	w.out = append(w.out, identifier, 0x84, 0, 0, 0, 0)
	return len(w.out)
}

// close ends the element that open began.
func (w *berWriter) close(content int) {
	binary.BigEndian.PutUint32(w.out[content-4:], uint32(len(w.out)-content))
}

// text writes a string with this identifier.
func (w *berWriter) text(identifier byte, s string) {
	w.head(identifier, len(s))
	w.out = append(w.out, s...)
}

// octets writes bytes with this identifier.
func (w *berWriter) octets(identifier byte, b []byte) {
	w.head(identifier, len(b))
	w.out = append(w.out, b...)
}

// number writes an INTEGER or an ENUMERATED.
func (w *berWriter) number(identifier byte, n int64) {
	octets := 1
	for rest := n; rest > 127 || rest < -128; rest >>= 8 {
		octets++
	}
	w.head(identifier, octets)
	for octets--; octets >= 0; octets-- {
		w.out = append(w.out, byte(n>>(8*octets)))
	}
}

func (w *berWriter) head(identifier byte, length int) {
	switch {
	case length < 0x80:
		w.out = append(w.out, identifier, byte(length))
	case length < 1<<8:
		w.out = append(w.out, identifier, 0x81, byte(length))
	case length < 1<<16:
		w.out = append(w.out, identifier, 0x82, byte(length>>8), byte(length))
	default:
		w.out = append(w.out, identifier, 0x84, byte(length>>24), byte(length>>16), byte(length>>8), byte(length))
	}
}

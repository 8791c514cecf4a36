package fakead

// Framing of LDAPMessages on a stream (RFC 4511 5.1: BER with definite lengths only) under limits. A limit on
// bytes alone does not bound memory: a decoder spends many bytes of heap on each byte of a PDU that is made of
// empty elements (asn1-ber some 110), so elements and depth are counted, without allocating, before anything is
// decoded.

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

const (
	maxReceiveBuffer        = 10 << 20  // bytes of a PDU: MaxReceiveBuffer, MS-ADTS 3.1.1.3.4.6
	maxPreAuthReceiveBuffer = 256 << 10 // the same before a bind: MaxPreAuthReceiveBuffer
	maxElements             = 50000     // of a PDU, at any depth
	maxDepth                = 64        // of nesting; a filter of Windows' own tools stays below 20
	readAtOnce              = 16 << 10  // bytes of a PDU that memory is made for before they have come
)

var (
	errUndecodable = errors.New("not a decodable LDAPMessage")
	errTooLarge    = errors.New("LDAPMessage over the limit")
)

// readPDU reads one LDAPMessage of at most limit bytes, into memory of its own. What is announced but not sent costs
// little.
func readPDU(r *bufio.Reader, limit int) ([]byte, error) {
	head, err := r.Peek(2)
	if err != nil {
		return nil, fmt.Errorf("read an LDAPMessage: %w", err)
	}
	if head[0] != berSequence || head[1] == 0x80 || head[1] > 0x84 {
		return nil, errUndecodable
	}
	if head[1] > 0x80 {
		if head, err = r.Peek(2 + int(head[1]&0x7f)); err != nil {
			return nil, fmt.Errorf("read the length of an LDAPMessage: %w", err)
		}
	}
	length, start, err := elementLength(head)
	if err != nil {
		return nil, err
	}
	if length > limit {
		return nil, errTooLarge
	}
	total := start + length
	var pdu []byte
	for read := 0; read < total; read = len(pdu) {
		grown := make([]byte, min(total, max(readAtOnce, 2*read)))
		copy(grown, pdu)
		pdu = grown
		if _, err := io.ReadFull(r, pdu[read:]); err != nil {
			return nil, fmt.Errorf("read an LDAPMessage: %w", err)
		}
	}
	return pdu, nil
}

// elementLength reads the tag and length octets of an element: the length of its content and where that starts.
func elementLength(b []byte) (length, start int, err error) {
	if len(b) < 2 || b[0]&0x1f == 0x1f { // LDAP has no tags above 30
		return 0, 0, errUndecodable
	}
	if b[1] < 0x80 {
		return int(b[1]), 2, nil
	}
	octets := int(b[1] & 0x7f)
	if octets == 0 || octets > 4 || len(b) < 2+octets {
		return 0, 0, errUndecodable
	}
	for _, x := range b[2 : 2+octets] {
		length = length<<8 | int(x)
	}
	return length, 2 + octets, nil
}

// scan walks the elements of b and refuses more than *elements of them or more than depth levels.
func scan(b []byte, depth int, elements *int) error {
	for len(b) > 0 {
		if *elements--; *elements < 0 || depth < 0 {
			return errTooLarge
		}
		length, start, err := elementLength(b)
		if err != nil {
			return err
		}
		if length > len(b)-start {
			return errUndecodable
		}
		const constructed = 0x20
		if b[0]&constructed != 0 {
			if err := scan(b[start:start+length], depth-1, elements); err != nil {
				return err
			}
		}
		b = b[start+length:]
	}
	return nil
}

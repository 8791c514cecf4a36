package fakead

// Framing of LDAPMessages on a stream (RFC 4511 5.1: BER with definite lengths only) under limits. A limit on
// bytes alone does not bound memory: asn1-ber spends some 110 bytes of heap on each byte of a PDU that is made
// of empty elements, so elements and depth are counted, without allocating, before it decodes.

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	ber "github.com/go-asn1-ber/asn1-ber"
)

const (
	maxReceiveBuffer        = 10 << 20  // bytes of a PDU: MaxReceiveBuffer, MS-ADTS 3.1.1.3.4.6
	maxPreAuthReceiveBuffer = 256 << 10 // the same before a bind: MaxPreAuthReceiveBuffer
	maxElements             = 50000     // of a PDU, at any depth
	maxDepth                = 64        // of nesting; a filter of Windows' own tools stays below 20
)

var (
	errUndecodable = errors.New("not a decodable LDAPMessage")
	errTooLarge    = errors.New("LDAPMessage over the limit")
)

// readPDU reads one LDAPMessage of at most limit bytes. What is announced but not sent costs no memory.
func readPDU(r io.Reader, limit int) ([]byte, error) {
	head := make([]byte, 2, 6)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("read an LDAPMessage: %w", err)
	}
	if head[0] != 0x30 {
		return nil, errUndecodable
	}
	if octets := int(head[1]) & 0x7f; head[1] >= 0x80 {
		if octets == 0 || octets > 4 {
			return nil, errUndecodable
		}
		head = head[:2+octets]
		if _, err := io.ReadFull(r, head[2:]); err != nil {
			return nil, fmt.Errorf("read the length of an LDAPMessage: %w", err)
		}
	}
	length, _, _ := elementLength(head)
	if length > limit {
		return nil, errTooLarge
	}
	var body bytes.Buffer
	body.Write(head)
	if _, err := io.CopyN(&body, r, int64(length)); err != nil {
		return nil, fmt.Errorf("read an LDAPMessage: %w", err)
	}
	return body.Bytes(), nil
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

// decodeRequest checks a PDU and decodes its envelope: messageID, protocolOp, controls.
func decodeRequest(pdu []byte) (*request, error) {
	elements := maxElements
	if err := scan(pdu, maxDepth, &elements); err != nil {
		return nil, err
	}
	p, err := ber.DecodePacketErr(pdu)
	if err != nil || len(p.Children) < 2 || len(p.Children) > 3 {
		return nil, errUndecodable
	}
	const maxID = 1<<31 - 1
	id, ok := p.Children[0].Value.(int64)
	if !ok || !isUniversal(p.Children[0], ber.TagInteger) || id < 1 || id > maxID || p.Children[1].ClassType != ber.ClassApplication {
		return nil, errUndecodable
	}
	req := &request{id: id, operation: p.Children[1].Tag, message: p.Children[1]}
	if len(p.Children) == 3 {
		if req.controls, err = decodeControls(p.Children[2]); err != nil {
			return nil, err
		}
	}
	return req, nil
}

// forGldap is the request without its controls and its filter, whose oddities gldap's decoder would drop the
// connection for. Both are read from the request itself.
func forGldap(req *request) []byte {
	operation := req.message
	if req.operation == tagSearch && len(operation.Children) > filterPosition {
		operation = ber.Encode(ber.ClassApplication, ber.TypeConstructed, tagSearch, nil, "")
		for i, part := range req.message.Children {
			if i == filterPosition {
				part = ber.NewString(ber.ClassContext, ber.TypePrimitive, filterPresent, "objectClass", "")
			}
			operation.AppendChild(part)
		}
	}
	return encodeMessage(req.id, operation, nil).Bytes()
}

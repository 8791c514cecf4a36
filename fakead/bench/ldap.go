package main

// As much LDAP (RFC 4511) as a load generator needs: requests encoded before the clock runs, and of answers only
// which operation they end and with which code.

import (
	"bufio"
	"fmt"
	"io"
)

// element encodes one element around the others.
func element(tag byte, parts ...[]byte) []byte {
	var content []byte
	for _, p := range parts {
		content = append(content, p...)
	}
	out := []byte{tag}
	if n := len(content); n < 0x80 {
		out = append(out, byte(n))
	} else {
		out = append(out, 0x82, byte(n>>8), byte(n))
	}
	return append(out, content...)
}

func text(s string) []byte { return element(0x04, []byte(s)) }

// message numbers an operation. One is on its way at a time, so that all have the same number.
func message(operation []byte) []byte { return element(0x30, []byte{0x02, 1, 1}, operation) }

func bindRequest(name, password string) []byte {
	return message(element(0x60, []byte{0x02, 1, 3}, text(name), element(0x80, []byte(password))))
}

func guidSearch(base string, guid []byte) []byte { return search(base, "objectGUID", guid) }

func nameSearch(base, name string) []byte { return search(base, "sAMAccountName", []byte(name)) }

// search asks for a few attributes of what is equal to a value, anywhere below base.
func search(base, attribute string, value []byte) []byte {
	filter := element(0xa3, text(attribute), element(0x04, value))
	wanted := element(0x30, text("cn"), text("sn"), text("mail"), text("objectGUID"))
	return message(element(0x63, text(base), []byte{0x0a, 1, 2, 0x0a, 1, 0, 0x02, 1, 0, 0x02, 1, 0, 0x01, 1, 0}, filter, wanted))
}

// reset replaces unicodePwd.
func reset(dn, password string) []byte {
	modification := element(0x30, text("unicodePwd"), element(0x31, element(0x04, quotedUTF16(password))))
	return message(element(0x66, text(dn), element(0x30, element(0x30, []byte{0x0a, 1, 2}, modification))))
}

// user is an Add of an ordinary user.
func addUser(base, name string) []byte {
	attribute := func(name string, values ...string) []byte {
		var set [][]byte
		for _, v := range values {
			set = append(set, text(v))
		}
		return element(0x30, text(name), element(0x31, set...))
	}
	return message(element(0x68, text("CN="+name+",CN=Users,"+base), element(0x30,
		attribute("objectClass", "user"), attribute("sAMAccountName", name), attribute("sn", "Bench"), attribute("mail", name+"@"+domain))))
}

// The answers that do not end an operation.
const (
	searchEntry     = 0x64
	searchReference = 0x73
)

// answer reads up to the end of an operation. The code has to be one of those that are good.
func answer(r *bufio.Reader, good ...byte) (entries int, err error) {
	for {
		body, err := messageOf(r)
		if err != nil {
			return entries, err
		}
		_, rest := content(body) // messageID
		operation, _ := content(rest)
		switch rest[0] {
		case searchEntry:
			entries++
			continue
		case searchReference:
			continue
		}
		code, _ := content(operation)
		for _, c := range append(good, 0) {
			if code[0] == c {
				return entries, nil
			}
		}
		return entries, fmt.Errorf("answer %#x with code %d: %.200q", rest[0], code[0], operation)
	}
}

// messageOf reads one LDAPMessage and returns what is in it, good until the next one is read.
func messageOf(r *bufio.Reader) ([]byte, error) {
	head, err := r.Peek(2)
	if err != nil {
		return nil, fmt.Errorf("read an answer: %w", err)
	}
	if head[1] > 0x80 {
		if head, err = r.Peek(2 + int(head[1]&0x7f)); err != nil {
			return nil, fmt.Errorf("read an answer: %w", err)
		}
	}
	length, start := lengthOf(head)
	if whole, err := r.Peek(start + length); err == nil {
		_, _ = r.Discard(start + length)
		return whole[start:], nil
	}
	whole := make([]byte, start+length)
	if _, err := io.ReadFull(r, whole); err != nil {
		return nil, fmt.Errorf("read an answer: %w", err)
	}
	return whole[start:], nil
}

func lengthOf(b []byte) (length, start int) {
	if b[1] < 0x80 {
		return int(b[1]), 2
	}
	octets := int(b[1] & 0x7f)
	for _, x := range b[2 : 2+octets] {
		length = length<<8 | int(x)
	}
	return length, 2 + octets
}

// content splits off the first element.
func content(b []byte) (inside, rest []byte) {
	length, start := lengthOf(b)
	return b[start : start+length], b[start+length:]
}

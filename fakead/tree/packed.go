package tree

// How an entry keeps its values, so that a million users fit: packed into two strings, one of its own and one that it
// shares with all entries that are alike in these attributes; what its name says is not kept at all.

import (
	"encoding/binary"
	"slices"
	"unique"
)

// packed are attributes with their values: for each attribute its rank in two octets, the length of its values, and
// each value after its own length. Lengths are varints.
type packed string

// next splits off the first attribute.
func (p packed) next() (a *Attribute, values packedValues, rest packed) {
	a = Attributes()[int(p[0])|int(p[1])<<8]
	length, width := uvarint(string(p[2:]))
	start := 2 + width
	return a, packedValues(p[start : start+length]), p[start+length:]
}

// find returns the values of an attribute, none if it is not there.
func (p packed) find(a *Attribute) packedValues {
	low, high := byte(a.rank), byte(a.rank>>8)
	for len(p) > 0 {
		length, width := uvarint(string(p[2:]))
		start := 2 + width
		if p[0] == low && p[1] == high {
			return packedValues(p[start : start+length])
		}
		p = p[start+length:]
	}
	return ""
}

// with is p with other values of an attribute; none takes it away.
func (p packed) with(a *Attribute, values [][]byte) packed {
	before, after := p, packed("")
	for rest := p; len(rest) > 0; {
		found, _, next := rest.next()
		if found == a {
			before, after = p[:len(p)-len(rest)], next
			break
		}
		rest = next
	}
	size := len(before) + len(after) + 2 + binary.MaxVarintLen32
	for _, v := range values {
		size += len(v) + binary.MaxVarintLen32
	}
	b := append(make([]byte, 0, size), before...)
	return packed(appendPacked(append(b, after...), a, values))
}

// appendPacked adds an attribute, if it has values.
func appendPacked(b []byte, a *Attribute, values [][]byte) []byte {
	if len(values) == 0 {
		return b
	}
	length := 0
	for _, v := range values {
		length += len(v) + uvarintLength(len(v))
	}
	b = append(b, byte(a.rank), byte(a.rank>>8))
	b = binary.AppendUvarint(b, uint64(length))
	for _, v := range values {
		b = binary.AppendUvarint(b, uint64(len(v)))
		b = append(b, v...)
	}
	return b
}

// packedValues are the values of one attribute.
type packedValues string

func (p packedValues) next() (value string, rest packedValues) {
	length, width := uvarint(string(p))
	return string(p[width : width+length]), p[width+length:]
}

func (p packedValues) count() (n int) {
	for ; len(p) > 0; n++ {
		_, p = p.next()
	}
	return n
}

func uvarint(s string) (n, width int) {
	for shift := 0; ; shift += 7 {
		b := s[width]
		width++
		n |= int(b&0x7f) << shift
		if b < 0x80 {
			return n, width
		}
	}
}

func uvarintLength(n int) int {
	length := 1
	for ; n >= 0x80; n >>= 7 {
		length++
	}
	return length
}

// alike are attributes that mostly are the same in many entries.
var alike = []string{
	"objectClass", "objectCategory", "instanceType", "userAccountControl", "primaryGroupID", "sAMAccountType", "groupType", "codePage",
	"countryCode", "showInAdvancedViewOnly", "isCriticalSystemObject", "systemFlags",
}

// usual are values that are shared as long as an entry has them.
var usual = map[string]string{
	"badPwdCount": "0", "badPasswordTime": "0", "lastLogoff": "0", "lastLogon": "0", "pwdLastSet": "0", "logonCount": "0",
	"accountExpires": "9223372036854775807",
}

// shares tells whether these values are kept with those of other entries.
func (a *Attribute) shares(values [][]byte) bool {
	return a.alike || a.usual != "" && len(values) == 1 && string(values[0]) == a.usual
}

const descriptorName = "nTSecurityDescriptor"

// fill gives a new entry further values at once.
func (e *Entry) fill(attributes []*Attribute, values func(*Attribute) [][]byte) {
	var buffers [2][512]byte
	own, common := append(buffers[0][:0], e.own...), append(buffers[1][:0], e.shared()...)
	for _, a := range attributes {
		given := values(a)
		switch {
		case e.names(a):
		case a.Name == descriptorName:
			e.descriptor = given
		case a.shares(given):
			common = appendPacked(common, a, given)
		default:
			own = appendPacked(own, a, given)
		}
	}
	e.own, e.common = packed(own), unique.Make(packed(common))
}

// put replaces the values of an attribute that is not a link; none removes it.
func (e *Entry) put(a *Attribute, values [][]byte) {
	own, common := values, [][]byte(nil)
	switch {
	case e.names(a):
		return // its name says it
	case a.Name == descriptorName:
		e.descriptor = values
		return
	case a.shares(values):
		own, common = nil, values
	}
	if len(own) > 0 || e.own.find(a) != "" {
		e.own = e.own.with(a, own)
	}
	if shared := e.shared(); len(common) > 0 || shared.find(a) != "" {
		e.common = unique.Make(shared.with(a, common))
	}
}

func (e *Entry) shared() packed {
	if e.common == (unique.Handle[packed]{}) {
		return ""
	}
	return e.common.Value()
}

// stored returns the values of an attribute that is neither a link nor said by the name.
func (e *Entry) stored(a *Attribute) packedValues {
	if values := e.own.find(a); values != "" {
		return values
	}
	return e.shared().find(a)
}

// Firsts are the first values of attributes that are neither links nor in the name, in one pass over all that is stored.
func (e *Entry) Firsts(of []*Attribute) []string {
	firsts := make([]string, len(of))
	for _, p := range [...]packed{e.shared(), e.own} {
		for len(p) > 0 {
			var a *Attribute
			var values packedValues
			if a, values, p = p.next(); len(values) == 0 {
				continue
			}
			if i := slices.Index(of, a); i >= 0 {
				firsts[i], _ = values.next()
			}
		}
	}
	return firsts
}

// inOrder are the attributes that are stored or said by the name, objectClass first and then by name.
func (e *Entry) inOrder() []*Attribute {
	all := []*Attribute{mustAttribute("name"), mustAttribute("distinguishedName"), LookupAttribute(e.dn[0].Type)}
	for _, p := range []packed{e.shared(), e.own} {
		for len(p) > 0 {
			var a *Attribute
			a, _, p = p.next()
			all = append(all, a)
		}
	}
	if len(e.descriptor) > 0 {
		all = append(all, mustAttribute(descriptorName))
	}
	slices.SortFunc(all, byName)
	classes := mustAttribute("objectClass")
	i := slices.Index(all, classes)
	return append([]*Attribute{classes}, slices.Delete(all, i, i+1)...)
}

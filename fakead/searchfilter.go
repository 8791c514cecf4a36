package fakead

// The filter of a search request, RFC 4511 4.5.1.7, as package tree evaluates it.

import (
	"strings"

	"passback/fakead/tree"
)

// The identifiers of Filter's choices, and of what is inside of substrings and extensible matches.
const (
	filterAnd            = berContext | berConstructed // [0]
	filterOr             = berContext | berConstructed | 1
	filterNot            = berContext | berConstructed | 2
	filterEqual          = berContext | berConstructed | 3
	filterSubstrings     = berContext | berConstructed | 4
	filterGreaterOrEqual = berContext | berConstructed | 5
	filterLessOrEqual    = berContext | berConstructed | 6
	filterPresent        = berContext | 7
	filterApproximate    = berContext | berConstructed | 8 // a domain controller takes it for equal
	filterExtensible     = berContext | berConstructed | 9

	substringInitial = berContext // [0]
	substringAny     = berContext | 1
	substringFinal   = berContext | 2

	extensibleRule  = berContext | 1
	extensibleType  = berContext | 2
	extensibleValue = berContext | 3
	// dnAttributes, 4, is read and dropped: a domain controller does not match the components of names.
)

const maxFilterClauses = 20_000

// filterKinds are the choices that hold an attribute and a value.
var filterKinds = map[byte]tree.FilterKind{
	filterEqual: tree.FilterEqual, filterApproximate: tree.FilterEqual,
	filterGreaterOrEqual: tree.FilterGreaterOrEqual, filterLessOrEqual: tree.FilterLessOrEqual,
}

// decodeFilter reads a filter.
func decodeFilter(encoded []byte) (*tree.Filter, error) {
	d := filterDecoder{berReader: berReader{rest: encoded}}
	f := d.filter()
	if d.bad || d.more() {
		return nil, errUndecodable
	}
	return f, nil
}

type filterDecoder struct {
	berReader
	clauses int
}

// filter reads one clause, with those below it.
func (d *filterDecoder) filter() *tree.Filter {
	identifier, content := d.next()
	if d.clauses++; d.clauses > maxFilterClauses {
		d.fail()
	}
	f := &tree.Filter{}
	switch identifier {
	case filterAnd, filterOr, filterNot:
		f.Kind = map[byte]tree.FilterKind{filterAnd: tree.FilterAnd, filterOr: tree.FilterOr, filterNot: tree.FilterNot}[identifier]
		d.set(f, content)
	case filterEqual, filterApproximate, filterGreaterOrEqual, filterLessOrEqual:
		f.Kind = filterKinds[identifier]
		parts := berReader{rest: content}
		f.Attribute, f.Value = parts.text(), parts.take(berOctetString)
		d.bad = d.bad || parts.bad || parts.more() || !isDescription(f.Attribute)
	case filterSubstrings:
		d.substrings(f, content)
	case filterPresent:
		f.Kind, f.Attribute = tree.FilterPresent, string(content)
		d.bad = d.bad || !isDescription(f.Attribute)
	case filterExtensible:
		d.extensible(f, content)
	default:
		d.fail()
	}
	return f
}

// set reads the clauses of an and, an or or a not. None at all is true or false (RFC 4526).
func (d *filterDecoder) set(f *tree.Filter, content []byte) {
	inner := filterDecoder{berReader{rest: content}, d.clauses}
	for inner.more() {
		f.Children = append(f.Children, inner.filter())
	}
	d.clauses = inner.clauses
	if inner.bad || f.Kind == tree.FilterNot && len(f.Children) != 1 {
		d.fail()
	}
}

// substrings reads an initial part, any number in the middle and a final one. Between nothing and nothing is
// whatever is there.
func (d *filterDecoder) substrings(f *tree.Filter, content []byte) {
	outer := berReader{rest: content}
	f.Kind, f.Attribute = tree.FilterSubstrings, outer.text()
	list := outer.inside(berSequence)
	if !list.more() {
		d.fail()
	}
	f.Parts = [][]byte{nil}
	ended := false
	for list.more() {
		identifier, part := list.next()
		first := len(f.Parts) == 1 && f.Parts[0] == nil
		switch {
		case identifier == substringInitial && first:
			f.Parts[0] = part
		case (identifier == substringAny || identifier == substringFinal) && !ended:
			f.Parts = append(f.Parts, part)
			ended = identifier == substringFinal
		default:
			list.fail()
		}
	}
	if !ended {
		f.Parts = append(f.Parts, nil)
	}
	if len(f.Parts) == 2 && len(f.Parts[0])+len(f.Parts[1]) == 0 {
		f.Kind, f.Parts = tree.FilterPresent, nil
	}
	d.bad = d.bad || outer.bad || list.bad || outer.more() || !isDescription(f.Attribute)
}

// extensible reads a match by a rule, of an attribute or of none.
func (d *filterDecoder) extensible(f *tree.Filter, content []byte) {
	f.Kind = tree.FilterExtensible
	for parts := (berReader{rest: content}); parts.more(); {
		identifier, part := parts.next()
		switch identifier {
		case extensibleRule:
			f.Rule = string(part)
		case extensibleType:
			f.Attribute = string(part)
		case extensibleValue:
			f.Value = part
		}
		d.bad = d.bad || parts.bad
	}
	if f.Value == nil || f.Rule == "" && f.Attribute == "" || !isName(f.Rule) || !isName(f.Attribute) {
		d.fail()
	}
}

// isDescription tells whether s is a name, an OID, or either with options (RFC 4512 2.5).
func isDescription(s string) bool { return s != "" && isName(s) }

func isName(s string) bool {
	for _, c := range []byte(s) {
		letter, digit := c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9'
		if !letter && !digit && strings.IndexByte("-.;_", c) < 0 {
			return false
		}
	}
	return true
}

package tree

// Deciding whether an entry matches a filter (MS-ADTS 3.1.1.3.1.3, RFC 4511 4.5.1.7): true, false or undefined.
// A clause is undefined if the schema does not know its attribute, or if its syntax does not take the value or the
// operator. Of an attribute that is a secret or constructed it is false.

import (
	"strings"
)

type truth int8

const (
	undefined truth = iota
	no
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

type matcher func(*Entry) truth

func never(*Entry) truth { return undefined }

// A view is what a search may see: no filter finds hidden attributes, and an unreadable one of an entry counts as
// if it did not exist (MS-ADTS 3.1.1.4.3).
type view struct {
	hidden     func(*Attribute) bool
	unreadable func(*Entry, *Attribute) bool // nil: none
}

func (v view) of(a *Attribute, match matcher) matcher {
	if v.unreadable == nil {
		return match
	}
	return func(e *Entry) truth {
		result := match(e)
		if result == yes && v.unreadable(e, a) {
			return no
		}
		return result
	}
}

// matcher makes a filter ready for one search, in which the tree does not change.
func (t *Tree) matcher(f *Filter, v view) matcher {
	switch f.Kind {
	case FilterAnd:
		return all(t.matchers(f.Children, v), no, yes)
	case FilterOr:
		return all(t.matchers(f.Children, v), yes, no)
	case FilterNot:
		inner := t.matcher(f.Children[0], v)
		return func(e *Entry) truth { return [...]truth{undefined: undefined, no: yes, yes: no}[inner(e)] }
	}
	if strings.EqualFold(f.Attribute, "anr") {
		return t.matchANR(f, v)
	}
	a := LookupAttribute(f.Attribute)
	if f.Kind == FilterPresent && a != nil && a.Name == "objectClass" {
		return func(*Entry) truth { return yes } // every entry has one, and everyone may know
	}
	switch {
	case a == nil:
		return never
	case a.Constructed, a.NeverReadable, v.hidden(a): // no entry has one, as far as a filter can tell
		return func(*Entry) truth { return no }
	}
	return v.of(a, t.clause(f, a))
}

// clause is the test of one attribute.
func (t *Tree) clause(f *Filter, a *Attribute) matcher {
	switch f.Kind {
	case FilterPresent:
		return func(e *Entry) truth { return truthOf(e.count(a) > 0) }
	case FilterSubstrings:
		return matchSubstrings(a, f.Parts)
	case FilterGreaterOrEqual:
		return t.matchOrder(a, f.Value, 1)
	case FilterLessOrEqual:
		return t.matchOrder(a, f.Value, -1)
	case FilterExtensible:
		return t.matchRule(a, f)
	default:
		return t.matchEqual(a, f.Value)
	}
}

func (t *Tree) matchers(filters []*Filter, v view) []matcher {
	list := make([]matcher, len(filters))
	for i, f := range filters {
		list[i] = t.matcher(f, v)
	}
	return list
}

// all joins clauses: decisive ends the matter, undefined wins over otherwise.
func all(parts []matcher, decisive, otherwise truth) matcher {
	return func(e *Entry) truth {
		result := otherwise
		for _, part := range parts {
			switch part(e) {
			case decisive:
				return decisive
			case undefined:
				result = undefined
			}
		}
		return result
	}
}

func (t *Tree) matchEqual(a *Attribute, value []byte) matcher {
	if a.Link > 0 && a.Syntax == SyntaxDN {
		return t.matchLink(a, value)
	}
	key, ok := t.assertionKey(a, value)
	if !ok {
		return never
	}
	return func(e *Entry) truth { return truthOf(e.hasKey(a, key)) }
}

// assertionKey is the key that a value equal to the filter's has.
func (t *Tree) assertionKey(a *Attribute, value []byte) (string, bool) {
	switch {
	case a.Syntax == SyntaxOID:
		value = []byte(schemaName(string(value)))
	case a.Name == "objectCategory":
		if c := LookupClass(string(value)); c != nil {
			value = []byte(t.categoryDN(c.Category))
		}
	}
	if a.Syntax == SyntaxDN {
		value = t.plainDN(value)
	}
	stored, ok := a.Syntax.assertion(value, a)
	if !ok {
		return "", false
	}
	return a.Syntax.key(stored), true
}

// schemaName turns the OID of a class or an attribute into its name.
func schemaName(s string) string {
	if c := LookupClass(s); c != nil {
		return c.Name
	}
	if a := LookupAttribute(s); a != nil {
		return a.Name
	}
	return s
}

func (t *Tree) matchLink(a *Attribute, value []byte) matcher {
	target, err := t.Resolve(string(value))
	switch {
	case NoSuchObject(err):
		return func(*Entry) truth { return no }
	case err != nil:
		return never
	}
	return func(e *Entry) truth { return truthOf(contains(e.linked(a), target)) }
}

// matchOrder answers >= (sign 1) and <= (sign -1).
func (t *Tree) matchOrder(a *Attribute, value []byte, sign int) matcher {
	stored, ok := a.Syntax.assertion(value, a)
	if !ok || !a.Syntax.ordered() {
		return never
	}
	return func(e *Entry) truth {
		for _, v := range e.values(a) {
			if a.Syntax.compare(v, stored)*sign >= 0 {
				return yes
			}
		}
		return no
	}
}

func matchSubstrings(a *Attribute, parts [][]byte) matcher {
	if !a.Syntax.isText() {
		return never
	}
	keys := make([]string, len(parts))
	for i, part := range parts {
		keys[i] = a.Syntax.key(part)
	}
	return func(e *Entry) truth {
		for v := range e.texts(a) {
			if hasParts(a.Syntax.keyText(v), keys) {
				return yes
			}
		}
		return no
	}
}

func hasParts(s string, parts []string) bool {
	last := len(parts) - 1
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1:last] {
		if _, s, ok = strings.Cut(s, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(s, parts[last])
}

// matchANR is ambiguous name resolution (MS-ADTS 3.1.1.3.1.3.4): the beginning of any name of a person, or
// given name and surname in either order.
func (t *Tree) matchANR(f *Filter, v view) matcher {
	if f.Kind != FilterEqual {
		return never
	}
	value, exact := strings.CutPrefix(string(f.Value), "=")
	either := &Filter{Kind: FilterOr}
	for _, a := range Attributes() {
		if a.ANR && a.Syntax.isText() {
			either.Children = append(either.Children, startsWith(a.Name, value, exact))
		}
	}
	if first, second, ok := strings.Cut(value, " "); ok {
		for _, pair := range [][2]string{{first, second}, {second, first}} {
			either.Children = append(either.Children, &Filter{Kind: FilterAnd, Children: []*Filter{
				startsWith("givenName", pair[0], exact), startsWith("sn", pair[1], exact),
			}})
		}
	}
	return t.matcher(either, v)
}

func startsWith(attribute, value string, exact bool) *Filter {
	if exact {
		return &Filter{Kind: FilterEqual, Attribute: attribute, Value: []byte(value)}
	}
	return &Filter{Kind: FilterSubstrings, Attribute: attribute, Parts: [][]byte{[]byte(value), nil}}
}

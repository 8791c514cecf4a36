package tree

import (
	"iter"
	"slices"
	"strconv"
	"strings"
)

// An Entry is one object. It is read with Get and its kin, and changed by Tree.Plan and Tree.Set only.
type Entry struct {
	dn         DN
	parent     *Entry // nil for the head of a naming context
	children   []*Entry
	attributes []stored
	links      map[*Attribute][]*Entry // forward links
	backLinks  map[*Attribute][]*Entry // by the back link's attribute; each is in order of linking
	serial     int64
	head       bool
}

// stored is an attribute that is not a link, with its values in their stored form.
type stored struct {
	attribute *Attribute
	values    [][]byte
}

// A Value is an attribute by name with its values, as a client gives it and as Entry.All returns it.
type Value struct {
	Name   string
	Values [][]byte
}

// Strings makes a Value of strings.
func Strings(name string, values ...string) Value {
	v := Value{Name: name, Values: make([][]byte, len(values))}
	for i, s := range values {
		v.Values[i] = []byte(s)
	}
	return v
}

// DN is the entry's distinguished name.
func (e *Entry) DN() DN { return e.dn }

// Parent is the entry above it in the same naming context, or nil.
func (e *Entry) Parent() *Entry { return e.parent }

// IsHead tells whether the entry is the head of a naming context.
func (e *Entry) IsHead() bool { return e.head }

// HasChildren tells whether entries lie below it.
func (e *Entry) HasChildren() bool { return len(e.children) > 0 }

// GUID is the entry's objectGUID.
func (e *Entry) GUID() GUID { return GUID([]byte(e.First("objectGUID"))) }

// SID is the entry's objectSid, empty for what is not a security principal.
func (e *Entry) SID() SID { return SID(e.First("objectSid")) }

// Get returns the values of a stored attribute or link, nil if there are none or the schema lacks it.
func (e *Entry) Get(name string) [][]byte {
	a := LookupAttribute(name)
	if a == nil {
		return nil
	}
	return e.values(a)
}

// First returns the first value, or nothing.
func (e *Entry) First(name string) string {
	if values := e.Get(name); len(values) > 0 {
		return string(values[0])
	}
	return ""
}

// Int returns the value of a number; false if there is none.
func (e *Entry) Int(name string) (int64, bool) {
	n, err := strconv.ParseInt(e.First(name), 10, 64)
	return n, err == nil
}

// Has tells whether one of the values equals value, compared as the attribute's syntax demands.
func (e *Entry) Has(name, value string) bool {
	a := LookupAttribute(name)
	if a == nil {
		return false
	}
	key := a.Syntax.key([]byte(value))
	return slices.ContainsFunc(e.values(a), func(v []byte) bool { return a.Syntax.key(v) == key })
}

// IsA tells whether the entry is of a class, or of one below it.
func (e *Entry) IsA(class string) bool {
	return slices.ContainsFunc(e.Get("objectClass"), func(v []byte) bool { return strings.EqualFold(string(v), class) })
}

// Class is the most specific structural class.
func (e *Entry) Class() *Class {
	values := e.Get("objectClass")
	if len(values) == 0 {
		return nil
	}
	return LookupClass(string(values[len(values)-1]))
}

// Linked returns the entries that a link or a back link names.
func (e *Entry) Linked(name string) []*Entry {
	a := LookupAttribute(name)
	switch {
	case a == nil:
		return nil
	case a.IsLink():
		return e.links[a]
	default:
		return e.backLinks[a]
	}
}

// All returns every attribute that has values: the stored ones, then links and back links.
func (e *Entry) All() iter.Seq2[*Attribute, [][]byte] {
	return func(yield func(*Attribute, [][]byte) bool) {
		for _, s := range e.attributes {
			if !yield(s.attribute, s.values) {
				return
			}
		}
		for _, linked := range []map[*Attribute][]*Entry{e.links, e.backLinks} {
			for _, a := range sortedKeys(linked) {
				if !yield(a, names(linked[a])) {
					return
				}
			}
		}
	}
}

func sortedKeys(linked map[*Attribute][]*Entry) []*Attribute {
	keys := make([]*Attribute, 0, len(linked))
	for a := range linked {
		keys = append(keys, a)
	}
	slices.SortFunc(keys, byName)
	return keys
}

func names(entries []*Entry) [][]byte {
	values := make([][]byte, len(entries))
	for i, e := range entries {
		values[i] = []byte(e.dn.String())
	}
	return values
}

func (e *Entry) values(a *Attribute) [][]byte {
	if linked := e.linked(a); len(linked) > 0 {
		return names(linked)
	}
	if i := e.position(a); i >= 0 {
		return e.attributes[i].values
	}
	return nil
}

// count is len(values(a)) without making them.
func (e *Entry) count(a *Attribute) int {
	if i := e.position(a); i >= 0 {
		return len(e.attributes[i].values)
	}
	return len(e.linked(a))
}

func (e *Entry) linked(a *Attribute) []*Entry {
	switch {
	case a.IsLink():
		return e.links[a]
	case a.IsBackLink():
		return e.backLinks[a]
	default:
		return nil
	}
}

func (e *Entry) position(a *Attribute) int {
	return slices.IndexFunc(e.attributes, func(s stored) bool { return s.attribute == a })
}

// put replaces the values of an attribute that is not a link; none removes it.
func (e *Entry) put(a *Attribute, values [][]byte) {
	i := e.position(a)
	switch {
	case i >= 0 && len(values) == 0:
		e.attributes = slices.Delete(e.attributes, i, i+1)
	case i >= 0:
		e.attributes[i].values = values
	case len(values) > 0:
		e.attributes = append(e.attributes, stored{a, values})
	}
}

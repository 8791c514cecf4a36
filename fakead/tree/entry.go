package tree

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"unique"
)

// An Entry is one object. It is read with Get and its kin, and changed by Tree.Plan and Tree.Set only.
type Entry struct {
	dn         DN
	parent     *Entry // nil for the head of a naming context
	children   []*Entry
	own        packed                  // attributes that are no links, with their values
	common     unique.Handle[packed]   // those whose values many entries have
	descriptor [][]byte                // nTSecurityDescriptor, which entries share
	links      map[*Attribute][]*Entry // forward links
	backLinks  map[*Attribute][]*Entry // by the back link's attribute; each is in order of linking
	writes     writes                  // written.go
	linkWrites map[LinkValue]Write     // the same, nil: none
	serial     int64
	head       bool
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
	a := LookupAttribute(name)
	if a == nil {
		return ""
	}
	for v := range e.texts(a) {
		return v
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
	return e.hasKey(a, a.Syntax.keyText(value))
}

func (e *Entry) hasKey(a *Attribute, key string) bool {
	for v := range e.texts(a) {
		if a.Syntax.keyText(v) == key {
			return true
		}
	}
	return false
}

// IsA tells whether the entry is of a class, or of one below it.
func (e *Entry) IsA(class string) bool {
	for name := range e.texts(mustAttribute("objectClass")) {
		if strings.EqualFold(name, class) {
			return true
		}
	}
	return false
}

// Class is the most specific structural class.
func (e *Entry) Class() *Class {
	last := ""
	for name := range e.texts(mustAttribute("objectClass")) {
		last = name
	}
	return LookupClass(last)
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
		for _, a := range e.inOrder() {
			if !yield(a, e.values(a)) {
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
	if a.Name == descriptorName {
		return e.descriptor
	}
	var values [][]byte
	for v := range e.texts(a) {
		values = append(values, []byte(v))
	}
	return values
}

// texts are the values of an attribute.
func (e *Entry) texts(a *Attribute) iter.Seq[string] {
	return func(yield func(string) bool) {
		switch {
		case a.Link > 0 && (a.IsLink() || a.IsBackLink()):
			for _, other := range e.linked(a) {
				if !yield(other.dn.String()) {
					return
				}
			}
		case e.names(a):
			yield(e.said(a))
		case a.Name == descriptorName:
			for _, v := range e.descriptor {
				if !yield(string(v)) {
					return
				}
			}
		default:
			for values := e.stored(a); len(values) > 0; {
				var v string
				if v, values = values.next(); !yield(v) {
					return
				}
			}
		}
	}
}

// names tells whether the entry's name says what an attribute is.
func (e *Entry) names(a *Attribute) bool { return a.inName || strings.EqualFold(a.Name, e.dn[0].Type) }

func (e *Entry) said(a *Attribute) string {
	if a.Name == "distinguishedName" {
		return e.dn.String()
	}
	return e.dn[0].Value
}

// count is how many values there are, without making them.
func (e *Entry) count(a *Attribute) int {
	switch {
	case a.IsLink(), a.IsBackLink():
		return len(e.linked(a))
	case e.names(a):
		return 1
	case a.Name == descriptorName:
		return len(e.descriptor)
	default:
		return e.stored(a).count()
	}
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

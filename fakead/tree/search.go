package tree

import (
	"cmp"
	"iter"
	"slices"
)

// A Query selects entries.
type Query struct {
	Base    *Entry
	Scope   Scope
	Filter  *Filter
	Deleted bool                  // tombstones too
	Hidden  func(*Attribute) bool // further attributes that no filter finds; default: none
	// Unreadable attributes of an entry count as if the entry did not have them; default: none.
	Unreadable func(*Entry, *Attribute) bool
}

// Search returns the entries that match, parents before what lies below them. The tree must not change while
// the sequence is read.
func (t *Tree) Search(q Query) iter.Seq[*Entry] {
	match := t.Matcher(q)
	return func(yield func(*Entry) bool) {
		for e := range t.candidates(q) {
			if match(e) && !yield(e) {
				return
			}
		}
	}
}

// Matcher tells whether the filter finds an entry, wherever it lies.
func (t *Tree) Matcher(q Query) func(*Entry) bool {
	match := t.matcher(q.Filter, q.view())
	return func(e *Entry) bool { return match(e) == yes }
}

func (q Query) view() view {
	v := view{hidden: q.Hidden, unreadable: q.Unreadable}
	if v.hidden == nil {
		v.hidden = func(*Attribute) bool { return false }
	}
	return v
}

// candidates are the entries in scope, or fewer if an index knows better.
func (t *Tree) candidates(q Query) iter.Seq[*Entry] {
	if !q.Deleted {
		return t.living(q)
	}
	return func(yield func(*Entry) bool) {
		for _, some := range []iter.Seq[*Entry]{t.living(q), t.deleted(q.Base, q.Scope)} {
			for e := range some {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// living are the candidates that are no tombstones.
func (t *Tree) living(q Query) iter.Seq[*Entry] {
	found, ok := t.fromIndex(q.Filter)
	if !ok || q.Scope == BaseObject {
		return t.Walk(q.Base, q.Scope)
	}
	slices.SortFunc(found, bySerial)
	return func(yield func(*Entry) bool) {
		for _, e := range slices.Compact(found) {
			if e.within(q.Base, q.Scope) && !yield(e) {
				return
			}
		}
	}
}

func bySerial(a, b *Entry) int { return cmp.Compare(a.serial, b.serial) }

// fromIndex returns a superset of the entries that match; false if no index helps.
func (t *Tree) fromIndex(f *Filter) ([]*Entry, bool) {
	switch f.Kind {
	case FilterAnd:
		for _, child := range f.Children {
			if found, ok := t.fromIndex(child); ok {
				return found, true
			}
		}
	case FilterOr:
		return t.fromIndexes(f.Children)
	case FilterEqual:
		return t.fromEquality(f)
	}
	return nil, false
}

func (t *Tree) fromIndexes(filters []*Filter) ([]*Entry, bool) {
	var union []*Entry
	for _, f := range filters {
		found, ok := t.fromIndex(f)
		if !ok {
			return nil, false
		}
		union = append(union, found...)
	}
	return union, true
}

func (t *Tree) fromEquality(f *Filter) ([]*Entry, bool) {
	a := LookupAttribute(f.Attribute)
	if a == nil {
		return nil, false
	}
	if t.indexes[a] == nil {
		return nil, false
	}
	key, ok := t.assertionKey(a, f.Value)
	if !ok {
		return nil, true
	}
	return t.indexes[a].find(key), true
}

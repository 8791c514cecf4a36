package tree

// How entries are named: by DN, or by one of the extended forms of MS-ADTS 3.1.1.3.1.2.4.

import (
	"errors"
	"iter"
	"slices"
	"strings"
)

// Resolve finds the entry that a client names: by DN, <GUID=...>, <SID=...> or <WKGUID=...,DN>. Its error is an
// *Error, with the nearest ancestor that exists.
func (t *Tree) Resolve(name string) (*Entry, error) {
	if form, value, ok := extendedForm(name); ok {
		e, wellFormed := t.extended(form, value)
		switch {
		case !wellFormed:
			return nil, errBadName.near(nil)
		case e == nil:
			return nil, errNoObject.near(nil)
		default:
			return e, nil
		}
	}
	dn, err := ParseDN(name)
	if err != nil {
		return nil, errBadName.near(nil)
	}
	if e := t.Find(dn); e != nil {
		return e, nil
	}
	return nil, errNoObject.near(t.nearest(dn))
}

// Missing is the error of Resolve for a name of nothing.
func (t *Tree) Missing(dn DN) error { return errNoObject.near(t.nearest(dn)) }

// Buried is the error of Resolve for what is deleted, as far as who does not ask for that is concerned.
func (t *Tree) Buried(e *Entry) error { return errNoObject.near(e.dn) }

// NoParent is what ModifyDN answers for an error of Resolve about the new superior.
func (t *Tree) NoParent(err error) error {
	if NoSuchObject(err) {
		return errNoParent.about(nil)
	}
	return err
}

// NoSuchObject tells whether an error of Resolve means a well-formed name of nothing.
func NoSuchObject(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == errNoObject.Code
}

// nearest is the name of the nearest ancestor that exists, the root's if none does.
func (t *Tree) nearest(dn DN) DN {
	for len(dn) > 0 {
		dn = dn.Parent()
		if t.Find(dn) != nil {
			break
		}
	}
	return dn
}

func extendedForm(name string) (form, value string, ok bool) {
	name = strings.TrimSpace(name)
	if !strings.HasPrefix(name, "<") || !strings.HasSuffix(name, ">") {
		return "", "", false
	}
	form, value, ok = strings.Cut(name[1:len(name)-1], "=")
	return strings.ToUpper(form), value, ok
}

func (t *Tree) extended(form, value string) (e *Entry, wellFormed bool) {
	switch form {
	case "GUID":
		if g, err := ParseGUID(value); err == nil && len(value) != len(g) {
			return t.ByGUID(g), true
		}
	case "SID":
		if sid, err := ParseSID(value); err == nil {
			return t.BySID(sid), true
		}
	case "WKGUID":
		if id, base, ok := strings.Cut(value, ","); ok {
			return t.wellKnown(id, base), true
		}
	}
	return nil, false
}

// wellKnown follows wellKnownObjects and otherWellKnownObjects, whose values are B:32:<digits>:<DN>.
func (t *Tree) wellKnown(id, base string) *Entry {
	dn, err := ParseDN(base)
	head := t.Find(dn)
	if err != nil || head == nil {
		return nil
	}
	for _, attribute := range []string{"wellKnownObjects", "otherWellKnownObjects"} {
		for _, value := range head.Get(attribute) {
			parts := strings.SplitN(string(value), ":", 4)
			if len(parts) != 4 || !strings.EqualFold(parts[2], id) {
				continue
			}
			if target, err := ParseDN(parts[3]); err == nil {
				return t.Find(target)
			}
		}
	}
	return nil
}

// A Scope tells how far a search goes, with the numbers of RFC 4511.
type Scope int

// The scopes of a search.
const (
	BaseObject Scope = iota
	SingleLevel
	WholeSubtree
)

// Walk visits the entries of a scope within one naming context, parents first.
func (t *Tree) Walk(base *Entry, scope Scope) iter.Seq[*Entry] {
	if t.later != nil && base == t.later.head && scope != BaseObject {
		t.complete()
	}
	return func(yield func(*Entry) bool) {
		switch scope {
		case BaseObject:
			yield(base)
		case SingleLevel:
			for _, child := range base.children {
				if !yield(child) {
					return
				}
			}
		default:
			walk(base, yield)
		}
	}
}

func walk(e *Entry, yield func(*Entry) bool) bool {
	if !yield(e) {
		return false
	}
	for _, child := range e.children {
		if !walk(child, yield) {
			return false
		}
	}
	return true
}

// within tells whether e is in the scope of base.
func (e *Entry) within(base *Entry, scope Scope) bool {
	switch scope {
	case BaseObject:
		return e == base
	case SingleLevel:
		return e.parent == base
	default:
		for ; e != nil; e = e.parent {
			if e == base {
				return true
			}
		}
		return false
	}
}

// Heads are the heads of the naming contexts, in the order in which they were made.
func (t *Tree) Heads() []*Entry { return slices.Clip(t.heads) }

// Subordinates are the heads of the naming contexts that lie directly below e's.
func (t *Tree) Subordinates(e *Entry) []*Entry {
	var below []*Entry
	for _, head := range t.heads {
		if head.dn.Parent().Equal(e.dn) {
			below = append(below, head)
		}
	}
	return below
}

// Holds tells whether a name lies in one of the naming contexts.
func (t *Tree) Holds(dn DN) bool {
	for len(dn) > 0 {
		if e := t.Find(dn); e != nil && e.head {
			return true
		}
		dn = dn.Parent()
	}
	return false
}

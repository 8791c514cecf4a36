package tree

// Renaming and moving entries (MS-ADTS 3.1.1.5.4). An entry keeps all but its name; what lies below it goes along, and
// values that name either follow. Left out on purpose: moves between domains.

import (
	"strconv"
)

// Bits of systemFlags that hold an entry in its place (MS-ADTS 2.2.10).
const (
	domainDisallowRename = 0x08000000
	domainDisallowMove   = 0x04000000
	configAllowRename    = 0x40000000
	configAllowMove      = 0x20000000
	configLimitedMove    = 0x10000000 // to a place below the same grandparent
)

// Rename gives e another name, another parent, or both. Its error is an *Error.
func (t *Tree) Rename(e *Entry, rdn RDN, parent *Entry) error {
	if err := t.judgeMove(e, parent); err != nil {
		return err
	}
	if err := t.judgeFlags(e, rdn, parent); err != nil {
		return err
	}
	if err := t.judgeRDN(e, rdn, parent); err != nil {
		return err
	}
	renames := rdn.Value != e.dn[0].Value
	t.Move(e, rdn, parent)
	if renames {
		t.count(e, LookupAttribute(rdn.Type))
	}
	t.count(e, mustAttribute("name"))
	if t.journal != nil {
		t.journal.Renamed(e)
	}
	return nil
}

// Move is Rename unjudged and untold: of what another domain controller did, or what follows from that.
func (t *Tree) Move(e *Entry, rdn RDN, parent *Entry) {
	before := e.dn
	if parent != e.parent {
		e.parent.children = without(e.parent.children, e)
		parent.children = append(parent.children, e)
		e.parent = parent
	}
	name := LookupAttribute(rdn.Type)
	t.store(e, name, Strings("", rdn.Value).Values)
	t.store(e, mustAttribute("name"), Strings("", rdn.Value).Values)
	t.rename(e, parent.dn.Child(canonicalRDNType(rdn.Type), rdn.Value))
	t.follow(before, e.dn)
	t.touch(e)
}

// judgeMove judges the entry and its new parent.
func (t *Tree) judgeMove(e, parent *Entry) error {
	system := t.base.Child("CN", "System")
	switch {
	case e.head:
		return errMoveOfHead.about(nil)
	case parent.within(e, WholeSubtree):
		if err := judgeStructure(&Entry{dn: parent.dn.Child(e.dn[0].Type, e.dn[0].Value), parent: parent}, e.Class()); err != nil {
			return err // what may not lie there at all
		}
		return errIllegalChange.about(nil)
	case e.First("isDeleted") == "TRUE", t.context(e) != t.context(parent):
		return errIllegalChange.about(nil)
	case e.dn.Under(system) != parent.dn.Under(system):
		return errSystemContainer.about(nil)
	default:
		return nil
	}
}

// judgeFlags holds what systemFlags say, which means something else in each kind of naming context.
func (t *Tree) judgeFlags(e *Entry, rdn RDN, parent *Entry) error {
	flags, _ := strconv.ParseInt(e.First("systemFlags"), 10, 64)
	renames, moves := rdn.Value != e.dn[0].Value, parent != e.parent
	switch t.context(e).dn.key() {
	case t.base.key():
		if renames && flags&domainDisallowRename != 0 || moves && flags&domainDisallowMove != 0 {
			return errMoveByFlag.about(nil)
		}
	case t.SchemaDN().key():
		if moves {
			return errMoveInSchema.about(nil)
		}
	default:
		limited := flags&configLimitedMove != 0
		switch {
		case renames && flags&configAllowRename == 0, moves && flags&configAllowMove == 0 && !limited:
			return errMoveByFlag.about(nil)
		case moves && flags&configAllowMove == 0 && parent.parent != e.parent.parent:
			return errWrongGrandparent.about(nil)
		}
	}
	return nil
}

// judgeRDN holds the schema's rules, and that no two entries have one name.
func (t *Tree) judgeRDN(e *Entry, rdn RDN, parent *Entry) error {
	if LookupAttribute(rdn.Type) != LookupAttribute(e.dn[0].Type) {
		return errRDNOfAnotherType.about(nil)
	}
	place := &Entry{dn: parent.dn.Child(rdn.Type, rdn.Value), parent: parent}
	if err := judgeStructure(place, e.Class()); err != nil {
		return err
	}
	if a := LookupAttribute(rdn.Type); !a.inRange([]byte(rdn.Value)) {
		return outOfRange(a)
	}
	if other := t.Find(place.dn); other != nil && other != e {
		return errEntryExists.near(nil)
	}
	return nil
}

// context is the head of the naming context that e lies in.
func (t *Tree) context(e *Entry) *Entry {
	for e.parent != nil {
		e = e.parent
	}
	return e
}

// rename changes the name of e, and with it those of all below.
func (t *Tree) rename(e *Entry, dn DN) {
	delete(t.byDN, e.dn.key())
	e.dn = dn
	t.byDN[dn.key()] = e
	t.store(e, mustAttribute("distinguishedName"), Strings("", dn.String()).Values)
	for _, child := range e.children {
		t.rename(child, dn.Child(child.dn[0].Type, child.dn[0].Value))
	}
}

// follow changes the values that name an entry at or below a name that has changed. Links need no change. As every
// domain controller does it by itself, it is no change of the entries that hold them.
func (t *Tree) follow(before, after DN) {
	var named []*Attribute
	for _, a := range Attributes() {
		if a.Syntax == SyntaxDN && a.Link == 0 && !a.Constructed && a.Name != "distinguishedName" {
			named = append(named, a)
		}
	}
	for _, e := range t.byDN {
		for _, a := range named {
			if values, moved := followed(e.values(a), before, after); moved {
				t.store(e, a, values)
			}
		}
	}
}

func followed(values [][]byte, before, after DN) (now [][]byte, moved bool) {
	now = make([][]byte, len(values))
	for i, v := range values {
		now[i] = v
		if dn, err := ParseDN(string(v)); err == nil && dn.Under(before) {
			moved = true
			rest := dn[:len(dn)-len(before)]
			now[i] = []byte(append(rest[:len(rest):len(rest)], after...).String())
		}
	}
	return now, moved
}

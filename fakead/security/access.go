package security

// The access check of MS-ADTS 5.1.3.3: who asks (a Token), and what a descriptor grants to them (Grants).

import (
	"slices"

	"passback/fakead/tree"
)

// A Token is the identifiers of a caller: their own, their groups', and those that every caller over the network
// has. It keeps what it has worked out, and is for one goroutine at a time.
type Token struct {
	sids   map[tree.SID]bool
	order  []tree.SID
	grants map[grantsKey]*Grants
	// Privileged callers, members of Administrators, hold SeSecurityPrivilege, SeTakeOwnershipPrivilege and
	// SeRestorePrivilege.
	Privileged bool
}

type grantsKey struct {
	descriptor *Descriptor
	self       bool
}

const maxGrants = 4096 // that a token keeps

// NewToken makes the token of a caller with these identifiers.
func NewToken(sids ...tree.SID) *Token {
	t := tokenOf(append(slices.Clone(sids), Everyone, AuthenticatedUsers, Network, ThisOrganization))
	t.Privileged = t.sids[Administrators]
	return t
}

func tokenOf(sids []tree.SID) *Token {
	t := &Token{sids: make(map[tree.SID]bool, len(sids)), order: sids, grants: map[grantsKey]*Grants{}}
	for _, sid := range sids {
		t.sids[sid] = true
	}
	return t
}

// AnonymousToken is that of a caller who has not bound. Everyone does not include them (Windows Server 2003 and later).
func AnonymousToken() *Token {
	return tokenOf([]tree.SID{Anonymous, Network})
}

// Identifiers are the caller's, their own first.
func (t *Token) Identifiers() []tree.SID { return t.order }

// Has tells whether an identifier is the caller's.
func (t *Token) Has(sid tree.SID) bool { return t.sids[sid] }

// HasBinary is Has of an identifier as it is stored.
func (t *Token) HasBinary(sid []byte) bool { return t.sids[tree.SID(sid)] }

// Grants are what one descriptor says about one caller.
type Grants struct {
	always Mask  // granted whatever the rights are to
	aces   []ACE // those that apply, in order
}

// To returns what d grants to the caller. self is whether the object is the caller's own.
func (t *Token) To(d *Descriptor, self bool) *Grants {
	key := grantsKey{d, self}
	g := t.grants[key]
	if g == nil {
		if len(t.grants) >= maxGrants {
			clear(t.grants)
		}
		g = t.evaluate(d, self)
		t.grants[key] = g
	}
	return g
}

func (t *Token) evaluate(d *Descriptor, self bool) *Grants {
	g := &Grants{}
	if t.Privileged {
		g.always |= AccessSystem | WriteOwner
	}
	if d.DACL == nil {
		g.always |= FullControl
		return g
	}
	owner, ownerRights := d.Owner != "" && t.Has(d.Owner), false
	for _, a := range d.DACL.ACEs {
		if a.Flags&InheritOnly != 0 || a.Type.audits() {
			continue
		}
		ownerRights = ownerRights || a.SID == OwnerRights
		if t.Has(a.SID) || self && a.SID == Self || owner && a.SID == OwnerRights {
			a.Mask = a.Mask.specific()
			g.aces = append(g.aces, a)
		}
	}
	if owner && !ownerRights {
		g.always |= ReadControl | WriteDAC
	}
	denied := Mask(0)
	for _, a := range g.aces {
		switch {
		case a.Type.denies():
			denied |= a.Mask
		case a.Object == tree.GUID{}:
			g.always |= a.Mask &^ denied
		}
	}
	return g
}

// Everywhere tells whether all of the rights are granted whatever they are to: no ACE denies one of them for a type.
func (g *Grants) Everywhere(want Mask) bool { return want&^g.always == 0 }

// Has tells whether all of the rights are granted. The types are what they are to, from the class of the object
// down: a property set and an attribute, an extended right, a class of children. An ACE counts if it names one of
// them, or none.
func (g *Grants) Has(want Mask, types ...tree.GUID) bool {
	want &^= g.always
	if want == 0 {
		return true
	}
	for _, a := range g.aces {
		if a.Mask&want == 0 || a.Object != (tree.GUID{}) && !slices.Contains(types, a.Object) {
			continue
		}
		if a.Type.denies() {
			return false
		}
		if want &^= a.Mask; want == 0 {
			return true
		}
	}
	return false
}

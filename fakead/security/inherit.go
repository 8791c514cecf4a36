package security

// How an object comes by its descriptor (MS-DTYP 2.5.3.4): what its maker wrote, or else what its class gives, and
// what the parent hands down. Every object of a directory is a container.

import (
	"slices"

	"passback/fakead/tree"
)

// A Maker is who made an object.
type Maker struct{ Owner, Group tree.SID }

// New returns the descriptor of a new object: explicit holds its own ACEs, those of its class or of its maker's
// writing; a missing owner or group is the maker's. parent is nil for the head of a naming context.
func New(parent, explicit *Descriptor, class tree.GUID, maker Maker) *Descriptor {
	d := *explicit
	if d.Owner == "" {
		d.Owner = maker.Owner
	}
	if d.Group == "" {
		d.Group = maker.Group
	}
	if d.DACL == nil {
		d.DACL = &ACL{}
	}
	d.DACL = d.own(d.DACL, d.Control&DACLProtected != 0)
	if d.SACL != nil {
		d.SACL = d.own(d.SACL, d.Control&SACLProtected != 0)
	}
	return d.Inherit(parent, class)
}

// own makes the explicit ACEs of a list count: generic rights and creators are replaced, denials come first. What
// says of itself that it is inherited goes, unless inheritance is blocked, where it has become the object's own.
func (d *Descriptor) own(list *ACL, protected bool) *ACL {
	var denials, others []ACE
	for _, a := range list.ACEs {
		if a.Flags&Inherited != 0 && !protected {
			continue
		}
		a.Flags &^= Inherited
		for _, one := range d.effective(a) {
			if one.Type.denies() {
				denials = append(denials, one)
			} else {
				others = append(others, one)
			}
		}
	}
	return &ACL{ACEs: append(denials, others...)}
}

// effective replaces what stands for something else in an ACE that counts here. One that is handed down too is
// split: the part that is handed down stays as it is.
func (d *Descriptor) effective(a ACE) []ACE {
	if a.Flags&InheritOnly != 0 {
		return []ACE{a}
	}
	here := a
	here.Mask = a.Mask.specific()
	switch a.SID {
	case CreatorOwner:
		here.SID = d.Owner
	case CreatorGroup:
		here.SID = d.Group
	}
	if here == a || a.Flags&inheritance == 0 {
		return []ACE{here}
	}
	here.Flags &^= inheritance
	a.Flags |= InheritOnly
	return []ACE{here, a}
}

// Rewrite returns d without those of its own ACEs that drop names, and with others. Denials come first.
func (d *Descriptor) Rewrite(drop func(ACE) bool, add ...ACE) *Descriptor {
	made := *d
	var denials, others, inherited []ACE
	if d.DACL != nil {
		add = append(slices.DeleteFunc(slices.Clone(d.DACL.ACEs), func(a ACE) bool { return a.Flags&Inherited == 0 && drop(a) }), add...)
	}
	for _, a := range add {
		switch {
		case a.Flags&Inherited != 0:
			inherited = append(inherited, a)
		case a.Type.denies():
			denials = append(denials, a)
		default:
			others = append(others, a)
		}
	}
	made.DACL = &ACL{ACEs: slices.Concat(denials, others, inherited)}
	return &made
}

// Inherit returns d with its inherited ACEs made anew: those of parent, where inheritance is not blocked. It
// returns d itself if nothing changes.
func (d *Descriptor) Inherit(parent *Descriptor, class tree.GUID) *Descriptor {
	made := *d
	if parent == nil {
		parent = &Descriptor{}
	}
	if d.Control&DACLProtected == 0 && d.DACL != nil {
		made.DACL = d.inherit(d.DACL, parent.DACL, class)
	}
	if d.Control&SACLProtected == 0 {
		if made.SACL = d.inherit(d.SACL, parent.SACL, class); d.SACL == nil && len(made.SACL.ACEs) == 0 {
			made.SACL = nil
		}
	}
	made.Control |= DACLAutoInherited
	if made.SACL != nil {
		made.Control |= SACLAutoInherited
	}
	if made.Equal(d) {
		return d
	}
	return &made
}

func (d *Descriptor) inherit(list, parent *ACL, class tree.GUID) *ACL {
	made := &ACL{}
	if list != nil {
		made.ACEs = slices.DeleteFunc(slices.Clone(list.ACEs), func(a ACE) bool { return a.Flags&Inherited != 0 })
	}
	if parent == nil {
		return made
	}
	for _, a := range parent.ACEs {
		if child, ok := a.handedDown(class); ok {
			made.ACEs = append(made.ACEs, d.effective(child)...)
		}
	}
	return made
}

// handedDown is the ACE as an object of that class below inherits it.
func (a ACE) handedDown(class tree.GUID) (ACE, bool) {
	applies := a.Flags&ContainerInherit != 0 && (a.InheritedBy == tree.GUID{} || a.InheritedBy == class)
	passes := a.Flags&(ContainerInherit|ObjectInherit) != 0 && a.Flags&NoPropagateInherit == 0
	if !applies && !passes {
		return a, false
	}
	a.Flags |= Inherited
	a.Flags &^= InheritOnly
	if !applies {
		a.Flags |= InheritOnly
	}
	if !passes {
		a.Flags &^= inheritance
	}
	return a, true
}

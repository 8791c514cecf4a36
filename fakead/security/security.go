// Package security is the security descriptors of directory objects: their binary form and SDDL (MS-DTYP 2.4 and
// 2.5.1), how an object comes by one (MS-DTYP 2.5.3.4, MS-ADTS 6.1.3), and what it grants to whom (MS-ADTS 5.1.3).
// It knows nothing of LDAP and of where descriptors are kept. A Descriptor is not changed once it is made.
//
// Left out on purpose: conditional, mandatory-label, resource and alarm ACEs, which a directory has no use for;
// auditing (a SACL is kept, inherited and never acted on).
package security

import (
	"slices"

	"passback/fakead/tree"
)

// A Control is the Control field of a SECURITY_DESCRIPTOR (MS-DTYP 2.4.6). Which parts are present is told by them.
type Control uint16

// Control bits. Those of a SACL are the DACL's times two; the others only say where a part came from.
const (
	daclPresent       Control = 0x0004
	saclPresent       Control = 0x0010
	DACLAutoInherited Control = 0x0400 // "AI": inheritance has been worked out
	SACLAutoInherited Control = 0x0800
	DACLProtected     Control = 0x1000 // "P": the parent's ACEs are not inherited
	SACLProtected     Control = 0x2000
	selfRelative      Control = 0x8000

	daclInheritRequired Control = 0x0100 // "AR"
	saclInheritRequired Control = 0x0200

	keptControl = DACLAutoInherited | SACLAutoInherited | DACLProtected | SACLProtected | daclInheritRequired | saclInheritRequired
)

// A Descriptor is a security descriptor.
type Descriptor struct {
	Control Control
	Owner   tree.SID // empty: none
	Group   tree.SID
	DACL    *ACL // nil: none, which grants everything to everyone
	SACL    *ACL
}

// An ACL is a list of ACEs in the order in which they count. An empty one grants nothing.
type ACL struct{ ACEs []ACE }

// Equal tells whether two descriptors say the same.
func (d *Descriptor) Equal(other *Descriptor) bool {
	return d.Control == other.Control && d.Owner == other.Owner && d.Group == other.Group &&
		d.DACL.equal(other.DACL) && d.SACL.equal(other.SACL)
}

func (l *ACL) equal(other *ACL) bool {
	if l == nil || other == nil {
		return l == other
	}
	return slices.Equal(l.ACEs, other.ACEs)
}

// Parts are the parts of a descriptor, with the numbers of SECURITY_INFORMATION (MS-DTYP 2.4.7), by which the
// SD flags control and sDRightsEffective name them.
type Parts uint32

// The parts of a descriptor.
const (
	PartOwner Parts = 1
	PartGroup Parts = 2
	PartDACL  Parts = 4
	PartSACL  Parts = 8
	AllParts        = PartOwner | PartGroup | PartDACL | PartSACL
)

const (
	daclControl = DACLAutoInherited | DACLProtected | daclInheritRequired
	saclControl = SACLAutoInherited | SACLProtected | saclInheritRequired
)

// With returns d with some parts taken from another descriptor.
func (d *Descriptor) With(other *Descriptor, parts Parts) *Descriptor {
	merged := *d
	if parts&PartOwner != 0 {
		merged.Owner = other.Owner
	}
	if parts&PartGroup != 0 {
		merged.Group = other.Group
	}
	if parts&PartDACL != 0 {
		merged.DACL, merged.Control = other.DACL, merged.Control&^daclControl|other.Control&daclControl
	}
	if parts&PartSACL != 0 {
		merged.SACL, merged.Control = other.SACL, merged.Control&^saclControl|other.Control&saclControl
	}
	return &merged
}

// Only returns some parts of d.
func (d *Descriptor) Only(parts Parts) *Descriptor { return new(Descriptor).With(d, parts) }

package security

import "passback/fakead/tree"

// A Mask is a set of access rights (MS-DTYP 2.4.3, MS-ADTS 5.1.3.2).
type Mask uint32

// The rights to an object of a directory.
const (
	CreateChild    Mask = 0x1        // CC
	DeleteChild    Mask = 0x2        // DC
	ListContents   Mask = 0x4        // LC
	SelfWrite      Mask = 0x8        // SW: validated write
	ReadProperty   Mask = 0x10       // RP
	WriteProperty  Mask = 0x20       // WP
	DeleteTree     Mask = 0x40       // DT
	ListObject     Mask = 0x80       // LO
	ControlAccess  Mask = 0x100      // CR: an extended right
	Delete         Mask = 0x10000    // SD
	ReadControl    Mask = 0x20000    // RC: read owner, group and DACL
	WriteDAC       Mask = 0x40000    // WD
	WriteOwner     Mask = 0x80000    // WO
	AccessSystem   Mask = 0x1000000  // ACCESS_SYSTEM_SECURITY: read and write the SACL
	genericAll     Mask = 0x10000000 // GA
	genericExecute Mask = 0x20000000 // GX
	genericWrite   Mask = 0x40000000 // GW
	genericRead    Mask = 0x80000000 // GR

	// FullControl is what GA stands for.
	FullControl = Delete | ReadControl | WriteDAC | WriteOwner | 0x1FF
)

// specific replaces generic rights by what they stand for (MS-ADTS 5.1.3.2).
func (m Mask) specific() Mask {
	for _, g := range []struct{ bit, means Mask }{
		{genericAll, FullControl},
		{genericRead, ReadControl | ListContents | ReadProperty | ListObject},
		{genericWrite, ReadControl | SelfWrite | WriteProperty},
		{genericExecute, ReadControl | ListContents},
	} {
		if m&g.bit != 0 {
			m = m&^g.bit | g.means
		}
	}
	return m
}

// A Type tells what an ACE does (MS-DTYP 2.4.4.1).
type Type uint8

// The types of ACEs.
const (
	Allow       Type = 0
	Deny        Type = 1
	Audit       Type = 2
	AllowObject Type = 5
	DenyObject  Type = 6
	AuditObject Type = 7
)

func (t Type) isObject() bool { return t == AllowObject || t == DenyObject || t == AuditObject }
func (t Type) denies() bool   { return t == Deny || t == DenyObject }
func (t Type) audits() bool   { return t == Audit || t == AuditObject }
func (t Type) known() bool    { return t <= Audit || t.isObject() }

// Flags tell how an ACE is inherited (MS-DTYP 2.4.4.1).
type Flags uint8

// The flags of an ACE.
const (
	ObjectInherit      Flags = 0x01 // OI: by what is no container, which no object of a directory is
	ContainerInherit   Flags = 0x02 // CI
	NoPropagateInherit Flags = 0x04 // NP: by children, not by theirs
	InheritOnly        Flags = 0x08 // IO: does not count here
	Inherited          Flags = 0x10 // ID
	auditSuccess       Flags = 0x40 // SA
	auditFailure       Flags = 0x80 // FA

	inheritance = ObjectInherit | ContainerInherit | NoPropagateInherit | InheritOnly
	knownFlags  = inheritance | Inherited | auditSuccess | auditFailure
)

// An ACE gives or takes rights. The types of an object ACE are zero for any.
type ACE struct {
	Type  Type
	Flags Flags
	Mask  Mask
	SID   tree.SID
	// Object is what the rights are to: an attribute, a property set, an extended right, a class of children.
	Object tree.GUID
	// InheritedBy is the class of the objects that inherit the ACE.
	InheritedBy tree.GUID
}

// Well-known security identifiers (MS-DTYP 2.4.2.4).
var (
	Everyone           = tree.MustParseSID("S-1-1-0")
	CreatorOwner       = tree.MustParseSID("S-1-3-0")
	CreatorGroup       = tree.MustParseSID("S-1-3-1")
	OwnerRights        = tree.MustParseSID("S-1-3-4")
	Network            = tree.MustParseSID("S-1-5-2")
	Self               = tree.MustParseSID("S-1-5-10")
	AuthenticatedUsers = tree.MustParseSID("S-1-5-11")
	Anonymous          = tree.MustParseSID("S-1-5-7")
	ThisOrganization   = tree.MustParseSID("S-1-5-15")
	Administrators     = tree.MustParseSID("S-1-5-32-544")
)

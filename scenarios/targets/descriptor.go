package targets

import (
	"encoding/binary"
	"fmt"
	"slices"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// Discretionary ACLs of a directory's objects, as far as delegating needs them: object ACEs are added to nTSecurityDescriptor
// (MS-DTYP 2.4.4.3, 2.4.5, 2.4.6) and nothing that is there is touched. Left out on purpose: owner, group and SACL,
// which the SD flags control leaves alone.

// Access masks and flags (MS-ADTS 5.1.3.2, MS-DTYP 2.4.4).
const (
	controlAccess = 0x100
	readProperty  = 0x10
	writeProperty = 0x20

	allowObject = 0x05 // ACCESS_ALLOWED_OBJECT_ACE_TYPE
	denyObject  = 0x06 // ACCESS_DENIED_OBJECT_ACE_TYPE

	inherited         = 0x10        // INHERITED_ACE
	inheritToChildren = 0x02 | 0x08 // CONTAINER_INHERIT_ACE, INHERIT_ONLY_ACE

	hasObjectType    = 0x1
	hasInheritedType = 0x2

	revisionDS = 4 // of an ACL with object ACEs

	aceHeader        = 4
	aclHeader        = 8
	descriptorHeader = 20
	selfRelative     = 0x8000
	daclPresent      = 0x4
	daclProtected    = 0x1000
)

// An ace allows or denies one right on one kind of object.
type ace struct {
	deny    bool
	mask    uint32
	object  []byte // GUID of the right or the attribute
	inherit []byte // GUID of the class that inherits it; nil: for this object alone
	sid     []byte
}

func (a ace) bytes() []byte {
	kind, flags, objectFlags := byte(allowObject), byte(0), uint32(hasObjectType)
	if a.deny {
		kind = denyObject
	}
	if a.inherit != nil {
		flags, objectFlags = inheritToChildren, objectFlags|hasInheritedType
	}
	size := 12 + len(a.object) + len(a.inherit) + len(a.sid)
	out := []byte{kind, flags}
	out = binary.LittleEndian.AppendUint16(out, uint16(size))
	out = binary.LittleEndian.AppendUint32(out, a.mask)
	out = binary.LittleEndian.AppendUint32(out, objectFlags)
	return slices.Concat(out, a.object, a.inherit, a.sid)
}

// withACEs returns a self-relative descriptor of the DACL alone, with aces before those that are there: denials must
// come first, and an order among allowances does not matter.
func withACEs(descriptor []byte, aces []ace) ([]byte, error) {
	if len(descriptor) < descriptorHeader {
		return nil, fmt.Errorf("security descriptor of %d bytes", len(descriptor))
	}
	at := int(binary.LittleEndian.Uint32(descriptor[16:]))
	if at == 0 || at+aclHeader > len(descriptor) {
		return nil, fmt.Errorf("security descriptor without a DACL")
	}
	size := int(binary.LittleEndian.Uint16(descriptor[at+2:]))
	if size < aclHeader || at+size > len(descriptor) {
		return nil, fmt.Errorf("security descriptor whose DACL is cut off")
	}
	count := binary.LittleEndian.Uint16(descriptor[at+4:])
	var added []byte
	for _, a := range aces {
		added = append(added, a.bytes()...)
	}
	control := binary.LittleEndian.Uint16(descriptor[2:]) | selfRelative | daclPresent
	out := []byte{1, 0}
	out = binary.LittleEndian.AppendUint16(out, control)
	out = append(out, make([]byte, 12)...) // no owner, group, SACL
	out = binary.LittleEndian.AppendUint32(out, descriptorHeader)
	out = append(out, revisionDS, 0)
	out = binary.LittleEndian.AppendUint16(out, uint16(size+len(added)))
	out = binary.LittleEndian.AppendUint16(out, count+uint16(len(aces)))
	out = append(out, 0, 0)
	return slices.Concat(out, added, descriptor[at+aclHeader:at+size]), nil
}

// blocked returns a descriptor of the DACL alone that inherits nothing (SE_DACL_PROTECTED), without the ACEs that were
// inherited.
func blocked(descriptor []byte) ([]byte, error) {
	plain, err := withACEs(descriptor, nil)
	if err != nil {
		return nil, err
	}
	var own []byte
	var count uint16
	for at := plain[descriptorHeader+aclHeader:]; len(at) >= aceHeader; {
		size := int(binary.LittleEndian.Uint16(at[2:]))
		if size < aceHeader || size > len(at) {
			return nil, fmt.Errorf("security descriptor with an ACE of %d bytes", size)
		}
		if at[1]&inherited == 0 {
			own, count = append(own, at[:size]...), count+1
		}
		at = at[size:]
	}
	out := slices.Concat(plain[:descriptorHeader+aclHeader], own)
	binary.LittleEndian.PutUint16(out[2:], binary.LittleEndian.Uint16(out[2:])|daclProtected)
	binary.LittleEndian.PutUint16(out[descriptorHeader+2:], uint16(aclHeader+len(own)))
	binary.LittleEndian.PutUint16(out[descriptorHeader+4:], count)
	return out, nil
}

// blockInheritance keeps from an object what is granted above it.
func blockInheritance(c *ldap.Conn, dn string) error {
	before, err := readDescriptor(c, dn)
	if err != nil {
		return err
	}
	after, err := blocked(before)
	if err != nil {
		return fmt.Errorf("%s: %w", dn, err)
	}
	return writeDescriptor(c, dn, after)
}

// sdFlags is LDAP_SERVER_SD_FLAGS_OID (MS-ADTS 3.1.1.3.4.1.11): of the DACL alone.
func sdFlags() ldap.Control {
	value := ber.NewSequence("SDFlagsRequestValue")
	value.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, daclPresent, "Flags"))
	return ldap.NewControlString("1.2.840.113556.1.4.801", true, string(value.Bytes()))
}

// readDescriptor returns the DACL of an object.
func readDescriptor(c *ldap.Conn, dn string) ([]byte, error) {
	found, err := c.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{"nTSecurityDescriptor"}, []ldap.Control{sdFlags()}))
	if err != nil || len(found.Entries) == 0 {
		return nil, fmt.Errorf("read the security descriptor of %s: %w", dn, err)
	}
	return found.Entries[0].GetRawAttributeValue("nTSecurityDescriptor"), nil
}

func writeDescriptor(c *ldap.Conn, dn string, descriptor []byte) error {
	m := ldap.NewModifyRequest(dn, []ldap.Control{sdFlags()})
	m.Replace("nTSecurityDescriptor", []string{string(descriptor)})
	if err := c.Modify(m); err != nil {
		return fmt.Errorf("write the security descriptor of %s: %w", dn, err)
	}
	return nil
}

// grant adds aces to an object, and returns the descriptor that it had.
func grant(c *ldap.Conn, dn string, aces []ace) (before []byte, err error) {
	before, err = readDescriptor(c, dn)
	if err != nil {
		return nil, err
	}
	after, err := withACEs(before, aces)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dn, err)
	}
	return before, writeDescriptor(c, dn, after)
}

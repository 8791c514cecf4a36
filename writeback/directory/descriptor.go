package directory

// Security descriptors as a controller shows them (MS-DTYP 2.4.2 SID, 2.4.4 ACE, 2.4.5 ACL, 2.4.6), and what one
// grants to whom (MS-ADTS 5.1.3.3). Left out on purpose: the SACL, the owner's implied rights, and conditional ACEs,
// which an access check here passes over: none of them gives what writeback needs.

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/google/uuid"
)

// An Access is rights, as an ACE's mask names them (MS-ADTS 5.1.3.2).
type Access uint32

// The rights that writeback needs, and those that stand for several.
const (
	ReadProperty  Access = 0x10
	WriteProperty Access = 0x20
	ControlAccess Access = 0x100 // an extended right

	genericAll   Access = 0x10000000
	genericWrite Access = 0x40000000
	genericRead  Access = 0x80000000
)

// specific adds what generic rights mean on an object of a directory.
func (a Access) specific() Access {
	if a&genericAll != 0 {
		a |= ReadProperty | WriteProperty | ControlAccess
	}
	if a&genericWrite != 0 {
		a |= WriteProperty
	}
	if a&genericRead != 0 {
		a |= ReadProperty
	}
	return a
}

// A Descriptor is the discretionary part of a security descriptor.
type Descriptor struct {
	Protected bool // inheritance is switched off
	open      bool // there is no DACL, which grants everything
	aces      []ace
}

type ace struct {
	deny   bool
	access Access
	object uuid.UUID // attribute, property set or extended right; zero: any
	sid    string    // as stored
}

// A Token is the SIDs of a caller, as stored.
type Token map[string]bool

// Grants tells whether all of access is granted to t. objects are what it is to: an extended right, or an
// attribute and its property set.
func (d *Descriptor) Grants(t Token, access Access, objects ...uuid.UUID) bool {
	if d.open {
		return true
	}
	for _, a := range d.aces {
		if !t[a.sid] || a.access&access == 0 || a.object != uuid.Nil && !slices.Contains(objects, a.object) {
			continue
		}
		if a.deny {
			return false
		}
		if access &^= a.access; access == 0 {
			return true
		}
	}
	return false
}

var errDescriptor = errors.New("a security descriptor that cannot be parsed")

const (
	descriptorHeader = 20
	daclPresent      = 0x4
	daclProtected    = 0x1000

	aclHeader = 8
	aceHeader = 8 // with the mask

	aceAllowed       = 0
	aceDenied        = 1
	aceAllowedObject = 5
	aceDeniedObject  = 6
	aceInheritOnly   = 0x8

	hasObjectType    = 0x1
	hasInheritedType = 0x2
	guidSize         = 16
	sidHeader        = 8
	subAuthoritySize = 4
)

// parseDescriptor reads a self-relative descriptor.
func parseDescriptor(raw []byte) (*Descriptor, error) {
	if len(raw) < descriptorHeader {
		return nil, errDescriptor
	}
	control := binary.LittleEndian.Uint16(raw[2:])
	at := binary.LittleEndian.Uint32(raw[16:])
	d := &Descriptor{Protected: control&daclProtected != 0}
	if control&daclPresent == 0 || at == 0 {
		d.open = true
		return d, nil
	}
	if uint64(at)+aclHeader > uint64(len(raw)) {
		return nil, errDescriptor
	}
	acl := raw[at:]
	size, count := int(binary.LittleEndian.Uint16(acl[2:])), int(binary.LittleEndian.Uint16(acl[4:]))
	if size < aclHeader || size > len(acl) {
		return nil, errDescriptor
	}
	for rest := acl[aclHeader:size]; count > 0; count-- {
		if len(rest) < aceHeader {
			return nil, errDescriptor
		}
		size := int(binary.LittleEndian.Uint16(rest[2:]))
		if size < aceHeader || size > len(rest) {
			return nil, errDescriptor
		}
		a, applies, err := parseACE(rest[:size])
		if err != nil {
			return nil, err
		}
		if applies {
			d.aces = append(d.aces, a)
		}
		rest = rest[size:]
	}
	return d, nil
}

// parseACE reads one; applies is false for one that says nothing of this object.
func parseACE(raw []byte) (a ace, applies bool, err error) {
	kind := raw[0]
	a.deny = kind == aceDenied || kind == aceDeniedObject
	a.access = Access(binary.LittleEndian.Uint32(raw[4:])).specific()
	rest := raw[aceHeader:]
	switch kind {
	case aceAllowed, aceDenied:
	case aceAllowedObject, aceDeniedObject:
		if a.object, rest, err = parseObject(rest); err != nil {
			return a, false, err
		}
	default:
		return a, false, nil
	}
	if len(rest) < sidHeader || len(rest) < sidHeader+int(rest[1])*subAuthoritySize {
		return a, false, errDescriptor
	}
	a.sid = string(rest[:sidHeader+int(rest[1])*subAuthoritySize])
	return a, raw[1]&aceInheritOnly == 0, nil
}

// parseObject reads the GUIDs of an object ACE; the class that inherits it matters only where it is inherited from.
func parseObject(rest []byte) (object uuid.UUID, left []byte, err error) {
	if len(rest) < 4 {
		return object, nil, errDescriptor
	}
	flags := binary.LittleEndian.Uint32(rest)
	rest = rest[4:]
	for _, part := range []struct {
		flag uint32
		into *uuid.UUID
	}{{hasObjectType, &object}, {hasInheritedType, new(uuid.UUID)}} {
		if flags&part.flag == 0 {
			continue
		}
		if len(rest) < guidSize {
			return object, nil, errDescriptor
		}
		*part.into = fromPacket(rest[:guidSize])
		rest = rest[guidSize:]
	}
	return object, rest, nil
}

// fromPacket reads a GUID's packet form: its first three fields are little-endian (MS-DTYP 2.3.4.2).
func fromPacket(raw []byte) (id uuid.UUID) {
	binary.BigEndian.PutUint32(id[0:], binary.LittleEndian.Uint32(raw[0:]))
	binary.BigEndian.PutUint16(id[4:], binary.LittleEndian.Uint16(raw[4:]))
	binary.BigEndian.PutUint16(id[6:], binary.LittleEndian.Uint16(raw[6:]))
	copy(id[8:], raw[8:])
	return id
}

// A sid of well-known identifiers: S-1-authority-subAuthorities.
func sid(authority byte, subAuthorities ...uint32) string {
	raw := []byte{1, byte(len(subAuthorities)), 0, 0, 0, 0, 0, authority}
	for _, s := range subAuthorities {
		raw = binary.LittleEndian.AppendUint32(raw, s)
	}
	return string(raw)
}

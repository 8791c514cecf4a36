package security

// The self-relative form of a descriptor (MS-DTYP 2.4.6, 2.4.5, 2.4.4), as nTSecurityDescriptor holds it.

import (
	"encoding/binary"
	"errors"
	"fmt"

	"passback/fakead/tree"
)

// ErrDescriptor is wrapped by the errors of Parse and ParseSDDL.
var ErrDescriptor = errors.New("not a security descriptor")

const (
	headerSize    = 20
	aclHeaderSize = 8
	aceHeaderSize = 8       // with the mask
	maxACLSize    = 0xFFFF  // the size of an ACL has 16 bits
	maxSize       = 132_096 // rangeUpper of nTSecurityDescriptor

	revision   = 2 // of an ACL
	revisionDS = 4 // of an ACL with object ACEs

	objectPresent    = 1 // Flags of an object ACE
	inheritedPresent = 2
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDescriptor, fmt.Sprintf(format, args...))
}

// Parse reads a self-relative descriptor. Its parts may lie anywhere in b.
func Parse(b []byte) (*Descriptor, error) {
	if len(b) < headerSize || len(b) > maxSize {
		return nil, malformed("%d bytes", len(b))
	}
	control := Control(binary.LittleEndian.Uint16(b[2:]))
	if b[0] != 1 || control&selfRelative == 0 {
		return nil, malformed("revision %d, or not self-relative", b[0])
	}
	d := &Descriptor{Control: control & keptControl}
	var err error
	if d.Owner, err = parseSIDAt(b, binary.LittleEndian.Uint32(b[4:])); err != nil {
		return nil, fmt.Errorf("owner: %w", err)
	}
	if d.Group, err = parseSIDAt(b, binary.LittleEndian.Uint32(b[8:])); err != nil {
		return nil, fmt.Errorf("group: %w", err)
	}
	if control&saclPresent != 0 {
		if d.SACL, err = parseACLAt(b, binary.LittleEndian.Uint32(b[12:])); err != nil {
			return nil, fmt.Errorf("SACL: %w", err)
		}
	}
	if control&daclPresent != 0 {
		if d.DACL, err = parseACLAt(b, binary.LittleEndian.Uint32(b[16:])); err != nil {
			return nil, fmt.Errorf("DACL: %w", err)
		}
	}
	if d.SACL == nil {
		d.Control &^= saclControl
	}
	if d.DACL == nil {
		d.Control &^= daclControl
	}
	return d, nil
}

// parseSIDAt reads the identifier at an offset, none at offset 0.
func parseSIDAt(b []byte, offset uint32) (tree.SID, error) {
	if offset == 0 {
		return "", nil
	}
	if int64(offset) > int64(len(b)) {
		return "", malformed("an offset beyond its end")
	}
	sid, ok := cutSID(b[offset:])
	if !ok {
		return "", malformed("a SID that is none")
	}
	return sid, nil
}

// cutSID reads the identifier that b begins with.
func cutSID(b []byte) (tree.SID, bool) {
	if len(b) < 8 || 8+4*int(b[1]) > len(b) {
		return "", false
	}
	b = b[:8+4*int(b[1])]
	if b[0] != 1 || b[1] > 15 {
		return "", false
	}
	return tree.SID(b), true
}

// parseACLAt reads the list at an offset, none at offset 0.
func parseACLAt(b []byte, offset uint32) (*ACL, error) {
	if offset == 0 {
		return nil, nil
	}
	if int64(offset)+aclHeaderSize > int64(len(b)) {
		return nil, malformed("an offset beyond its end")
	}
	b = b[offset:]
	size, count := int(binary.LittleEndian.Uint16(b[2:])), int(binary.LittleEndian.Uint16(b[4:]))
	if b[0] != revision && b[0] != revisionDS {
		return nil, malformed("an ACL of revision %d", b[0])
	}
	if size < aclHeaderSize || size > len(b) || count*aceHeaderSize > size {
		return nil, malformed("an ACL of %d bytes with %d ACEs", size, count)
	}
	b = b[aclHeaderSize:size]
	list := &ACL{ACEs: make([]ACE, 0, count)}
	for range count {
		if len(b) < aceHeaderSize {
			return nil, malformed("an ACL that is cut off")
		}
		size := int(binary.LittleEndian.Uint16(b[2:]))
		if size < aceHeaderSize || size > len(b) {
			return nil, malformed("an ACE of %d bytes", size)
		}
		ace, err := parseACE(b[:size])
		if err != nil {
			return nil, err
		}
		list.ACEs = append(list.ACEs, ace)
		b = b[size:]
	}
	return list, nil
}

// parseACE reads an ACE. What follows its SID is padding.
func parseACE(b []byte) (ACE, error) {
	a := ACE{Type: Type(b[0]), Flags: Flags(b[1]) & knownFlags, Mask: Mask(binary.LittleEndian.Uint32(b[4:]))}
	if !a.Type.known() {
		return a, malformed("an ACE of type %d", a.Type)
	}
	b = b[aceHeaderSize:]
	if a.Type.isObject() {
		if len(b) < 4 {
			return a, malformed("an object ACE that is cut off")
		}
		flags := binary.LittleEndian.Uint32(b)
		b = b[4:]
		for _, part := range []struct {
			flag uint32
			guid *tree.GUID
		}{{objectPresent, &a.Object}, {inheritedPresent, &a.InheritedBy}} {
			if flags&part.flag == 0 {
				continue
			}
			if len(b) < len(part.guid) {
				return a, malformed("an object ACE that is cut off")
			}
			b = b[copy(part.guid[:], b):]
		}
	}
	var ok bool
	if a.SID, ok = cutSID(b); !ok {
		return a, malformed("an ACE without a SID")
	}
	return a, nil
}

// Marshal returns the self-relative form.
func (d *Descriptor) Marshal() ([]byte, error) {
	control := d.Control | selfRelative
	b := make([]byte, headerSize, headerSize+64)
	b[0] = 1
	for _, part := range []struct {
		list    *ACL
		present Control
		offset  int
	}{{d.SACL, saclPresent, 12}, {d.DACL, daclPresent, 16}} {
		if part.list == nil {
			continue
		}
		control |= part.present
		binary.LittleEndian.PutUint32(b[part.offset:], uint32(len(b)))
		var err error
		if b, err = part.list.append(b); err != nil {
			return nil, err
		}
	}
	for i, sid := range []tree.SID{d.Owner, d.Group} {
		if sid != "" {
			binary.LittleEndian.PutUint32(b[4+4*i:], uint32(len(b)))
			b = append(b, sid...)
		}
	}
	binary.LittleEndian.PutUint16(b[2:], uint16(control))
	if len(b) > maxSize {
		return nil, malformed("%d bytes, more than %d", len(b), maxSize)
	}
	return b, nil
}

func (l *ACL) append(b []byte) ([]byte, error) {
	start := len(b)
	b = append(b, revision, 0, 0, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(l.ACEs)))
	b = append(b, 0, 0)
	for _, a := range l.ACEs {
		if a.Type.isObject() {
			b[start] = revisionDS
		}
		b = a.append(b)
		if len(b)-start > maxACLSize {
			return nil, malformed("an ACL of more than %d bytes", maxACLSize)
		}
	}
	binary.LittleEndian.PutUint16(b[start+2:], uint16(len(b)-start))
	return b, nil
}

func (a ACE) append(b []byte) []byte {
	start := len(b)
	b = append(b, byte(a.Type), byte(a.Flags), 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(a.Mask))
	if a.Type.isObject() {
		flags := uint32(0)
		if a.Object != (tree.GUID{}) {
			flags |= objectPresent
		}
		if a.InheritedBy != (tree.GUID{}) {
			flags |= inheritedPresent
		}
		b = binary.LittleEndian.AppendUint32(b, flags)
		if flags&objectPresent != 0 {
			b = append(b, a.Object[:]...)
		}
		if flags&inheritedPresent != 0 {
			b = append(b, a.InheritedBy[:]...)
		}
	}
	b = append(b, a.SID...)
	binary.LittleEndian.PutUint16(b[start+2:], uint16(len(b)-start))
	return b
}

package oracle

// Rights are set up on the real server by access control entries (MS-DTYP 2.4.4), on the fake by its own calls.

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// What "delegate" can give, by the GUID that an access control entry names.
var delegable = map[string]struct {
	guid string
	mask uint32
	set  func(*fakead.Rights)
}{
	"reset":         {"00299570-246d-11d0-a768-00aa006e0529", controlAccess, func(r *fakead.Rights) { r.ResetPassword = true }},
	"pwdLastSet":    {"bf967a0a-0de6-11d0-a285-00aa003049e2", writeProperty, func(r *fakead.Rights) { r.WritePwdLastSet = true }},
	"lockoutTime":   {"28630ebf-41d5-11d1-a9c1-0000f80367c1", writeProperty, func(r *fakead.Rights) { r.WriteLockoutTime = true }},
	"extensionName": {"bf967972-0de6-11d0-a285-00aa003049e2", writeProperty, func(r *fakead.Rights) { r.WriteMarker = "extensionName" }},
}

const (
	writeProperty  = 0x20  // ACTRL_DS_WRITE_PROP
	controlAccess  = 0x100 // ACTRL_DS_CONTROL_ACCESS
	allowObject    = 0x05  // ACE types
	denyObject     = 0x06
	unexpire       = "ccc2dc7d-a6ad-4a7a-8846-c04e3cc53501"
	changePassword = "ab721a53-1e2f-11d0-9819-00aa0040529b"
	sidWorld       = "010100000000000100000000"
	sidSelf        = "01010000000000050a000000"
)

// delegate WHO [reset] [pwdLastSet] [lockoutTime] [extensionName] [unexpire] gives rights on the other accounts.
func setupDelegate(r *run, st statement) error {
	if err := need(st, 2); err != nil {
		return err
	}
	who, err := r.find(st.args[0].text)
	if err != nil {
		return err
	}
	var rights fakead.Rights
	for _, arg := range st.args[1:] {
		right, ok := delegable[arg.text]
		switch {
		case arg.text == "unexpire":
			rights.Unexpire = true
		case !ok:
			return fmt.Errorf("no such right: %s", arg.text)
		case r.server.fake != nil:
			right.set(&rights)
		default:
			if err := r.addACE(r.accounts, who, right.mask, right.guid); err != nil {
				return err
			}
		}
	}
	if r.server.fake != nil {
		return r.server.fake.Delegate(who.sam, rights)
	}
	if rights.Unexpire {
		return nil // Authenticated Users have it
	}
	sid, err := r.server.sidOf(who)
	if err != nil {
		return err
	}
	return r.server.insertACE(r.server.base, ace(denyObject, controlAccess, unexpire, sid))
}

func (r *run) addACE(on []*account, who *account, mask uint32, guid string) error {
	sid, err := r.server.sidOf(who)
	if err != nil {
		return err
	}
	for _, a := range on {
		if a == who {
			continue
		}
		if err := r.server.insertACE(a.dn, ace(allowObject, mask, guid, sid)); err != nil {
			return err
		}
	}
	return nil
}

// cannotchange NAME is "User cannot change password": two entries that deny Change Password.
func setupCannotChange(r *run, st statement) error {
	if err := need(st, 1); err != nil {
		return err
	}
	a, err := r.find(st.args[0].text)
	if err != nil {
		return err
	}
	if r.server.fake != nil {
		return r.server.fake.SetCannotChange(a.sam, true)
	}
	for _, text := range []string{sidWorld, sidSelf} {
		sid, _ := hex.DecodeString(text)
		if err := r.server.insertACE(a.dn, ace(denyObject, controlAccess, changePassword, sid)); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) sidOf(a *account) ([]byte, error) {
	e, err := s.entry(a.dn, "objectSid")
	if err != nil {
		return nil, err
	}
	return e.GetRawAttributeValue("objectSid"), nil
}

// ace makes an ACCESS_ALLOWED_OBJECT_ACE or its opposite.
func ace(kind byte, mask uint32, guid string, sid []byte) []byte {
	const objectTypePresent = 1
	b := []byte{kind, 0, 0, 0}
	b = binary.LittleEndian.AppendUint32(b, mask)
	b = binary.LittleEndian.AppendUint32(b, objectTypePresent)
	b = append(append(b, guidBytes(guid)...), sid...)
	binary.LittleEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

func guidBytes(text string) []byte {
	b, _ := hex.DecodeString(text[0:8] + text[9:13] + text[14:18] + text[19:23] + text[24:])
	b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7] = b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6]
	return b
}

// insertACE puts an entry before all others of an object's DACL.
func (s *server) insertACE(dn string, entry []byte) error {
	const sdFlags, daclOnly = "1.2.840.113556.1.4.801", 4
	flags := ber.NewSequence("")
	flags.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, daclOnly, ""))
	only := []ldap.Control{ldap.NewControlString(sdFlags, true, string(flags.Bytes()))}
	found, err := s.admin.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"nTSecurityDescriptor"}, only))
	if err != nil {
		return fmt.Errorf("read the security descriptor of %s: %w", dn, err)
	}
	sd := found.Entries[0].GetRawAttributeValue("nTSecurityDescriptor")
	acl := sd[binary.LittleEndian.Uint32(sd[16:]):]
	acl = acl[:binary.LittleEndian.Uint16(acl[2:])]
	const aclHeader, sdHeader = 8, 20
	fresh := append([]byte{1, 0, 4, 0x80}, make([]byte, sdHeader-4)...) // DACL present, self-relative
	binary.LittleEndian.PutUint32(fresh[16:], sdHeader)
	head := append([]byte{}, acl[:aclHeader]...)
	head[0] = 4 // ACL_REVISION_DS
	binary.LittleEndian.PutUint16(head[2:], uint16(len(acl)+len(entry)))
	binary.LittleEndian.PutUint16(head[4:], binary.LittleEndian.Uint16(acl[4:])+1)
	fresh = append(append(append(fresh, head...), entry...), acl[aclHeader:]...)
	m := ldap.NewModifyRequest(dn, only)
	m.Replace("nTSecurityDescriptor", []string{string(fresh)})
	if err := s.admin.Modify(m); err != nil {
		return fmt.Errorf("write the security descriptor of %s: %w", dn, err)
	}
	return nil
}

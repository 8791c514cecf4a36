package targets

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/uuid"

	"passback/scenarios"
	"passback/writeback/protocol"
)

// The agent's account on a directory that is not ours, and the rights that Entra documents for one ("Set permissions for
// password writeback"), on the people of the target's OU alone: Reset Password, write pwdLastSet, write lockoutTime,
// and read and write of the marker's attribute. Unexpire Password on the domain is Authenticated Users' by default.

// Control access rights, schema ids and well-known SIDs (MS-ADTS 5.1.3.2.1, MS-ADSC, MS-DTYP 2.4.2.4).
var (
	rightResetPassword  = guid("00299570-246d-11d0-a768-00aa006e0529")
	rightChangePassword = guid("ab721a53-1e2f-11d0-9819-00aa0040529b")
	attrPwdLastSet      = guid("bf967a0a-0de6-11d0-a285-00aa003049e2")
	attrLockoutTime     = guid("28630ebf-41d5-11d1-a9c1-0000f80367c1")
	classUser           = guid("bf967aba-0de6-11d0-a285-00aa003049e2")

	sidSelf  = []byte{1, 1, 0, 0, 0, 0, 0, 5, 10, 0, 0, 0}
	sidWorld = []byte{1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}
)

// guid is the GUID's packet form: the first three fields little-endian.
func guid(text string) []byte {
	id := uuid.MustParse(text)
	out := binary.LittleEndian.AppendUint32(nil, binary.BigEndian.Uint32(id[0:]))
	out = binary.LittleEndian.AppendUint16(out, binary.BigEndian.Uint16(id[4:]))
	out = binary.LittleEndian.AppendUint16(out, binary.BigEndian.Uint16(id[6:]))
	return append(out, id[8:]...)
}

// service is the agent's account.
type service struct {
	user     string // UPN or DN
	password protocol.Secret
	before   []byte // the OU's descriptor before the rights were given; nil: none were
	granted  []ace
	marker   []byte // schema id of the marker's attribute
}

// hire makes an account for the agents in the OU and gives it its rights.
func (b *seedbed) hire() (s service, err error) {
	sam := "svc" + strings.ToLower(rand.Text()[:10])
	dn := "CN=" + sam + "," + b.ou
	s = service{user: sam + "@" + b.domain, password: protocol.NewSecret("Sv1!" + rand.Text())}
	err = b.asAdmin(func(c *ldap.Conn) error {
		if err := b.addAccount(c, dn, sam, s.user, "", s.password, normalAccount|dontExpire); err != nil {
			return err
		}
		account, err := read(c, dn, "objectSid")
		if err != nil || account == nil {
			return fmt.Errorf("read the agent's account: %w", err)
		}
		if s.marker, err = schemaID(c, protocol.DefaultMarkerAttribute); err != nil {
			return err
		}
		sid := account.GetRawAttributeValue("objectSid")
		s.granted = []ace{
			{mask: controlAccess, object: rightResetPassword, inherit: classUser, sid: sid},
			{mask: writeProperty, object: attrPwdLastSet, inherit: classUser, sid: sid},
			{mask: writeProperty, object: attrLockoutTime, inherit: classUser, sid: sid},
			{mask: readProperty | writeProperty, object: s.marker, inherit: classUser, sid: sid},
		}
		s.before, err = grant(c, b.ou, s.granted)
		return err
	})
	return s, err
}

// schemaID looks up the GUID by which ACEs name an attribute.
func schemaID(c *ldap.Conn, attribute string) ([]byte, error) {
	root, err := read(c, "", "schemaNamingContext")
	if err != nil || root == nil {
		return nil, fmt.Errorf("read the rootDSE: %w", err)
	}
	found, err := c.Search(ldap.NewSearchRequest(root.GetAttributeValue("schemaNamingContext"), ldap.ScopeSingleLevel, ldap.NeverDerefAliases,
		0, 0, false, "(lDAPDisplayName="+ldap.EscapeFilter(attribute)+")", []string{"schemaIDGUID"}, nil))
	if err != nil {
		return nil, fmt.Errorf("look %s up in the schema: %w", attribute, err)
	}
	if len(found.Entries) != 1 {
		return nil, fmt.Errorf("the schema has no attribute %s", attribute)
	}
	return found.Entries[0].GetRawAttributeValue("schemaIDGUID"), nil
}

// revoke takes rights of the agent's account; none named: all.
func (b *seedbed) revoke(s service, rights []scenarios.Right) error {
	var left []ace
	if slices.Contains(rights, scenarios.WriteMarker) {
		left = slices.DeleteFunc(slices.Clone(s.granted), func(a ace) bool { return bytes.Equal(a.object, s.marker) })
	}
	return b.asAdmin(func(c *ldap.Conn) error {
		plain, err := withACEs(s.before, left)
		if err != nil {
			return err
		}
		return writeDescriptor(c, b.ou, plain)
	})
}

// forbidChange sets "User cannot change password": Change Password denied to the person and to everyone.
func (b *seedbed) forbidChange(u scenarios.User) error {
	return b.asAdmin(func(c *ldap.Conn) error {
		_, err := grant(c, u.DN, []ace{
			{deny: true, mask: controlAccess, object: rightChangePassword, sid: sidSelf},
			{deny: true, mask: controlAccess, object: rightChangePassword, sid: sidWorld},
		})
		return err
	})
}

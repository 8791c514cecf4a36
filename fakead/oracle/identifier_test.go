package oracle

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// identifier is one of the forms in which an account's objectGUID or objectSid is written.
func (r *run) identifier(a *account, form string) (string, error) {
	attribute := "objectGUID"
	if strings.HasPrefix(form, "sid") {
		attribute = "objectSid"
	}
	e, err := r.server.entry(a.dn, attribute)
	if err != nil {
		return "", err
	}
	b := e.GetRawAttributeValue(attribute)
	switch form {
	case "guid":
		return guidText(b), nil
	case "braced":
		return "{" + guidText(b) + "}", nil
	case "guidhex", "sidhex":
		return hex.EncodeToString(b), nil
	case "guidescaped", "sidescaped":
		return escaped(b, `\%02x`), nil
	case "guidESCAPED":
		return escaped(b, `\%02X`), nil
	case "sid":
		return sidText(b), nil
	default:
		return "", fmt.Errorf("no such form of an identifier: %s", form)
	}
}

// entry reads one entry as administrator.
func (s *server) entry(dn string, attributes ...string) (*ldap.Entry, error) {
	found, err := s.admin.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", attributes, nil))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", dn, err)
	}
	return found.Entries[0], nil
}

func guidText(b []byte) string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:]), b[8:10], b[10:])
}

func sidText(b []byte) string {
	text := fmt.Sprintf("S-%d-%d", b[0], b[7])
	for rest := b[8:]; len(rest) >= 4; rest = rest[4:] {
		text += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(rest))
	}
	return text
}

func escaped(b []byte, format string) string {
	text := ""
	for _, c := range b {
		text += fmt.Sprintf(format, c)
	}
	return text
}

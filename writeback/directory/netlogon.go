package directory

// The LDAP ping (MS-ADTS 6.3.3.2): a read of rootDSE's netlogon attribute, whose answer (NETLOGON_SAM_LOGON_RESPONSE_EX,
// 6.3.1.9) says which site this host's address is of. It is sent on the connection that there is, not over UDP.
// Left out on purpose: everything else that the answer says, since rootDSE says what counts.

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"

	"github.com/go-ldap/ldap/v3"
)

const (
	logonResponseEx = 23 // LOGON_SAM_LOGON_RESPONSE_EX
	pingHeader      = 24 // opcode, sbz, flags, the domain's GUID
	pingStrings     = 8  // the last of them is ClientSiteName
)

// siteName is one label, as a site's name has to be for DNS.
var siteName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)

// errPing says that a controller's answer to a ping cannot be read.
var errPing = errors.New("not an answer to an LDAP ping")

// site is the name of the site that the controller counts this host to; empty: of none.
func (c *Conn) site(ctx context.Context) (string, error) {
	ntVersion := `\06\00\00\00` // NETLOGON_NT_VERSION_5 and 5EX (6.3.1.1)
	entries, err := c.search(ctx, ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false,
		fmt.Sprintf("(&(DnsDomain=%s)(NtVer=%s))", ldap.EscapeFilter(c.domain.o.Domain), ntVersion), []string{"netlogon"}, nil))
	if err != nil {
		return "", err
	}
	if len(entries) != 1 {
		return "", fmt.Errorf("%w: %d entries", errPing, len(entries))
	}
	return clientSite(entries[0].GetEqualFoldRawAttributeValue("netlogon"))
}

// clientSite reads the eighth string of an answer.
func clientSite(answer []byte) (site string, err error) {
	if len(answer) < pingHeader {
		return "", fmt.Errorf("%w: %d bytes", errPing, len(answer))
	}
	if code := binary.LittleEndian.Uint16(answer); code != logonResponseEx {
		return "", fmt.Errorf("%w: opcode %d", errPing, code)
	}
	at := pingHeader
	for range pingStrings {
		if site, at, err = compressedName(answer, at); err != nil {
			return "", err
		}
	}
	if site != "" && !siteName.MatchString(site) {
		return "", fmt.Errorf("%w: site %.80q", errPing, site)
	}
	return site, nil
}

// compressedName reads a name in the form of RFC 1035 4.1.4 and returns where the next begins. Pointers lead backward
// only, so that it ends.
func compressedName(message []byte, at int) (name string, next int, err error) {
	const pointer, maxLabel = 0xC0, 63
	for limit := at + 1; ; {
		if at >= len(message) {
			return "", 0, fmt.Errorf("%w: it ends within a name", errPing)
		}
		length := int(message[at])
		switch {
		case length == 0:
			if next == 0 {
				next = at + 1
			}
			return name, next, nil
		case length >= pointer:
			if at+1 >= len(message) {
				return "", 0, fmt.Errorf("%w: it ends within a pointer", errPing)
			}
			if next == 0 {
				next = at + 2
			}
			target := (length-pointer)<<8 | int(message[at+1])
			if target >= limit {
				return "", 0, fmt.Errorf("%w: a pointer that leads forward", errPing)
			}
			at, limit = target, target
			continue
		case length > maxLabel, at+1+length > len(message):
			return "", 0, fmt.Errorf("%w: a label of %d bytes", errPing, length)
		}
		if name != "" {
			name += "."
		}
		name += string(message[at+1 : at+1+length])
		at += 1 + length
	}
}

package directory

// What somebody who looks after an agent wants to know of a controller and of the bind account's rights. All of it
// reads and nothing is changed. Sources: rootDSE (MS-ADTS 3.1.1.3.2), allowedAttributesEffective and
// tokenGroups (3.1.1.4.5), nTSecurityDescriptor by LDAP_SERVER_SD_FLAGS_OID (3.1.1.3.4.1.11).

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// Addresses are where the domain's controllers are looked for, host:port, the preferred first.
func (d *Domain) Addresses(ctx context.Context) ([]string, error) { return d.candidates(ctx) }

// StartTLS reports whether its controllers are spoken to on plain LDAP's port.
func (d *Domain) StartTLS() bool { return d.o.StartTLS }

// OpenAddress is Open for a controller whose name is not known yet.
func (d *Domain) OpenAddress(ctx context.Context, address string) (*Conn, error) {
	return d.openAddress(ctx, address)
}

// Facts are what a controller says of itself, and its certificate.
type Facts struct {
	Host     string
	ReadOnly bool
	Hints    bool      // it offers the policy-hints control
	Now      time.Time // the domain's time; zero: it is not told
	TLS      string    // version
	Expires  time.Time // of the certificate
}

// Facts returns what was learnt when the connection was made or checked last.
func (c *Conn) Facts() Facts {
	f := Facts{Host: c.root.host, ReadOnly: c.root.readOnly, Hints: c.root.hints != "", Now: c.root.now}
	if state, ok := c.ldap.TLSConnectionState(); ok {
		f.TLS, f.Expires = tls.VersionName(state.Version), state.PeerCertificates[0].NotAfter
	}
	return f
}

// PDC is the dnsHostName of the PDC emulator.
func (c *Conn) PDC(ctx context.Context) (string, error) { return c.roleOwner(ctx) }

// Domain is the DN of the domain's head.
func (c *Conn) Domain() string { return c.root.domain }

// FindName returns the users whose user principal name or sAMAccountName is name.
func (c *Conn) FindName(ctx context.Context, name string) ([]User, error) {
	value := ldap.EscapeFilter(name)
	return c.users(ctx, fmt.Sprintf("(&(objectCategory=person)(objectClass=user)(|(userPrincipalName=%s)(sAMAccountName=%s)))", value, value))
}

// MayWrite are the attributes of an object that the caller may write, in lower case.
func (c *Conn) MayWrite(ctx context.Context, dn string) (map[string]bool, error) {
	e, err := c.readEntry(ctx, dn, "allowedAttributesEffective")
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, name := range e.GetEqualFoldAttributeValues("allowedAttributesEffective") {
		names[strings.ToLower(name)] = true
	}
	return names, nil
}

// ErrDescriptor says that an object's security descriptor may not be read.
var ErrDescriptor = errors.New("its security descriptor could not be read")

// Descriptor reads an object's discretionary access control list.
func (c *Conn) Descriptor(ctx context.Context, dn string) (*Descriptor, error) {
	flags := ber.NewSequence("SDFlagsRequestValue")
	flags.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, daclPresent, "Flags"))
	entries, err := c.search(ctx, ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)",
		[]string{"nTSecurityDescriptor"}, []ldap.Control{ldap.NewControlString(sdFlags, true, string(flags.Bytes()))}))
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", dn, ErrDescriptor, err)
	}
	if len(entries) == 0 || len(entries[0].GetEqualFoldRawAttributeValue("nTSecurityDescriptor")) == 0 {
		return nil, fmt.Errorf("%s: %w", dn, ErrDescriptor)
	}
	d, err := parseDescriptor(entries[0].GetEqualFoldRawAttributeValue("nTSecurityDescriptor"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", dn, ErrDescriptor, err)
	}
	return d, nil
}

const sdFlags = "1.2.840.113556.1.4.801" // LDAP_SERVER_SD_FLAGS_OID

// Policies counts the password settings objects that can be seen, and those of them whose numbers can be read.
func (c *Conn) Policies(ctx context.Context) (seen, readable int, err error) {
	entries, err := c.search(ctx, ldap.NewSearchRequest("CN=Password Settings Container,CN=System,"+c.root.domain, ldap.ScopeSingleLevel,
		ldap.NeverDerefAliases, 0, 0, false, "(objectClass=msDS-PasswordSettings)", []string{"msDS-MinimumPasswordLength"}, nil))
	for _, e := range entries {
		if e.GetEqualFoldAttributeValue("msDS-MinimumPasswordLength") != "" {
			readable++
		}
	}
	if KindOf(err) == NoSuchUser { // the container may not be seen
		return 0, 0, nil
	}
	return len(entries), readable, err
}

const anchorPage = 500

// Anchors tells the source anchor of each enabled user, of the first limit users. complete is false where there are
// more.
func (c *Conn) Anchors(ctx context.Context, limit int, tell func(anchor, dn string)) (complete bool, err error) {
	stop := context.AfterFunc(ctx, c.wire.reset)
	defer stop()
	page := ldap.NewControlPaging(anchorPage)
	for seen := 0; seen < limit; {
		found, err := c.ldap.Search(ldap.NewSearchRequest(c.root.domain, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
			"(&(objectCategory=person)(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))",
			[]string{"objectGUID", "mS-DS-ConsistencyGuid"}, []ldap.Control{page}))
		if err != nil {
			c.broken = true
			return false, fmt.Errorf("list the users of %s: %w", c.root.domain, err)
		}
		for _, e := range found.Entries {
			anchor := e.GetEqualFoldRawAttributeValue("mS-DS-ConsistencyGuid")
			if len(anchor) == 0 {
				anchor = e.GetEqualFoldRawAttributeValue("objectGUID")
			}
			tell(string(anchor), e.DN)
		}
		seen += len(found.Entries)
		next, ok := ldap.FindControl(found.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok || len(next.Cookie) == 0 {
			return true, nil
		}
		page.SetCookie(next.Cookie)
	}
	return false, nil
}

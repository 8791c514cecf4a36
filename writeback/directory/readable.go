package directory

// What the bind account may read of an object, by the object's access control list. It is asked about attributes that
// are not there: a controller shows one that may not be read as if it did not exist (MS-ADTS 3.1.1.4.3), in filters too.

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/uuid"

	"passback/writeback/protocol"
)

// MayRead tells of each attribute whether the caller may read it on an object. The error says that the object's
// permissions cannot be read.
func (c *Conn) MayRead(ctx context.Context, dn string, attributes ...string) (map[string]bool, error) {
	token, err := c.Token(ctx)
	if err != nil {
		return nil, err
	}
	descriptor, err := c.Descriptor(ctx, dn)
	if err != nil {
		return nil, err
	}
	may := map[string]bool{}
	for _, name := range attributes {
		a, err := c.Attribute(ctx, name)
		if err != nil {
			return nil, err
		}
		may[name] = a != nil && descriptor.Grants(token, ReadProperty, a.IDs...)
	}
	return may, nil
}

// An Attribute is an attribute's place in the schema.
type Attribute struct {
	MultiValued bool
	IDs         []uuid.UUID // by which an ACE may name it: its own, and its property set's
}

// Attribute looks an attribute up in the schema, once; nil if there is none of this name.
func (c *Conn) Attribute(ctx context.Context, name string) (*Attribute, error) {
	c.domain.mu.Lock()
	known := c.domain.schema[name]
	c.domain.mu.Unlock()
	if known != nil {
		return known, nil
	}
	root, err := c.readEntry(ctx, "", "schemaNamingContext")
	if err != nil {
		return nil, err
	}
	entries, err := c.search(ctx, ldap.NewSearchRequest(root.GetEqualFoldAttributeValue("schemaNamingContext"), ldap.ScopeSingleLevel, ldap.NeverDerefAliases,
		1, 0, false, "(lDAPDisplayName="+ldap.EscapeFilter(name)+")", []string{"schemaIDGUID", "attributeSecurityGUID", "isSingleValued"}, nil))
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	a := &Attribute{MultiValued: entries[0].GetEqualFoldAttributeValue("isSingleValued") == "FALSE"}
	for _, id := range []string{"schemaIDGUID", "attributeSecurityGUID"} {
		if raw := entries[0].GetEqualFoldRawAttributeValue(id); len(raw) == guidSize {
			a.IDs = append(a.IDs, fromPacket(raw))
		}
	}
	c.domain.mu.Lock()
	c.domain.schema[name] = a
	c.domain.mu.Unlock()
	return a, nil
}

// Well-known SIDs (MS-DTYP 2.4.2.4).
var (
	everyone           = sid(1, 0)
	network            = sid(5, 2)
	authenticatedUsers = sid(5, 11)
	thisOrganization   = sid(5, 15)
	administrators     = sid(5, 32, 544)
)

const domainAdmins = 512 // relative to the domain's SID

// Administrator reports whether a member of Administrators or of Domain Admins holds the token.
func (t Token) Administrator() bool {
	for s := range t {
		if s == administrators || len(s) == len(sid(5, 21, 0, 0, 0, domainAdmins)) && strings.HasSuffix(s, string(binary.LittleEndian.AppendUint32(nil, domainAdmins))) {
			return true
		}
	}
	return false
}

// Token returns the SIDs of the bind account, as they were when it was first asked for on this connection: those of the connection, where the controller tells them; else the
// account's own, its groups', and those that everybody has who comes over the network.
func (c *Conn) Token(ctx context.Context) (Token, error) {
	if c.token != nil {
		return c.token, nil
	}
	t, err := c.readToken(ctx)
	if err == nil {
		c.token = t
	}
	return t, err
}

func (c *Conn) readToken(ctx context.Context) (Token, error) {
	t := Token{}
	root, err := c.readEntry(ctx, "", "tokenGroups")
	if err != nil {
		return nil, err
	}
	t.add(root, "tokenGroups")
	if len(t) > 0 {
		return t, nil
	}
	dn, err := c.ownDN(ctx)
	if err != nil {
		return nil, err
	}
	own, err := c.readEntry(ctx, dn, "objectSid", "tokenGroups")
	if err != nil {
		return nil, err
	}
	for _, s := range []string{everyone, network, authenticatedUsers, thisOrganization} {
		t[s] = true
	}
	t.add(own, "objectSid", "tokenGroups")
	return t, c.addGroupsOfEverybody(ctx, t)
}

// addGroupsOfEverybody adds the groups that Everyone and Authenticated Users are members of, as foreign principals
// (MS-ADTS 6.1.1.4.10): through Pre-Windows 2000 Compatible Access most accounts may read most of users.
func (c *Conn) addGroupsOfEverybody(ctx context.Context, t Token) error {
	const foreign = ",CN=ForeignSecurityPrincipals,"
	filter := fmt.Sprintf("(&(objectClass=group)(|(member=CN=S-1-1-0%[1]s%[2]s)(member=CN=S-1-5-11%[1]s%[2]s)))", foreign, c.root.domain)
	groups, err := c.search(ctx, ldap.NewSearchRequest(c.root.domain, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, []string{"objectSid"}, nil))
	for _, g := range groups {
		t.add(g, "objectSid")
	}
	return err
}

func (t Token) add(e *ldap.Entry, attributes ...string) {
	for _, a := range attributes {
		for _, raw := range e.GetEqualFoldRawAttributeValues(a) {
			t[string(raw)] = true
		}
	}
}

// ownDN finds the bind account by what it signed in with.
func (c *Conn) ownDN(ctx context.Context) (string, error) {
	user := c.domain.o.User
	if _, err := ldap.ParseDN(user); err == nil && strings.Contains(user, "=") {
		return user, nil
	}
	if _, name, slash := strings.Cut(user, `\`); slash {
		user = name
	}
	found, err := c.FindName(ctx, user)
	if err == nil && len(found) == 0 { // a user principal name that is nowhere written, name@domain
		name, _, _ := strings.Cut(user, "@")
		found, err = c.FindName(ctx, name)
	}
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("the agent's own account, %s, was not found: %w", c.domain.o.User, protocol.ErrInvalid)
	}
	return found[0].DN, nil
}

package targets

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"passback/scenarios"
	"passback/writeback/protocol"
)

// People in the directory: made, altered and read by an administrator over LDAPS, in an OU of this target's own.

// Bits of userAccountControl and of msDS-User-Account-Control-Computed (MS-ADTS 2.2.16).
const (
	normalAccount  = 0x200
	accountDisable = 0x2
	dontExpire     = 0x10000
	lockedOut      = 0x10
)

// seedbed is the part of a directory that a target may write to.
type seedbed struct {
	endpoint
	base     string   // DN of the domain
	ou       string   // DN of the target's own OU
	settings []string // DNs of password settings objects
	// federated is the UPN suffix of people whose sign-in is federated.
	federated string
}

// lay makes the OU.
func (b *seedbed) lay() error {
	return b.asAdmin(func(c *ldap.Conn) error {
		root, err := read(c, "", "defaultNamingContext")
		if err != nil || root == nil {
			return fmt.Errorf("read the rootDSE: %w", err)
		}
		b.base = root.GetAttributeValue("defaultNamingContext")
		b.ou = "OU=passback-" + strings.ToLower(rand.Text()[:8]) + "," + b.base
		add := ldap.NewAddRequest(b.ou, nil)
		add.Attribute("objectClass", []string{"organizationalUnit"})
		if err := c.Add(add); err != nil {
			return fmt.Errorf("add %s: %w", b.ou, err)
		}
		return nil
	})
}

// clear removes the OU and all that was seeded.
func (b *seedbed) clear() error {
	if b.ou == "" {
		return nil
	}
	return b.asAdmin(func(c *ldap.Conn) error {
		found, err := c.Search(ldap.NewSearchRequest(b.ou, ldap.ScopeSingleLevel, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{"1.1"}, nil))
		if err != nil {
			return fmt.Errorf("list what was seeded: %w", err)
		}
		names := slices.Clone(b.settings)
		for _, e := range found.Entries {
			names = append(names, e.DN)
		}
		for _, dn := range append(names, b.ou) {
			if err := c.Del(ldap.NewDelRequest(dn, nil)); err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
				return fmt.Errorf("remove %s: %w", dn, err)
			}
		}
		return nil
	})
}

// add makes a person, enabled, with the password.
func (b *seedbed) add(ctx context.Context, p scenarios.Person) (u scenarios.User, err error) {
	if p.SAM == "" {
		p.SAM = "pb" + strings.ToLower(rand.Text()[:12])
	}
	suffix := b.domain
	if p.Federated {
		suffix = b.federated
	}
	u = scenarios.User{SAM: p.SAM, UPN: p.SAM + "@" + suffix, DN: "CN=" + p.SAM + "," + b.ou, Federated: p.Federated, Password: p.Password}
	err = asked(ctx, func() error {
		return b.asAdmin(func(c *ldap.Conn) error {
			control := normalAccount
			if p.NeverExpires {
				control |= dontExpire
			}
			if err := b.addAccount(c, u.DN, u.SAM, u.UPN, p.DisplayName, p.Password, control); err != nil {
				return err
			}
			return b.bring(c, u, p)
		})
	})
	if err == nil && p.Locked {
		err = b.lock(u)
	}
	return u, err
}

func (b *seedbed) addAccount(c *ldap.Conn, dn, sam, upn, displayName string, password protocol.Secret, control int) error {
	add := ldap.NewAddRequest(dn, nil)
	add.Attribute("objectClass", []string{"user"})
	add.Attribute("sAMAccountName", []string{sam})
	add.Attribute("userPrincipalName", []string{upn})
	if displayName != "" {
		add.Attribute("displayName", []string{displayName})
	}
	add.Attribute("unicodePwd", []string{quoted(password)})
	add.Attribute("userAccountControl", []string{strconv.Itoa(control)})
	if err := c.Add(add); err != nil {
		return fmt.Errorf("add %s: %w", dn, err)
	}
	return nil
}

// bring puts a new account into the state that was asked for.
func (b *seedbed) bring(c *ldap.Conn, u scenarios.User, p scenarios.Person) error {
	m := ldap.NewModifyRequest(u.DN, nil)
	if p.MustChange {
		m.Replace("pwdLastSet", []string{"0"})
	}
	if p.Protected {
		m.Replace("adminCount", []string{"1"})
	}
	if len(m.Changes) == 0 {
		return nil
	}
	if err := c.Modify(m); err != nil {
		return fmt.Errorf("bring %s into its state: %w", u.DN, err)
	}
	return nil
}

// lock locks by wrong passwords, of which the policy must count some.
func (b *seedbed) lock(u scenarios.User) error {
	const most = 10
	for range most {
		if _, err := b.bind(u.DN, protocol.NewSecret("Wr0ng!"+rand.Text())); err != nil {
			return err
		}
		a, err := b.account(u)
		if err != nil || a.Locked {
			return err
		}
	}
	return fmt.Errorf("%s is not locked after %d wrong passwords: the policy has no lockout threshold of at most so many", u.UPN, most)
}

func (b *seedbed) alter(u scenarios.User, a scenarios.Alteration) error {
	return b.asAdmin(func(c *ldap.Conn) error {
		switch {
		case a.Delete:
			if err := c.Del(ldap.NewDelRequest(u.DN, nil)); err != nil {
				return fmt.Errorf("delete %s: %w", u.DN, err)
			}
			return nil
		case a.BlockInheritance:
			return blockInheritance(c, u.DN)
		case a.Administrator:
			m := ldap.NewModifyRequest("CN=Domain Admins,CN=Users,"+b.base, nil)
			m.Add("member", []string{u.DN})
			if err := c.Modify(m); err != nil {
				return fmt.Errorf("make %s an administrator: %w", u.DN, err)
			}
			return nil
		}
		m := ldap.NewModifyRequest(u.DN, nil)
		if a.Disable {
			m.Replace("userAccountControl", []string{strconv.Itoa(normalAccount | accountDisable)})
		}
		if a.TwinOf != nil {
			other, err := read(c, a.TwinOf.DN, "objectGUID")
			if err != nil || other == nil {
				return fmt.Errorf("read the source anchor of %s: %w", a.TwinOf.DN, err)
			}
			m.Replace("mS-DS-ConsistencyGuid", []string{string(other.GetRawAttributeValue("objectGUID"))})
		}
		if err := c.Modify(m); err != nil {
			return fmt.Errorf("alter %s: %w", u.DN, err)
		}
		return nil
	})
}

var accountAttributes = []string{"pwdLastSet", "badPwdCount", "msDS-User-Account-Control-Computed", "msDS-KeyVersionNumber", protocol.DefaultMarkerAttribute}

func (e endpoint) account(u scenarios.User) (a scenarios.Account, err error) {
	err = e.asAdmin(func(c *ldap.Conn) error {
		entry, err := read(c, u.DN, accountAttributes...)
		if err != nil || entry == nil {
			return err
		}
		number := func(name string) int64 {
			n, _ := strconv.ParseInt(entry.GetAttributeValue(name), 10, 64) // absent is 0
			return n
		}
		a = scenarios.Account{
			Exists:      true,
			Locked:      number("msDS-User-Account-Control-Computed")&lockedOut != 0,
			MustChange:  number("pwdLastSet") == 0,
			PasswordSet: instant(number("pwdLastSet")),
			Writes:      int(number("msDS-KeyVersionNumber")),
			BadCount:    int(number("badPwdCount")),
		}
		for _, value := range entry.GetAttributeValues(protocol.DefaultMarkerAttribute) {
			if m, ours := protocol.ParseMarker(value); ours {
				a.Markers = append(a.Markers, m)
			}
		}
		return nil
	})
	return a, err
}

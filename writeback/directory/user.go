package directory

// Finding the account by its source anchor: mS-DS-ConsistencyGuid where the account has one, else objectGUID.
// All that a decision needs is read in the same search, so that it is of one instant; more markers than one search
// tells are read a moment later. What only the words of a refusal need is read for a refusal.

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// userAccountControl (MS-SAMR 2.2.1.12, in the directory's own bits: MS-ADTS 2.2.16).
const (
	uacAccountDisable = 0x2
	uacDontExpire     = 0x10000
)

// maxMatches of one anchor: more than one is a fault already.
const maxMatches = 16

// ErrUnreadable says that the bind account may not read what it must.
var ErrUnreadable = errors.New("the agent's account may not read userAccountControl or objectGUID of users")

// A User is an account as it was at the instant of the search.
type User struct {
	GUID         []byte // objectGUID, as stored
	DN           string
	Enabled      bool
	NeverExpires bool      // the password
	Protected    bool      // adminCount is 1
	PasswordSet  time.Time // pwdLastSet; zero: must be changed at next sign-in
	PasswordTold bool      // pwdLastSet could be read
	Markers      []string  // values of the marker's attribute, others' too

	// By Describe, of the instant at which that was asked.
	SAM         string
	DisplayName string
	PSO         string // DN of the password settings object in effect; empty: the domain's policy, as far as can be read
}

// attributes of a User.
func (c *Conn) attributes() []string {
	return []string{"objectGUID", "userAccountControl", "adminCount", "pwdLastSet", c.domain.o.Marker}
}

// Find returns every user account, enabled or not, that carries the source anchor of 16 bytes.
func (c *Conn) Find(ctx context.Context, anchor []byte) ([]User, error) {
	value := ldap.EscapeFilter(string(anchor))
	filter := fmt.Sprintf("(&(objectCategory=person)(objectClass=user)(|(mS-DS-ConsistencyGuid=%s)(&(objectGUID=%s)(!(mS-DS-ConsistencyGuid=*)))))", value, value)
	return c.users(ctx, filter)
}

// Find opens a connection to the controller whose dnsHostName is dc, and finds the accounts of an anchor there. The search
// tells as well as a probe whether a connection that lay idle still stands; one that does not answer is given up for a
// new one. Release the connection, which is nil where none could be had.
func (d *Domain) Find(ctx context.Context, dc string, anchor []byte) (*Conn, []User, error) {
	if address, known := d.knownAddress(strings.ToLower(dc)); known {
		if c := d.takeIdle(address); c != nil {
			c.ldap.SetTimeout(min(probeTimeout, d.o.Timeout))
			users, err := c.Find(ctx, anchor)
			c.ldap.SetTimeout(d.o.Timeout)
			if strings.EqualFold(c.root.host, dc) && KindOf(err) != Unreachable {
				return c, users, err
			}
			c.Reset()
		}
	}
	c, err := d.Open(ctx, dc)
	if err != nil {
		return nil, nil, err
	}
	users, err := c.Find(ctx, anchor)
	return c, users, err
}

// FindMarked returns every user account whose marker's attribute holds value. A controller has no index of it, so this
// is for people who ask, not for requests.
func (c *Conn) FindMarked(ctx context.Context, value string) ([]User, error) {
	return c.users(ctx, fmt.Sprintf("(&(objectCategory=person)(objectClass=user)(%s=%s))", c.domain.o.Marker, ldap.EscapeFilter(value)))
}

// Read returns the account of an objectGUID as it is now; a NoSuchUser error if it is gone.
func (c *Conn) Read(ctx context.Context, guid []byte) (User, error) {
	users, err := c.users(ctx, fmt.Sprintf("(objectGUID=%s)", ldap.EscapeFilter(string(guid))))
	if err != nil {
		return User{}, err
	}
	if len(users) != 1 {
		return User{}, &ResultError{Operation: "search", DC: c.root.host, Code: ldap.LDAPResultNoSuchObject, Diagnostic: "the account is gone"}
	}
	return users[0], nil
}

// Describe reads what the rules of a password ask of u besides.
func (c *Conn) Describe(ctx context.Context, u *User) error {
	e, err := c.readEntry(ctx, fmt.Sprintf("<GUID=%x>", u.GUID), "sAMAccountName", "displayName", "msDS-ResultantPSO")
	if err != nil {
		return err
	}
	u.SAM, u.DisplayName = e.GetEqualFoldAttributeValue("sAMAccountName"), e.GetEqualFoldAttributeValue("displayName")
	u.PSO = e.GetEqualFoldAttributeValue("msDS-ResultantPSO")
	return nil
}

// noReferences keeps a controller from naming the partitions below the domain, where no accounts are, in every answer
// (LDAP_SERVER_DOMAIN_SCOPE_OID, MS-ADTS 3.1.1.3.4.1). One that does not know it may ignore it.
var noReferences = []ldap.Control{ldap.NewControlString(ldap.ControlTypeMicrosoftDomainScope, false, "")}

func (c *Conn) users(ctx context.Context, filter string) ([]User, error) {
	entries, err := c.search(ctx, ldap.NewSearchRequest(c.root.domain, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases,
		maxMatches, int(c.domain.o.Timeout/time.Second), false, filter, c.attributes(), noReferences))
	if err != nil {
		return nil, err
	}
	var users []User
	for _, e := range entries {
		u, err := c.parseUser(e)
		if err == nil {
			u.Markers, err = c.values(ctx, e, c.domain.o.Marker)
		}
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	return users, nil
}

func (c *Conn) parseUser(e *ldap.Entry) (User, error) {
	guid := e.GetEqualFoldRawAttributeValue("objectGUID")
	uac, err := strconv.ParseInt(e.GetEqualFoldAttributeValue("userAccountControl"), 10, 64)
	if err != nil || len(guid) != 16 {
		return User{}, fmt.Errorf("%s: %w", e.DN, ErrUnreadable)
	}
	u := User{
		GUID: guid, DN: e.DN,
		Enabled: uac&uacAccountDisable == 0, NeverExpires: uac&uacDontExpire != 0,
		Protected: e.GetEqualFoldAttributeValue("adminCount") == "1",
	}
	if ticks, err := strconv.ParseInt(e.GetEqualFoldAttributeValue("pwdLastSet"), 10, 64); err == nil {
		u.PasswordTold = true
		u.PasswordSet = fromFileTime(ticks)
	}
	return u, nil
}

// A file time counts steps of 100 ns from 1601 (MS-DTYP 2.3.3).
const (
	stepsPerSecond   = 1e7
	secondsFrom1601  = 11644473600 // to 1970
	nanosecondsAStep = 100
)

func fromFileTime(steps int64) time.Time {
	if steps <= 0 {
		return time.Time{}
	}
	return time.Unix(steps/stepsPerSecond-secondsFrom1601, steps%stepsPerSecond*nanosecondsAStep).UTC()
}

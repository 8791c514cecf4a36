package directory

// rootDSE: what a controller says of itself before anyone binds (MS-ADTS 3.1.1.3.2).

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// capabilityPartialSecrets is what a read-only controller has (LDAP_CAP_ACTIVE_DIRECTORY_PARTIAL_SECRETS_OID).
const capabilityPartialSecrets = "1.2.840.113556.1.4.1920"

// generalizedTime is currentTime's form: always UTC, whole seconds.
const generalizedTime = "20060102150405.0Z"

type rootDSE struct {
	host     string // dnsHostName, in lower case
	domain   string // DN of the domain's head
	hints    string // OID of the policy-hints control; empty: none is offered
	readOnly bool
	samba    bool
	now      time.Time // the domain's time, zero if it is not told
}

func (c *Conn) readRootDSE() (rootDSE, error) {
	found, err := c.ldap.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)",
		[]string{"dnsHostName", "defaultNamingContext", "supportedControl", "supportedCapabilities", "currentTime", "vendorName"}, nil))
	if err != nil {
		return rootDSE{}, fmt.Errorf("read rootDSE: %w", err)
	}
	if len(found.Entries) != 1 {
		return rootDSE{}, fmt.Errorf("read rootDSE: %d entries, want 1", len(found.Entries))
	}
	e := found.Entries[0]
	root := rootDSE{
		host:     strings.ToLower(e.GetEqualFoldAttributeValue("dnsHostName")),
		domain:   e.GetEqualFoldAttributeValue("defaultNamingContext"),
		hints:    offeredHints(e.GetEqualFoldAttributeValues("supportedControl")),
		readOnly: slices.Contains(e.GetEqualFoldAttributeValues("supportedCapabilities"), capabilityPartialSecrets),
		samba:    strings.HasPrefix(e.GetEqualFoldAttributeValue("vendorName"), "Samba"),
	}
	if root.host == "" || root.domain == "" {
		return rootDSE{}, fmt.Errorf("read rootDSE: no dnsHostName or defaultNamingContext: not a domain controller")
	}
	root.now, _ = time.Parse(generalizedTime, e.GetEqualFoldAttributeValue("currentTime")) // absent: not told
	return root, nil
}

// ComparesNames tells whether the controller refuses a complex password that contains a name of its account. Windows does
// (MS-SAMR 3.1.1.7.2); Samba, up to 4.24, does not.
func (c *Conn) ComparesNames() bool { return !c.root.samba }

// Time reads the domain's time, as its controller tells it, to the second.
func (c *Conn) Time(ctx context.Context) (time.Time, error) {
	stop := context.AfterFunc(ctx, c.wire.reset)
	defer stop()
	root, err := c.readRootDSE()
	if err != nil {
		c.broken = true
		return time.Time{}, unreachable(c.root.host, err)
	}
	if root.now.IsZero() {
		return time.Time{}, fmt.Errorf("%s tells no currentTime", c.root.host)
	}
	return root.now, nil
}

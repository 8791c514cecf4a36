package fakead_test

import (
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// withCatalog starts a domain controller that serves the global catalog, with alice in it.
func withCatalog(t *testing.T) *fakead.Server {
	t.Helper()
	dc := fakead.RunT(t, fakead.Options{GlobalCatalog: true})
	seed(t, dc, fakead.User{SAM: "alice"})
	return dc
}

// dialCatalog connects to the global catalog, as administrator.
func dialCatalog(t *testing.T, dc *fakead.Server, url string) *ldap.Conn {
	t.Helper()
	c, err := ldap.DialURL(url, ldap.DialWithTLSConfig(&tls.Config{RootCAs: dc.CA().Pool()}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Bind(dc.AdminDN(), dc.AdminPassword()); err != nil {
		t.Fatal(err)
	}
	return c
}

func namesFound(t *testing.T, c *ldap.Conn, base string, scope int, filter string, attributes ...string) *ldap.SearchResult {
	t.Helper()
	found, err := c.Search(ldap.NewSearchRequest(base, scope, 0, 0, 0, false, filter, attributes, nil))
	if err != nil {
		t.Fatalf("search %q for %s: %v", base, filter, err)
	}
	return found
}

func TestTheGlobalCatalogSearchesAllNamingContexts(t *testing.T) {
	dc := withCatalog(t)
	for _, url := range []string{dc.GCURL(), dc.GCSURL()} {
		c := dialCatalog(t, dc, url)
		for filter, want := range map[string]string{
			"(sAMAccountName=alice)":             dnOf(t, dc, "alice"),
			"(nETBIOSName=CORP)":                 "", // nETBIOSName is not of the partial attribute set
			"(&(objectClass=crossRef)(cn=CORP))": "CN=CORP,CN=Partitions,CN=Configuration," + dc.BaseDN(),
			"(lDAPDisplayName=pwdLastSet)":       "CN=Pwd-Last-Set,CN=Schema,CN=Configuration," + dc.BaseDN(),
		} {
			for _, base := range []string{"", dc.BaseDN()} {
				var got string
				found := namesFound(t, c, base, ldap.ScopeWholeSubtree, filter, "1.1")
				for _, e := range found.Entries {
					got += e.DN
				}
				if !strings.EqualFold(got, want) || len(found.Referrals) > 0 {
					t.Errorf("%s below %q: %q and %v, want %q and no reference", filter, base, got, found.Referrals, want)
				}
			}
		}
		root := namesFound(t, c, "", ldap.ScopeBaseObject, "(objectClass=*)", "isGlobalCatalogReady", "dnsHostName").Entries[0]
		if root.GetAttributeValue("isGlobalCatalogReady") != "TRUE" || root.GetAttributeValue("dnsHostName") != dc.HostName() {
			t.Errorf("rootDSE: %v", root.Attributes)
		}
	}
}

// What the partial attribute set lacks is as if no object had it: not shown, not found, equal to nothing.
func TestTheGlobalCatalogHasThePartialAttributeSet(t *testing.T) {
	dc := withCatalog(t)
	alice := dnOf(t, dc, "alice")
	if err := dc.SetAttribute("alice", "title", "Engineer"); err != nil {
		t.Fatal(err)
	}
	add := ldap.NewModifyRequest("CN=Account Operators,CN=Builtin,"+dc.BaseDN(), nil)
	add.Add("member", []string{alice})
	if err := asAdministrator(t, dc).Modify(add); err != nil {
		t.Fatal(err)
	}
	c := dialCatalog(t, dc, dc.GCSURL())
	shown := []string{"sAMAccountName", "userAccountControl", "memberOf", "canonicalName", "tokenGroups", "msDS-User-Account-Control-Computed", "objectGUID", "nTSecurityDescriptor"}
	lacking := []string{"title", "pwdLastSet", "lockoutTime", "unicodePwd", "badPwdCount"}
	for _, attributes := range [][]string{slices.Concat(shown, lacking), {"*", "canonicalName", "tokenGroups", "msDS-User-Account-Control-Computed", "nTSecurityDescriptor"}} {
		e := namesFound(t, c, alice, ldap.ScopeBaseObject, "(objectClass=*)", attributes...).Entries[0]
		for _, name := range shown {
			if len(e.GetRawAttributeValue(name)) == 0 {
				t.Errorf("asked for %v: no %s", attributes, name)
			}
		}
		for _, name := range lacking {
			if len(e.GetAttributeValues(name)) > 0 {
				t.Errorf("asked for %v: %s is shown", attributes, name)
			}
		}
	}
	for _, filter := range []string{"(title=*)", "(pwdLastSet=*)", "(&(sAMAccountName=alice)(title=Engineer))"} {
		if found := namesFound(t, c, "", ldap.ScopeWholeSubtree, filter, "1.1"); len(found.Entries) > 0 {
			t.Errorf("%s finds %d entries", filter, len(found.Entries))
		}
	}
	_, err := c.Compare(alice, "title", "Engineer")
	expect(t, "compare title", err, 16, "0000200A")
	if same, err := c.Compare(alice, "sAMAccountName", "alice"); err != nil || !same {
		t.Errorf("compare sAMAccountName: %v, %v", same, err)
	}
}

// An agent that was pointed at a global catalog signs in, and learns at its first write that this is none.
func TestTheGlobalCatalogTakesNoWrites(t *testing.T) {
	dc := withCatalog(t)
	alice := dnOf(t, dc, "alice")
	c := dialCatalog(t, dc, dc.GCSURL())
	const refusal = "00002035: LdapErr: DSID-0C090D21, comment: Operation not allowed through GC port, data 0, v4f7c"
	group := ldap.NewAddRequest("CN=new,CN=Users,"+dc.BaseDN(), nil)
	group.Attribute("objectClass", []string{"group"})
	for what, write := range map[string]func() error{
		"reset":     func() error { return c.Modify(resetRequest(alice, newPassword)) },
		"change":    func() error { return c.Modify(changeRequest(alice, oldPassword, newPassword)) },
		"of nobody": func() error { return c.Modify(resetRequest("CN=nobody,"+dc.BaseDN(), newPassword)) },
		"add":       func() error { return c.Add(group) },
		"delete":    func() error { return c.Del(ldap.NewDelRequest(alice, nil)) },
		"rename":    func() error { return c.ModifyDN(ldap.NewModifyDNRequest(alice, "CN=Bob", true, "")) },
	} {
		expect(t, what, write(), 53, refusal)
	}
	if who, err := c.WhoAmI(nil); err != nil || who.AuthzID != `u:CORP\Administrator` {
		t.Errorf("afterwards: %v, %v", who, err)
	}
	expect(t, "the old password", connect(t, dc).Bind("alice@corp.example", oldPassword), 0, "")
	if err := c.UnauthenticatedBind(""); err != nil {
		t.Fatal(err)
	}
	expect(t, "anonymous", c.Modify(resetRequest(alice, newPassword)), 53, refusal)
}

func TestTheGlobalCatalogIsFoundByDNS(t *testing.T) {
	forest := fakead.RunForestT(t, fakead.ForestOptions{
		Options: fakead.Options{GlobalCatalog: true}, DCs: []fakead.DC{{}, {Site: "Branch", ReadOnly: true}},
	})
	for name, want := range map[string][]string{
		"_gc._tcp.corp.example":                                            {"dc1"},
		"_ldap._tcp.gc._msdcs.corp.example":                                {"dc1"},
		"_gc._tcp.Branch._sites.corp.example":                              {"dc2"},
		"_ldap._tcp.Default-First-Site-Name._sites.gc._msdcs.corp.example": {"dc1"},
	} {
		_, records, err := forest.Resolver().LookupSRV(t.Context(), "", "", name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var hosts []string
		for _, r := range records {
			host, _, _ := strings.Cut(r.Target, ".")
			hosts = append(hosts, host)
			if port := portOf(t, forest.DC(host).GCURL()); r.Port != port {
				t.Errorf("%s: port %d, want %d", name, r.Port, port)
			}
		}
		if !slices.Equal(hosts, want) {
			t.Errorf("%s: %v, want %v", name, hosts, want)
		}
	}
	_, _, err := fakead.RunT(t).Forest().Resolver().LookupSRV(t.Context(), "gc", "tcp", "corp.example")
	if missing := new(net.DNSError); !errors.As(err, &missing) || !missing.IsNotFound {
		t.Errorf("where none is served: %v", err)
	}
}

// A domain controller that comes up again serves its global catalog again; one that was not asked to opens no port.
func TestTheGlobalCatalogComesAndGoesWithItsServer(t *testing.T) {
	dc := withCatalog(t)
	url := dc.GCURL()
	dc.Stop()
	if _, err := ldap.DialURL(url); err == nil {
		t.Error("it answers while the domain controller is down")
	}
	if err := dc.Start(); err != nil {
		t.Fatal(err)
	}
	namesFound(t, dialCatalog(t, dc, url), "", ldap.ScopeWholeSubtree, "(sAMAccountName=alice)", "cn")
	if other := fakead.RunT(t); other.GCURL() != "" || other.GCSURL() != "" {
		t.Errorf("it listens at %q and %q without being asked", other.GCURL(), other.GCSURL())
	}
	l := newPipeListener()
	go func() { _ = dc.ServeGC(l) }()
	own := ldap.NewConn(l.dial(), false)
	own.Start()
	defer own.Close()
	if err := own.Bind(dc.AdminDN(), dc.AdminPassword()); err != nil {
		t.Fatal(err)
	}
	expect(t, "on a listener of one's own", own.Del(ldap.NewDelRequest(dnOf(t, dc, "alice"), nil)), 53, "00002035")
}

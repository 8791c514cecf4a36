package fakead_test

import (
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
	"passback/fakead/tree"
)

func rootDSE(t *testing.T, c *ldap.Conn, attributes ...string) *ldap.Entry {
	t.Helper()
	return read(t, c, "", attributes...)
}

func TestRootDSEIsForEveryone(t *testing.T) {
	dc := fakead.RunT(t)
	c := connect(t, dc) // not bound
	e := rootDSE(t, c)
	const dc1 = "CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration," + base
	for name, want := range map[string]string{
		"defaultNamingContext": base, "configurationNamingContext": "CN=Configuration," + base, "dnsHostName": "dc1.corp.example",
		"serverName": dc1, "dsServiceName": "CN=NTDS Settings," + dc1, "domainFunctionality": "7", "isSynchronized": "TRUE",
	} {
		if got := e.GetAttributeValue(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string][]string{
		"supportedControl":      {"1.2.840.113556.1.4.2239", "1.2.840.113556.1.4.2066", "1.2.840.113556.1.4.319", "2.16.840.1.113730.3.4.9"},
		"supportedCapabilities": {"1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670"},
		"supportedLDAPVersion":  {"3", "2"},
		"namingContexts":        {base, "CN=Configuration," + base, "CN=Schema,CN=Configuration," + base},
	} {
		for _, value := range want {
			if !slices.Contains(e.GetAttributeValues(name), value) {
				t.Errorf("%s lacks %s", name, value)
			}
		}
	}
	if got := attributeNames(rootDSE(t, c, "DNSHOSTNAME", "nosuch")); !slices.Equal(got, []string{"dnsHostName"}) {
		t.Errorf("asked for dnsHostName, got %q", got)
	}
	_, err := c.Search(subtree(base, everything))
	expect(t, "anything else", err, 1, "000004DC: LdapErr: DSID-0C090A5A, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v4f7c\x00")
}

func TestRootDSETellsTheDomainsTime(t *testing.T) {
	dc := fakead.RunT(t)
	c := connect(t, dc)
	before := dc.Clock().Now().UTC().Format("20060102150405") + ".0Z"
	got := rootDSE(t, c, "currentTime").GetAttributeValue("currentTime")
	after := dc.Clock().Now().UTC().Format("20060102150405") + ".0Z"
	if got < before || got > after {
		t.Errorf("got %s, want between %s and %s", got, before, after)
	}
}

func TestRootDSEFollowsTheOperatingSystem(t *testing.T) {
	for os, want := range map[string]struct {
		level   string
		has2309 bool
		has2354 bool
	}{"2012R2": {"6", false, false}, "2016": {"7", true, false}, "2019": {"7", true, true}, "2025": {"10", true, true}} {
		e := rootDSE(t, connect(t, fakead.RunT(t, fakead.Options{OS: os})))
		controls := e.GetAttributeValues("supportedControl")
		if e.GetAttributeValue("domainControllerFunctionality") != want.level ||
			slices.Contains(controls, "1.2.840.113556.1.4.2309") != want.has2309 || slices.Contains(controls, "1.2.840.113556.1.4.2354") != want.has2354 {
			t.Errorf("%s: level %s, controls %q", os, e.GetAttributeValue("domainControllerFunctionality"), controls)
		}
	}
}

func TestAServerWithoutPolicyHints(t *testing.T) {
	dc := fakead.RunT(t)
	dc.SetPolicyHints(false)
	controls := rootDSE(t, connect(t, dc)).GetAttributeValues("supportedControl")
	for _, oid := range []string{"1.2.840.113556.1.4.2239", "1.2.840.113556.1.4.2066"} {
		if slices.Contains(controls, oid) {
			t.Errorf("%s is offered", oid)
		}
	}
}

func TestRootDSETellsCallersWhoTheyAre(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice", Groups: []string{"Domain Admins"}})
	ask := func(c *ldap.Conn) (sids []string) {
		for _, sid := range readBase(t, c, "", nil, "tokenGroups").GetRawAttributeValues("tokenGroups") {
			sids = append(sids, tree.SID(sid).String())
		}
		return sids
	}
	c := connectAs(t, dc, "alice@corp.example", oldPassword)
	own := tree.SID(read(t, c, dnOf(t, dc, "alice"), "objectSid").GetRawAttributeValue("objectSid"))
	domain, _ := own.RID()
	got := ask(c)
	if got[0] != own.String() || !slices.Contains(got, domain.WithRID(512).String()) || !slices.Contains(got, "S-1-5-11") {
		t.Errorf("of alice: %q", got)
	}
	if got := ask(connect(t, dc)); got[0] != "S-1-5-7" || slices.Contains(got, "S-1-5-11") {
		t.Errorf("of nobody: %q", got)
	}
}

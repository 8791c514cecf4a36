package fakead_test

import (
	"testing"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

func TestANewDomain(t *testing.T) {
	dc := fakead.RunT(t)
	c := connectAs(t, dc, "Administrator@corp.example", dc.AdminPassword())
	for dn, class := range map[string]string{
		base:                                   "domainDNS",
		users:                                  "container",
		"CN=Computers," + base:                 "container",
		"OU=Domain Controllers," + base:        "organizationalUnit",
		"CN=DC1,OU=Domain Controllers," + base: "computer",
		"CN=Builtin," + base:                   "builtinDomain",
		"CN=AdminSDHolder,CN=System," + base:   "container",
		"CN=Password Settings Container,CN=System," + base:                          "msDS-PasswordSettingsContainer",
		"CN=ForeignSecurityPrincipals," + base:                                      "container",
		"CN=Configuration," + base:                                                  "configuration",
		"CN=CORP,CN=Partitions,CN=Configuration," + base:                            "crossRef",
		"CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration," + base:   "nTDSService",
		"CN=User-Force-Change-Password,CN=Extended-Rights,CN=Configuration," + base: "controlAccessRight",
		"CN=Schema,CN=Configuration," + base:                                        "dMD",
		"CN=Unicode-Pwd,CN=Schema,CN=Configuration," + base:                         "attributeSchema",
		"CN=Person,CN=Schema,CN=Configuration," + base:                              "classSchema",
		"CN=Krbtgt," + users:                                                        "user", "CN=Guest," + users: "user", "CN=Protected Users," + users: "group",
	} {
		classes := read(t, c, dn, "objectClass").GetAttributeValues("objectClass")
		if classes[len(classes)-1] != class {
			t.Errorf("%s is a %s, want a %s", dn, classes[len(classes)-1], class)
		}
	}
}

func TestWellKnownAccounts(t *testing.T) {
	dc := fakead.RunT(t)
	c := asAdministrator(t, dc)
	domainSID := read(t, c, base, "objectSid").GetRawAttributeValue("objectSid")
	for name, rid := range map[string]byte{"Administrator": 244, "Guest": 245, "krbtgt": 246} { // 500, 501, 502: 0x1f4...
		sid := read(t, c, dnOf(t, dc, name), "objectSid").GetRawAttributeValue("objectSid")
		if string(sid) != "\x01\x05"+string(domainSID[2:])+string([]byte{rid, 1, 0, 0}) {
			t.Errorf("%s has SID %x in domain %x", name, sid, domainSID)
		}
	}
	for sid, want := range map[string]string{
		"S-1-5-32-544": "CN=Administrators,CN=Builtin," + base,
		"S-1-5-11":     "CN=S-1-5-11,CN=ForeignSecurityPrincipals," + base,
	} {
		if got := read(t, c, "<SID="+sid+">", "1.1").DN; got != want {
			t.Errorf("%s is %s, want %s", sid, got, want)
		}
	}
	admins := query(t, c, base, "(&(objectCategory=person)(memberOf:1.2.840.113556.1.4.1941:=CN=Administrators,CN=Builtin,"+base+"))", "adminCount")
	if len(admins) != 1 || admins[0].DN != dc.AdminDN() || admins[0].GetAttributeValue("adminCount") != "1" {
		t.Errorf("administrators: %v", admins)
	}
	disabled := query(t, c, base, "(&(objectCategory=person)(userAccountControl:1.2.840.113556.1.4.803:=2))", "1.1")
	if len(disabled) != 2 {
		t.Errorf("%d accounts are disabled, want Guest and krbtgt", len(disabled))
	}
}

func TestTheDefaultPolicyIsOnTheHead(t *testing.T) {
	dc := fakead.RunT(t)
	e := read(t, asAdministrator(t, dc), base)
	for name, want := range map[string]string{
		"minPwdLength": "7", "pwdProperties": "1", "pwdHistoryLength": "24", "minPwdAge": "-864000000000", "maxPwdAge": "-36288000000000",
		"lockoutThreshold": "0", "lockoutDuration": "-18000000000", "lockOutObservationWindow": "-18000000000",
	} {
		if got := e.GetAttributeValue(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// A client that wants the PDC emulator follows names from the head to the server.
func TestThePDCEmulatorCanBeFound(t *testing.T) {
	dc := fakead.RunT(t, fakead.Options{Domain: "one.two.test", NetBIOS: "ONE"})
	c := asAdministrator(t, dc)
	owner := read(t, c, dc.BaseDN(), "fSMORoleOwner").GetAttributeValue("fSMORoleOwner")
	settings, err := ldap.ParseDN(owner)
	if err != nil {
		t.Fatal(err)
	}
	server := &ldap.DN{RDNs: settings.RDNs[1:]}
	if got := read(t, c, server.String(), "dNSHostName").GetAttributeValue("dNSHostName"); got != "dc1.one.two.test" {
		t.Errorf("got %q", got)
	}
	cross := query(t, c, "CN=Partitions,CN=Configuration,"+dc.BaseDN(), "(&(objectClass=crossRef)(nETBIOSName=one))", "nCName", "dnsRoot")
	if len(cross) != 1 || cross[0].GetAttributeValue("nCName") != dc.BaseDN() || cross[0].GetAttributeValue("dnsRoot") != "one.two.test" {
		t.Errorf("the domain's crossRef: %v", cross)
	}
}

func TestTheSchemaCanBeRead(t *testing.T) {
	dc := fakead.RunT(t)
	c := asAdministrator(t, dc)
	found := query(t, c, "CN=Schema,CN=Configuration,"+base, "(lDAPDisplayName=pwdLastSet)", "attributeID", "attributeSyntax", "oMSyntax", "isSingleValued")
	if len(found) != 1 {
		t.Fatalf("%d objects describe pwdLastSet", len(found))
	}
	for name, want := range map[string]string{"attributeID": "1.2.840.113556.1.4.96", "attributeSyntax": "2.5.5.16", "oMSyntax": "65", "isSingleValued": "TRUE"} {
		if got := found[0].GetAttributeValue(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

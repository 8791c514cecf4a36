package fakead_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"passback/fakead"
)

// exported is a domain as ldifde writes one: binary values and what is not ASCII in base64, long lines folded,
// changetype add, everything that the directory owns included, and more than the fake's schema knows.
var exported = strings.NewReplacer("{umlaut}", base64.StdEncoding.EncodeToString([]byte("Müller"))).Replace(`dn: DC=corp,DC=example
changetype: add
objectClass: top
objectClass: domain
objectClass: domainDNS
objectSid:: AQQAAAAAAAUVAAAAAQAAAAIAAAADAAAA
minPwdLength: 12
lockoutThreshold: 5
fSMORoleOwner: CN=NTDS Settings,CN=DC7,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configura
 tion,DC=corp,DC=example

# a comment
# that is folded
 over two lines
dn: OU=People,DC=corp,DC=example
changetype: add
objectClass: top
objectClass: organizationalUnit
ou: People

dn: CN=Team,OU=People,DC=corp,DC=example
changetype: add
objectClass: top
objectClass: group
cn: Team
member: CN=Alice,OU=People,DC=corp,DC=example
member: CN=Elsewhere,OU=NotExported,DC=corp,DC=example
sAMAccountName: Team
groupType: -2147483640

dn: CN=Alice,OU=People,DC=corp,DC=example
changetype: add
objectClass: top
objectClass: person
objectClass: organizationalPerson
objectClass: user
cn: Alice
sn:: {umlaut}
distinguishedName: CN=Alice,OU=People,DC=corp,DC=example
instanceType: 4
whenCreated: 20200102030405.0Z
whenChanged: 20210102030405.0Z
uSNCreated: 12345
memberOf: CN=Team,OU=People,DC=corp,DC=example
uSNChanged: 23456
name: Alice
objectGUID:: AAECAwQFBgcICQoLDA0ODw==
userAccountControl: 512
badPwdCount: 2
pwdLastSet: 133000000000000000
objectSid:: AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAAUAQAAA==
sAMAccountName: alice
sAMAccountType: 805306368
userPrincipalName: alice@corp.example
mS-DS-ConsistencyGuid:: //79/A==
msExchMailboxGuid:: AAAA
dSCorePropagationData: 16010101000000.0Z

dn: CN=Odd,OU=People,DC=corp,DC=example
objectClass: unicorn

dn: CN=Below,CN=Odd,OU=People,DC=corp,DC=example
objectClass: user

dn: CN=Administrator,CN=Users,DC=corp,DC=example
changetype: add
objectClass: user
description: the one and only
`)

func TestAnExportedDomain(t *testing.T) {
	dc := fakead.RunT(t, fakead.Options{LDIF: strings.NewReader(strings.ReplaceAll(exported, "\n", "\r\n"))})
	c := asAdministrator(t, dc)
	alice := read(t, c, "CN=Alice,OU=People,"+base)
	for name, want := range map[string]string{
		"sn": "Müller", "whenCreated": "20200102030405.0Z", "pwdLastSet": "133000000000000000", "badPwdCount": "2", "userAccountControl": "512",
		"objectGUID": "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", "mS-DS-ConsistencyGuid": "\xff\xfe\xfd\xfc",
		"memberOf": "CN=Team,OU=People," + base,
	} {
		if got := string(alice.GetRawAttributeValue(name)); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := read(t, c, "<SID=S-1-5-21-1-2-3-1104>").DN; got != alice.DN {
		t.Errorf("the domain did not keep its SID: %s", got)
	}
	if got := read(t, c, dc.AdminDN()).GetAttributeValue("description"); got != "the one and only" {
		t.Errorf("Administrator was not merged: %q", got)
	}
	if p := dc.Policy(); p.MinLength != 12 || p.LockoutThreshold != 5 || p.History != 24 {
		t.Errorf("the policy is %+v", p)
	}
	if found := query(t, c, "OU=People,"+base, everything, "1.1"); len(found) != 3 {
		t.Errorf("%d entries below OU=People, want it, Team and Alice", len(found))
	}
}

func TestAPasswordInLDIF(t *testing.T) {
	ldif := "dn: CN=Bob,CN=Users," + base + "\nobjectClass: user\nsAMAccountName: bob\nuserAccountControl: 512\nunicodePwd:: " +
		base64.StdEncoding.EncodeToString([]byte(quoted("short"))) + "\n"
	dc := fakead.RunT(t, fakead.Options{LDIF: strings.NewReader(ldif)})
	connectAs(t, dc, "bob@corp.example", "short")
}

func TestMistakesInLDIFAreFoundByTheirLine(t *testing.T) {
	const user = "dn: CN=x,CN=Users,DC=corp,DC=example\nobjectClass: user\n"
	for _, c := range []struct {
		ldif string
		line int
	}{
		{"version: 1\n\nobjectClass: user\n", 3},
		{"dn: CN=x\n", 1},
		{"dn: nonsense\n", 1},
		{"dn:\n", 1},
		{user + "no colon\n", 3},
		{user + "cn:: !!\n", 3},
		{user + "cn:< file:///etc/passwd\n", 3},
		{user + "changetype: modify\n", 3},
		{user + "# comment\n\n" + user + "\ndn: CN=y,CN=Users,DC=corp,DC=example\nobjectClass: user\nsAMAccountName: \n x\ncountryCode: x\n", 8},
		{user + "dn: CN=y,CN=Users,DC=corp,DC=example\n", 3},
		{"dn: CN=y,OU=Missing,DC=corp,DC=example\nobjectClass: user\n", 1},
		{user + "description: " + strings.Repeat("x", 2<<20) + "\n", 3},
		{"\xff\xfed\x00n\x00:\x00", 1},
		{user + "unicodePwd: x\n", 1},
	} {
		_, err := fakead.New(fakead.Options{LDIF: strings.NewReader(c.ldif)})
		var mistake *fakead.LDIFError
		if !errors.As(err, &mistake) || mistake.Line != c.line {
			t.Errorf("%.60q: got %v, want line %d", c.ldif, err, c.line)
		}
	}
}

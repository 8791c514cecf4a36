package fakead_test

import (
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// A snapshot brings everything back, as often as it is asked to.
func TestSnapshots(t *testing.T) {
	dc := worked(t)
	before, snapshot := ldifOf(t, dc), dc.Snapshot()
	alice := connectAs(t, dc, "alice@corp.example", oldPassword)
	for range 2 {
		admin, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
		expect(t, "reset", admin.Modify(resetRequest(dn, newPassword)), 0, "")
		expect(t, "add", admin.Add(userRequest("eve")), 0, "")
		expect(t, "delete", admin.Del(ldap.NewDelRequest(dnOf(t, dc, "dora"), nil)), 0, "")
		expect(t, "delete a group", admin.Del(ldap.NewDelRequest("CN=Team,OU=People,"+base, nil)), 0, "")
		dc.SetPolicy(fakead.DefaultPolicy())
		eve := connectTo(t, dc, admin)

		if err := dc.Restore(snapshot); err != nil {
			t.Fatal(err)
		}
		if after := ldifOf(t, dc); after != before {
			t.Errorf("it differs: %s", firstDifference(before, after))
		}
		connectAs(t, dc, "alice@corp.example", oldPassword)
		expect(t, "the new password", connect(t, dc).Bind("alice@corp.example", newPassword), 49, bindText("52e"))
		if got := read(t, alice, dn, "memberOf").GetAttributeValue("memberOf"); got != "CN=Team,OU=People,"+base {
			t.Errorf("a connection that stayed reads memberOf %q", got)
		}
		_, err := eve.Search(ldap.NewSearchRequest(base, ldap.ScopeBaseObject, 0, 0, 0, false, everything, nil, nil))
		expect(t, "a connection of an account that is no more", err, 1, "000004DC: ")
	}
	if events := dc.Events(); len(events) == 0 || len(dc.PasswordWrites()) != 4 { // two resets a round
		t.Errorf("%d events and %d writes are left of what happened", len(events), len(dc.PasswordWrites()))
	}
}

// connectTo binds as eve, whom admin gives a password.
func connectTo(t *testing.T, dc *fakead.Server, admin *ldap.Conn) *ldap.Conn {
	t.Helper()
	dn := dnOf(t, dc, "eve")
	m := resetRequest(dn, newPassword)
	m.Replace("userAccountControl", []string{"512"})
	expect(t, "enable eve", admin.Modify(m), 0, "")
	return connectAs(t, dc, dn, newPassword)
}

func TestADumpIsForPeople(t *testing.T) {
	dc := worked(t)
	_ = asAdministrator(t, dc).Modify(resetRequest(dnOf(t, dc, "alice"), "short"))
	text := dumpOf(dc)
	for _, want := range []string{
		"domain corp.example (CORP), Windows Server 2022",
		"policy: {MinLength:9 ",
		"policy CN=team," + settingsContainer + ", precedence 5: {MinLength:12 ",
		"user CN=Älice Liddell,OU=People," + base + " (alice): [], set ",
		"user CN=bob,OU=Research\\, Development,OU=People," + base + " (bob): [locked], ",
		"user CN=dora,CN=Users," + base + " (dora): [must change, expired, protected], set 0001",
		"  policy: CN=team," + settingsContainer,
		"  extensionName: passback/1 b | passback/1 a | <not a URL",
		"  mS-DS-ConsistencyGuid: 00ff80",
		"group CN=Team,OU=People," + base + ": [CN=Älice Liddell,OU=People," + base + "; CN=bob,",
		"reset of CN=Älice Liddell,OU=People," + base + " by " + dc.AdminDN() + ": 53 length",
		" 4724 alice, by Administrator",
		" 4625 alice@corp.example, by DC1$",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
			return
		}
	}
}

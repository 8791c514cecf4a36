package fakead_test

import (
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
	"passback/fakead/tree"
)

// addOU adds an organisational unit and returns its DN.
func addOU(t *testing.T, dc *fakead.Server, name string) string {
	t.Helper()
	if err := dc.AddOU(name); err != nil {
		t.Fatal(err)
	}
	return name + "," + base
}

func rename(c *ldap.Conn, dn, rdn, superior string) error {
	return c.ModifyDN(ldap.NewModifyDNRequest(dn, rdn, true, superior))
}

func TestRenamingChangesTheNameAndNothingElse(t *testing.T) {
	dc := fakead.RunT(t)
	admin := asAdministrator(t, dc)
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "boss", Attributes: map[string][]string{"secretary": {"CN=alice,CN=Users," + base}}})
	if err := dc.AddGroup(fakead.Group{SAM: "staff", Members: []string{"alice"}}); err != nil {
		t.Fatal(err)
	}
	before := stateOf(t, dc, "alice")

	expect(t, "rename", rename(admin, before.DN, "CN=Alice Smith", ""), 0, "")
	after := stateOf(t, dc, "alice")
	if want := "CN=Alice Smith,CN=Users," + base; after.DN != want || after.GUID != before.GUID || after.SAM != "alice" || !after.PasswordIs(oldPassword) {
		t.Errorf("got %s, GUID kept %t, account %s; want %s", after.DN, after.GUID == before.GUID, after.SAM, want)
	}
	for attribute, want := range map[string]string{"cn": "Alice Smith", "name": "Alice Smith", "distinguishedName": after.DN} {
		if got := after.Values(attribute); len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", attribute, got, want)
		}
	}
	for account, attribute := range map[string]string{"staff": "member", "boss": "secretary"} {
		answer, err := admin.Search(subtree(base, "(sAMAccountName="+account+")", attribute))
		if err != nil || len(answer.Entries) != 1 || answer.Entries[0].GetAttributeValue(attribute) != after.DN {
			t.Errorf("%s of %s does not follow: %v %v", attribute, account, answer.Entries, err)
		}
	}
	expect(t, "bind by the new name", connect(t, dc).Bind(after.DN, oldPassword), 0, "")
	expect(t, "bind by the old name", connect(t, dc).Bind(before.DN, oldPassword), 49, "")
}

func TestWhatLiesBelowMovesAlong(t *testing.T) {
	dc := fakead.RunT(t)
	admin := asAdministrator(t, dc)
	west, east := addOU(t, dc, "OU=west"), addOU(t, dc, "OU=east")
	seed(t, dc, fakead.User{SAM: "alice", OU: "OU=west"})

	expect(t, "move", rename(admin, west, "OU=far west", east), 0, "")
	if got, want := dnOf(t, dc, "alice"), "CN=alice,OU=far west,"+east; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	answer, err := admin.Search(subtree(east, "(objectClass=user)", "distinguishedName"))
	if err != nil || len(answer.Entries) != 1 {
		t.Errorf("below the new place: %v, %v", answer.Entries, err)
	}
	_, err = admin.Search(subtree(west, "(objectClass=*)"))
	expect(t, "the old place", err, 32, "0000208D: NameErr: ")
}

func TestAModifyDNThatIsRefused(t *testing.T) {
	dc := fakead.RunT(t)
	admin := asAdministrator(t, dc)
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "bob"})
	west, inner := addOU(t, dc, "OU=west"), addOU(t, dc, "OU=inner,OU=west")
	alice := dnOf(t, dc, "alice")
	for name, c := range map[string]struct {
		dn, rdn, superior string
		code              uint16
		text              string
	}{
		"a name that is taken":             {alice, "CN=bob", "", 68, "00002071: UpdErr: "},
		"no such entry":                    {"CN=nobody,CN=Users," + base, "CN=x", "", 32, "0000208D: NameErr: "},
		"no such superior":                 {alice, "CN=alice", "OU=nowhere," + base, 80, "00002089: UpdErr: "},
		"below itself":                     {west, "OU=west", inner, 53, "00002077: SvcErr: "},
		"into another naming context":      {alice, "CN=alice", "CN=Sites,CN=Configuration," + base, 53, "00002077: SvcErr: "},
		"into CN=System":                   {alice, "CN=alice", "CN=System," + base, 80, "000021A7: SvcErr: "},
		"the head of the domain":           {base, "DC=other", "", 53, "00002183: SvcErr: "},
		"what systemFlags hold in place":   {"CN=Users," + base, "CN=People", "", 53, "00002185: SvcErr: "},
		"in the configuration":             {"CN=Sites,CN=Configuration," + base, "CN=Places", "", 53, "00002185: SvcErr: "},
		"another attribute of naming":      {alice, "OU=alice", "", 53, "00002035: SvcErr: "},
		"below what may not contain it":    {west, "OU=west", "CN=Users," + base, 64, "00002099: NameErr: "},
		"a name of two components":         {alice, "CN=alice,CN=x", "", 64, "00002037: NameErr: "},
		"a name that is none":              {alice, "alice", "", 34, "0000208F: NameErr: "},
		"a name without a value":           {alice, "CN=", "", 64, "0000209E: NameErr: "},
		"an empty name":                    {alice, "", "", 2, "00000057: LdapErr: "},
		"a name of more than 64 letters":   {alice, "CN=" + strings.Repeat("a", 65), "", 19, "00002082: AtrErr: "},
		"a fine-grained policy, moved out": {"CN=Password Settings Container,CN=System," + base, "CN=x", base, 80, "000021A7: SvcErr: "},
	} {
		t.Run(name, func(t *testing.T) { expect(t, "modifyDN", rename(admin, c.dn, c.rdn, c.superior), c.code, c.text) })
	}
	expect(t, "the old name kept as a value", admin.ModifyDN(ldap.NewModifyDNRequest(alice, "CN=x", false, "")), 53, "00000057: SvcErr: ")
	if got := dnOf(t, dc, "alice"); got != alice {
		t.Errorf("a refused modifyDN moved %s to %s", alice, got)
	}
}

// Who moves needs a right at both ends; what moves comes under the rights of its new place.
func TestRightsToMove(t *testing.T) {
	dc := fakead.RunT(t)
	admin := asAdministrator(t, dc)
	west := addOU(t, dc, "OU=west")
	seed(t, dc, fakead.User{SAM: "helpdesk"}, fakead.User{SAM: "alice"})
	alice := dnOf(t, dc, "alice")
	sid := tree.SID(readBase(t, admin, dnOf(t, dc, "helpdesk"), nil, "objectSid").GetRawAttributeValue("objectSid")).String()
	grant := func(dn, rights string) {
		t.Helper()
		if err := writeSDDL(t, admin, dc, dn, daclPart, sddlOf(t, admin, dc, dn, daclPart)+"(A;CI;"+rights+";;;"+sid+")"); err != nil {
			t.Fatal(err)
		}
	}
	helpdesk := connectAs(t, dc, "CORP\\helpdesk", oldPassword)

	expect(t, "without any right", rename(helpdesk, alice, "CN=x", ""), 50, "00002098: SecErr: ")
	grant(alice, "WP")
	expect(t, "with the right to its properties", rename(helpdesk, alice, "CN=Alice", ""), 0, "")
	alice = dnOf(t, dc, "alice")
	expect(t, "a move with that right alone", rename(helpdesk, alice, "CN=Alice", west), 50, "00002098: SecErr: ")
	grant(alice, "SD")
	expect(t, "a move without a right to the new place", rename(helpdesk, alice, "CN=Alice", west), 50, "00002098: SecErr: ")
	grant(west, "CCCR")
	expect(t, "a move with both", rename(helpdesk, alice, "CN=Alice", west), 0, "")
	expect(t, "a reset, by a right that the new place gives", helpdesk.Modify(resetRequest(dnOf(t, dc, "alice"), newPassword)), 0, "")
}

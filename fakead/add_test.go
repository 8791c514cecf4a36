package fakead_test

import (
	"crypto/tls"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// addRequest is an Add of a user below CN=Users, of pairs of attribute and value.
func addRequest(name string, pairs ...string) *ldap.AddRequest {
	r := ldap.NewAddRequest("CN="+name+","+users, nil)
	r.Attribute("objectClass", []string{"user"})
	for i := 0; i < len(pairs); i += 2 {
		r.Attribute(pairs[i], []string{pairs[i+1]})
	}
	return r
}

func TestAUserWithAPasswordCanBind(t *testing.T) {
	dc := fakead.RunT(t)
	c := asAdministrator(t, dc)
	if err := c.Add(addRequest("alice", "sAMAccountName", "alice", "userAccountControl", "512", "unicodePwd", quoted(newPassword))); err != nil {
		t.Fatal(err)
	}
	connectAs(t, dc, "alice@corp.example", newPassword)
	computer := ldap.NewAddRequest("CN=pc1,CN=Computers,"+base, nil) // which sets its password later, over Kerberos
	computer.Attribute("objectClass", []string{"computer"})
	computer.Attribute("userAccountControl", []string{"4096"})
	if err := c.Add(computer); err != nil {
		t.Error(err)
	}
	if err := c.Add(addRequest("bare")); err != nil {
		t.Fatal(err)
	}
	e := read(t, c, "CN=bare,"+users)
	for name, want := range map[string]string{"userAccountControl": "546", "primaryGroupID": "513", "instanceType": "4", "pwdLastSet": "0"} {
		if got := e.GetAttributeValue(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if e.GetAttributeValue("sAMAccountName") == "" {
		t.Error("no sAMAccountName was made up")
	}
}

func TestRefusedAdds(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	c := asAdministrator(t, dc)
	for what, refused := range map[string]struct {
		request *ldap.AddRequest
		code    uint16
		text    string
	}{
		"a weak password":           {addRequest("x", "unicodePwd", quoted("abcdef")), 53, "0000052D: SvcErr: DSID-031A126C, problem 5003 (WILL_NOT_PERFORM), data 0\n\x00"},
		"enabled, with no password": {addRequest("x", "userAccountControl", "512"), 53, "0000052D: SvcErr: DSID-031A124C, problem 5003 (WILL_NOT_PERFORM), data 0\n\x00"},
		"a password unquoted":       {addRequest("x", "unicodePwd", "abc"), 53, "0000001F: SvcErr: "},
		"a name that is taken":      {addRequest("alice"), 68, "00002071: UpdErr: DSID-030503CF, problem 6005 (ENTRY_EXISTS), data 0\n\x00"},
		"an account that is there":  {addRequest("x", "sAMAccountName", "Alice"), 68, "00000524: UpdErr: DSID-031A1261, problem 6005 (ENTRY_EXISTS), data 0\n\x00"},
		"an unknown attribute":      {addRequest("x", "nosuch", "y"), 16, "00000057: LdapErr: DSID-0C0910F4, comment: Error in attribute conversion operation, data 0, v4f7c\x00"},
		"no parent":                 {ldap.NewAddRequest("CN=x,OU=none,"+base, nil), 32, "0000208D: NameErr: "},
		"no name":                   {ldap.NewAddRequest("x", nil), 34, "0000208F: NameErr: "},
	} {
		expect(t, what, c.Add(refused.request), refused.code, refused.text)
		if found := query(t, c, users, "(cn=x)", "1.1"); len(found) != 0 {
			t.Errorf("%s: the entry is there", what)
		}
	}

	expect(t, "as a user", connectAs(t, dc, "alice@corp.example", oldPassword).Add(addRequest("y")), 50, "00000005: SecErr: ")
	clear, err := ldap.DialURL(dc.LDAPURL())
	if err != nil {
		t.Fatal(err)
	}
	defer clear.Close()
	if err := clear.Bind(dc.AdminDN(), dc.AdminPassword()); err != nil {
		t.Fatal(err)
	}
	secret := addRequest("z", "unicodePwd", quoted(newPassword))
	expect(t, "in clear text", clear.Add(secret), 53, "0000001F: SvcErr: DSID-031A11E5, problem 5003 (WILL_NOT_PERFORM), data 0\n\x00")
	if err := clear.StartTLS(&tls.Config{RootCAs: dc.CA().Pool(), ServerName: "localhost"}); err != nil {
		t.Fatal(err)
	}
	if err := clear.Add(secret); err != nil {
		t.Errorf("after StartTLS: %v", err)
	}
}

func TestDelete(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "bob"})
	c := asAdministrator(t, dc)
	people := "OU=People," + base
	for _, dn := range []string{people, "OU=Sales," + people} {
		r := ldap.NewAddRequest(dn, nil)
		r.Attribute("objectClass", []string{"organizationalUnit"})
		if err := c.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	treeDelete := []ldap.Control{ldap.NewControlString("1.2.840.113556.1.4.805", true, "")}
	for _, d := range []struct {
		what    string
		conn    *ldap.Conn
		request *ldap.DelRequest
		code    uint16
		text    string
	}{
		{"as a user", connectAs(t, dc, "alice@corp.example", oldPassword), ldap.NewDelRequest(dnOf(t, dc, "bob"), nil), 50, "00000005: SecErr: "},
		{"what is not there", c, ldap.NewDelRequest("CN=x,"+users, nil), 32, "0000208D: NameErr: "},
		{"a container that is not empty", c, ldap.NewDelRequest(people, nil), 66, "00002015: UpdErr: DSID-031A1213, problem 6003 (CANT_ON_NON_LEAF), data 0\n\x00"},
		{"a tree", c, ldap.NewDelRequest(people, treeDelete), 0, ""},
		{"it again", c, ldap.NewDelRequest(people, treeDelete), 32, "0000208D: NameErr: "},
		{"Administrator", c, ldap.NewDelRequest(dc.AdminDN(), nil), 80, "0000055B: SysErr: "},
		{"a person by SID", c, ldap.NewDelRequest(sidName(t, c, dnOf(t, dc, "bob")), nil), 0, ""},
	} {
		expect(t, d.what, d.conn.Del(d.request), d.code, d.text)
	}
	if err := c.Bind("bob@corp.example", oldPassword); err == nil {
		t.Error("who was deleted can still bind")
	}
}

func sidName(t *testing.T, c *ldap.Conn, dn string) string {
	t.Helper()
	sid := read(t, c, dn, "objectSid").GetRawAttributeValue("objectSid")
	name := "<SID="
	for _, b := range sid {
		name += string("0123456789abcdef"[b>>4]) + string("0123456789abcdef"[b&15])
	}
	return name + ">"
}

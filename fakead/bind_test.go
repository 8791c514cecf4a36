package fakead_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/clock"
	"passback/fakead"
)

// bindText is the whole diagnostic of a refused bind.
func bindText(data string) string {
	return "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data " + data + ", v4f7c\x00"
}

func TestBindByEachFormOfAName(t *testing.T) {
	dc := fakead.RunT(t)
	if err := dc.AddOU("OU=Sales"); err != nil {
		t.Fatal(err)
	}
	seed(t, dc,
		fakead.User{SAM: "asmith", UPN: "alice@mail.example", DisplayName: "Alice Smith", OU: "OU=Sales",
			Attributes: map[string][]string{"servicePrincipalName": {"HTTP/alice.corp.example"}}},
		fakead.User{SAM: "twin1", Name: "Twin One", DisplayName: "Twin"}, fakead.User{SAM: "twin2", Name: "Twin Two", DisplayName: "Twin"},
	)
	alice := stateOf(t, dc, "asmith")
	guid, sid := alice.Values("objectGUID")[0], alice.Values("objectSid")[0]
	c := connect(t, dc)
	for form, name := range map[string]string{
		"DN":                                   "cn=alice smith, ou=SALES, dc=corp, dc=example",
		"userPrincipalName":                    "Alice@Mail.Example",
		"sAMAccountName@domain":                "asmith@CORP.example",
		"NETBIOS\\sAMAccountName":              `corp\ASMITH`,
		"canonical name":                       "corp.example/Sales/Alice Smith",
		"canonical name, last slash a newline": "corp.example/Sales\nAlice Smith",
		"{objectGUID}":                         "{" + guidString(guid) + "}",
		"displayName":                          "Alice Smith",
		"servicePrincipalName":                 "HTTP/alice.corp.example",
		"SID string":                           sidString(sid),
	} {
		if err := c.Bind(name, oldPassword); err != nil {
			t.Errorf("%s: %v", form, err)
			continue
		}
		if who, err := c.WhoAmI(nil); err != nil || who.AuthzID != `u:CORP\asmith` {
			t.Errorf("%s: Who am I? %v %v", form, who, err)
		}
	}
	for form, name := range map[string]string{
		"bare sAMAccountName":        "asmith",
		"dns domain\\sAMAccountName": `corp.example\asmith`,
		"sAMAccountName@NETBIOS":     "asmith@CORP",
		"another domain":             `OTHER\asmith`,
		"a displayName of two":       "Twin",
		"a group":                    "CN=Domain Users,CN=Users,DC=corp,DC=example",
		"nobody's DN":                "CN=Nobody,DC=corp,DC=example",
	} {
		expect(t, form, c.Bind(name, oldPassword), 49, bindText("525"))
	}
}

func guidString(b string) string {
	return fmt.Sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%x-%x", b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8:10], b[10:])
}

func sidString(b string) string {
	text := fmt.Sprintf("S-1-%d", b[7])
	for i := 8; i < len(b); i += 4 {
		text += fmt.Sprintf("-%d", uint32(b[i])|uint32(b[i+1])<<8|uint32(b[i+2])<<16|uint32(b[i+3])<<24)
	}
	return text
}

func TestBindTellsTheStateOfAnAccount(t *testing.T) {
	dc := fakead.RunT(t)
	long := dc.Clock().Now().AddDate(0, 0, -43)
	for data, u := range map[string]fakead.User{
		"533": {SAM: "disabled", Disabled: true},
		"532": {SAM: "expired", PasswordSet: long},
		"773": {SAM: "must-change", MustChange: true},
		"775": {SAM: "locked", Locked: true},
		"701": {SAM: "account-expired", AccountExpires: dc.Clock().Now().Add(-time.Minute)},
		"530": {SAM: "hours", Attributes: map[string][]string{"logonHours": {string(make([]byte, 21))}}},
		"":    {SAM: "never-expires", NeverExpires: true, PasswordSet: long},
	} {
		seed(t, dc, u)
		c := connect(t, dc)
		code, text := uint16(49), bindText(data)
		if data == "" {
			code, text = 0, ""
		}
		expect(t, u.SAM+", right password", c.Bind(u.SAM+"@corp.example", oldPassword), code, text)
		wrong := bindText("52e")
		if u.Locked {
			wrong = bindText("775")
		}
		expect(t, u.SAM+", wrong password", c.Bind(u.SAM+"@corp.example", "no"), 49, wrong)
	}
	seed(t, dc, fakead.User{SAM: "smartcard", SmartcardRequired: true})
	expect(t, "smart card required", connect(t, dc).Bind("smartcard@corp.example", oldPassword), 49, bindText("52e"))
}

func TestAnonymousAndUnauthenticatedBinds(t *testing.T) {
	dc := fakead.RunT(t)
	for what, name := range map[string]string{"anonymous": "", "a DN": dc.AdminDN(), "a UPN": "Administrator@corp.example", "nobody": "CN=Nobody"} {
		c := asAdministrator(t, dc)
		if err := c.UnauthenticatedBind(name); err != nil {
			t.Errorf("%s without a password: %v", what, err)
		}
		if who, err := c.WhoAmI(nil); err != nil || who.AuthzID != "" {
			t.Errorf("%s without a password: Who am I? %v %v", what, who, err)
		}
	}
}

func TestAFailedBindLeavesTheConnectionAnonymous(t *testing.T) {
	dc := fakead.RunT(t)
	c := asAdministrator(t, dc)
	expect(t, "wrong password", c.Bind(dc.AdminDN(), "no"), 49, bindText("52e"))
	m := ldap.NewModifyRequest(dc.AdminDN(), nil)
	m.Replace("description", []string{"x"})
	expect(t, "modify", c.Modify(m), 1, textNotBound)
}

func TestLockoutByBinds(t *testing.T) {
	running := clock.NewRunning()
	dc := fakead.RunT(t, fakead.Options{Clock: running})
	policy := dc.Policy()
	policy.LockoutThreshold = 3
	dc.SetPolicy(policy)
	seed(t, dc, fakead.User{SAM: "alice"})
	c := connect(t, dc)
	for range 2 {
		expect(t, "wrong", c.Bind("alice@corp.example", "no"), 49, bindText("52e"))
	}
	if got := stateOf(t, dc, "alice"); got.BadPasswords != 2 || got.Locked {
		t.Errorf("after two: %+v", got)
	}
	expect(t, "the third", c.Bind("alice@corp.example", "no"), 49, bindText("52e"))
	if got := stateOf(t, dc, "alice"); got.BadPasswords != 3 || !got.Locked {
		t.Errorf("after three: badPwdCount %d, locked %t", got.BadPasswords, got.Locked)
	}
	admin := asAdministrator(t, dc)
	dn := dnOf(t, dc, "alice")
	if err := admin.Modify(resetRequest(dn, newPassword)); err != nil {
		t.Fatal(err)
	}
	expect(t, "a reset does not unlock", c.Bind("alice@corp.example", newPassword), 49, bindText("775"))
	running.Advance(30 * time.Minute)
	if stateOf(t, dc, "alice").Locked {
		t.Error("still locked after the duration")
	}
	if err := c.Bind("alice@corp.example", newPassword); err != nil {
		t.Errorf("after the duration: %v", err)
	}
	if got := stateOf(t, dc, "alice"); got.BadPasswords != 0 || got.Values("lockoutTime")[0] != "0" {
		t.Errorf("after a good bind: badPwdCount %d, lockoutTime %v", got.BadPasswords, got.Values("lockoutTime"))
	}
}

func TestThePreviousPasswordBindsForAnHour(t *testing.T) {
	running := clock.NewRunning()
	dc := fakead.RunT(t, fakead.Options{Clock: running})
	seed(t, dc, fakead.User{SAM: "alice"})
	if err := connectAs(t, dc, "alice@corp.example", oldPassword).Modify(changeRequest(dnOf(t, dc, "alice"), oldPassword, newPassword)); err != nil {
		t.Fatal(err)
	}
	c := connect(t, dc)
	running.Advance(59 * time.Minute)
	expect(t, "within the hour", c.Bind("alice@corp.example", oldPassword), 0, "")
	running.Advance(2 * time.Minute)
	expect(t, "after it", c.Bind("alice@corp.example", oldPassword), 49, bindText("52e"))
	if got := stateOf(t, dc, "alice").BadPasswords; got != 0 {
		t.Errorf("the previous password was counted: %d", got)
	}
}

func TestServer2025RequiresSigning(t *testing.T) {
	dc := fakead.RunT(t, fakead.Options{OS: "2025"})
	c, err := ldap.DialURL(dc.LDAPURL())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	expect(t, "in clear text", c.Bind(dc.AdminDN(), dc.AdminPassword()), 8,
		"00002028: LdapErr: DSID-0C090343, comment: The server requires binds to turn on integrity checking if SSL\\TLS are not already active on the connection, data 0, v65f4\x00")
	if err := connect(t, dc).Bind(dc.AdminDN(), dc.AdminPassword()); err != nil {
		t.Errorf("under TLS: %v", err)
	}
}

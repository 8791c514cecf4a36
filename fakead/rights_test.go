package fakead_test

import (
	"fmt"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// replaceRequest writes attributes, and unicodePwd first if a password is given.
func replaceRequest(dn, password string, attributes ...string) *ldap.ModifyRequest {
	m := ldap.NewModifyRequest(dn, nil)
	if password != "" {
		m.Replace("unicodePwd", []string{quoted(password)})
	}
	for i := 0; i < len(attributes); i += 2 {
		m.Replace(attributes[i], []string{attributes[i+1]})
	}
	return m
}

func TestDelegatedRights(t *testing.T) {
	dc := fakead.RunT(t)
	n := 0
	all := fakead.Rights{ResetPassword: true, WritePwdLastSet: true, WriteLockoutTime: true, WriteMarker: marker, Unexpire: true}
	with := func(change func(*fakead.Rights)) fakead.Rights {
		r := all
		change(&r)
		return r
	}
	reset := func(dn string) *ldap.ModifyRequest { return replaceRequest(dn, newPassword) }
	whole := func(dn string) *ldap.ModifyRequest {
		return withMarker(replaceRequest(dn, newPassword, "pwdLastSet", "0", "lockoutTime", "0"), "r1")
	}
	for name, c := range map[string]struct {
		rights  fakead.Rights
		request func(dn string) *ldap.ModifyRequest
		code    uint16
		text    string
	}{
		"all of them":            {all, whole, 0, ""},
		"none, reset":            {fakead.Rights{}, reset, 50, textNoResetRight},
		"none, pwdLastSet":       {fakead.Rights{}, func(dn string) *ldap.ModifyRequest { return replaceRequest(dn, "", "pwdLastSet", "0") }, 50, textNoWriteRight},
		"reset only, reset":      {fakead.Rights{ResetPassword: true}, reset, 0, ""},
		"reset only, everything": {fakead.Rights{ResetPassword: true}, whole, 50, textNoWriteRight},
		"without reset":          {with(func(r *fakead.Rights) { r.ResetPassword = false }), whole, 50, textNoResetRight},
		"without pwdLastSet":     {with(func(r *fakead.Rights) { r.WritePwdLastSet = false }), whole, 50, textNoWriteRight},
		"without lockoutTime":    {with(func(r *fakead.Rights) { r.WriteLockoutTime = false }), whole, 50, textNoWriteRight},
		"without the marker":     {with(func(r *fakead.Rights) { r.WriteMarker = "" }), whole, 50, textNoWriteRight},
		"another attribute":      {all, func(dn string) *ldap.ModifyRequest { return replaceRequest(dn, newPassword, "description", "x") }, 50, textNoWriteRight},
		"without unexpire, 0":    {with(func(r *fakead.Rights) { r.Unexpire = false }), whole, 0, ""},
		"without unexpire, -1":   {with(func(r *fakead.Rights) { r.Unexpire = false }), func(dn string) *ldap.ModifyRequest { return replaceRequest(dn, newPassword, "pwdLastSet", "-1") }, 50, textNoResetRight},
		"a change needs none":    {fakead.Rights{}, func(dn string) *ldap.ModifyRequest { return changeRequest(dn, oldPassword, newPassword) }, 0, ""},
		"a change with a marker needs": {fakead.Rights{}, func(dn string) *ldap.ModifyRequest {
			return withMarker(changeRequest(dn, oldPassword, newPassword), "r1")
		}, 50, textNoWriteRight},
	} {
		t.Run(name, func(t *testing.T) {
			n++
			user, service := fmt.Sprintf("user%d", n), fmt.Sprintf("svc%d", n)
			seed(t, dc, fakead.User{SAM: user}, fakead.User{SAM: service})
			if err := dc.Delegate(service, c.rights); err != nil {
				t.Fatal(err)
			}
			expect(t, "modify", connectAs(t, dc, service+"@corp.example", oldPassword).Modify(c.request(dnOf(t, dc, user))), c.code, c.text)
			if got := stateOf(t, dc, user); got.PasswordIs(newPassword) != (c.code == 0) {
				t.Errorf("answered %d, and the password is the new one: %t", c.code, got.PasswordIs(newPassword))
			}
		})
	}
}

// Without Unexpire-Password whoever was reset has to change it.
func TestAResetWithoutUnexpireLeavesPwdLastSetAtZero(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "svc"})
	if err := dc.Delegate("svc", fakead.Rights{ResetPassword: true}); err != nil {
		t.Fatal(err)
	}
	c := connectAs(t, dc, "svc@corp.example", oldPassword)
	expect(t, "reset", c.Modify(resetRequest(dnOf(t, dc, "alice"), newPassword)), 0, "")
	if !stateOf(t, dc, "alice").MustChange {
		t.Error("pwdLastSet is set")
	}
}

func TestProtectedAccountsAreOutOfReach(t *testing.T) {
	dc := fakead.RunT(t)
	if err := dc.AddGroup(fakead.Group{SAM: "ops"}); err != nil {
		t.Fatal(err)
	}
	admin := asAdministrator(t, dc)
	nest := ldap.NewModifyRequest("CN=Domain Admins,CN=Users,"+dc.BaseDN(), nil)
	nest.Add("member", []string{"CN=ops,CN=Users," + dc.BaseDN()})
	if err := admin.Modify(nest); err != nil {
		t.Fatal(err)
	}
	seed(t, dc, fakead.User{SAM: "boss", Groups: []string{"Domain Admins"}}, fakead.User{SAM: "nested", Groups: []string{"ops"}}, fakead.User{SAM: "alice"}, fakead.User{SAM: "svc"})
	if err := dc.Delegate("svc", fakead.Rights{ResetPassword: true, WriteLockoutTime: true, Unexpire: true}); err != nil {
		t.Fatal(err)
	}
	c := connectAs(t, dc, "svc@corp.example", oldPassword)
	for _, sam := range []string{"boss", "nested"} {
		if !stateOf(t, dc, sam).Protected {
			t.Errorf("%s: adminCount is not 1", sam)
		}
		expect(t, sam+", reset", c.Modify(resetRequest(dnOf(t, dc, sam), newPassword)), 50, textNoResetRight)
		expect(t, sam+", unlock", c.Modify(replaceRequest(dnOf(t, dc, sam), "", "lockoutTime", "0")), 50, textNoWriteRight)
		asBoss := connectAs(t, dc, sam+"@corp.example", oldPassword)
		expect(t, sam+" resets others", asBoss.Modify(resetRequest(dnOf(t, dc, "alice"), newPassword)), 0, "")
	}
	expect(t, "ordinary user", c.Modify(resetRequest(dnOf(t, dc, "alice"), oldPassword)), 0, "")
}

// Rights given to a group are its members'.
func TestRightsOfAGroup(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "helper"})
	if err := dc.AddGroup(fakead.Group{SAM: "helpdesk", Members: []string{"helper"}}); err != nil {
		t.Fatal(err)
	}
	if err := dc.Delegate("helpdesk", fakead.Rights{ResetPassword: true, Unexpire: true}); err != nil {
		t.Fatal(err)
	}
	expect(t, "reset", connectAs(t, dc, "helper@corp.example", oldPassword).Modify(resetRequest(dnOf(t, dc, "alice"), newPassword)), 0, "")
}

func TestPlainUsersResetNobody(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "bob"})
	c := connectAs(t, dc, "alice@corp.example", oldPassword)
	for _, target := range []string{"alice", "bob", "Administrator"} {
		expect(t, target, c.Modify(resetRequest(dnOf(t, dc, target), newPassword)), 50, textNoResetRight)
	}
	expect(t, "add", c.Add(ldap.NewAddRequest("CN=x,CN=Users,"+dc.BaseDN(), nil)), 50, "00000005: SecErr: ")
	expect(t, "delete", c.Del(ldap.NewDelRequest(dnOf(t, dc, "bob"), nil)), 50, "00000005: SecErr: ")
}

func TestDelegateToNobody(t *testing.T) {
	dc := fakead.RunT(t)
	if err := dc.Delegate("nobody", fakead.Rights{}); err == nil {
		t.Error("rights were delegated to nobody")
	}
	if err := dc.Delegate("Administrator", fakead.Rights{WriteMarker: "nosuchattribute"}); err == nil {
		t.Error("an attribute that does not exist was taken")
	}
}

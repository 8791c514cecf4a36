package fakead_test

import (
	"testing"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// What a modify of passwords and account attributes amounts to, where a comparison with a real server was needed.
func TestOddModifiesOfAccounts(t *testing.T) {
	dc := fakead.RunT(t)
	policy := dc.Policy()
	policy.MinAge = 0
	dc.SetPolicy(policy)
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "locked", Locked: true}, fakead.User{SAM: "twice"})
	admin := asAdministrator(t, dc)
	alice, locked := dnOf(t, dc, "alice"), dnOf(t, dc, "locked")

	unlock := changeRequest(locked, oldPassword, newPassword)
	unlock.Replace("lockoutTime", []string{"0"})
	expect(t, "a change that unlocks too", admin.Modify(unlock), 0, "")

	weakThenGood := resetRequest(dnOf(t, dc, "twice"), "weak")
	weakThenGood.Replace("unicodePwd", []string{quoted(newPassword)})
	expect(t, "of two resets the last counts", admin.Modify(weakThenGood), 0, "")

	replace := func(name string, values ...string) *ldap.ModifyRequest {
		m := ldap.NewModifyRequest(alice, nil)
		m.Replace(name, values)
		return m
	}
	expect(t, "an empty value", admin.Modify(replace("description", "")), 21, "00000057: LdapErr: ")
	expect(t, "an empty password", admin.Modify(replace("unicodePwd", "")), 21, "00000057: LdapErr: ")
	expect(t, "two values of pwdLastSet", admin.Modify(replace("pwdLastSet", "0", "-1")), 20, "00002081: AtrErr: ")
	expect(t, "text as pwdLastSet", admin.Modify(replace("pwdLastSet", "soon")), 80, textInvalidSetTime)
	before := stateOf(t, dc, "alice").PasswordSet
	expect(t, "-1 when it is set", admin.Modify(replace("pwdLastSet", "-1")), 0, "")
	if got := stateOf(t, dc, "alice").PasswordSet; !got.Equal(before) {
		t.Errorf("pwdLastSet moved from %v to %v", before, got)
	}
	expect(t, "an unlock of who is not locked", admin.Modify(replace("lockoutTime", "0")), 0, "")
	if got := stateOf(t, dc, "alice").Values("lockoutTime"); len(got) != 1 || got[0] != "0" {
		t.Errorf("lockoutTime is %q", got)
	}
	add := ldap.NewModifyRequest(alice, nil)
	add.Add("lockoutTime", []string{"0"})
	expect(t, "a second value of lockoutTime", admin.Modify(add), 20, "00002083: AtrErr: ")
	nothing := ldap.NewModifyRequest(alice, nil)
	nothing.Add("dBCSPwd", []string{})
	expect(t, "an add of nothing", admin.Modify(nothing), 19, "0000202F: AtrErr: ")
}

func TestUserWorkstationsKeepABindOut(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice", Attributes: map[string][]string{"userWorkstations": {"ELSEWHERE"}}},
		fakead.User{SAM: "bob", Attributes: map[string][]string{"userWorkstations": {"elsewhere,dc1"}}})
	expect(t, "alice", connect(t, dc).Bind("alice@corp.example", oldPassword), 49, bindText("531"))
	expect(t, "alice, wrong password", connect(t, dc).Bind("alice@corp.example", newPassword), 49, bindText("52e"))
	expect(t, "bob", connect(t, dc).Bind("bob@corp.example", oldPassword), 0, "")
}

// An account that becomes one of another kind gets that kind's primary group.
func TestAUserBecomesAComputer(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	admin, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
	for _, c := range []struct{ control, group, kind string }{{"4096", "515", "805306369"}, {"512", "513", "805306368"}} {
		m := ldap.NewModifyRequest(dn, nil)
		m.Replace("userAccountControl", []string{c.control})
		expect(t, c.control, admin.Modify(m), 0, "")
		e := read(t, admin, dn, "primaryGroupID", "sAMAccountType", "memberOf")
		if e.GetAttributeValue("primaryGroupID") != c.group || e.GetAttributeValue("sAMAccountType") != c.kind || len(e.GetAttributeValues("memberOf")) != 0 {
			t.Errorf("with %s: %v", c.control, e.Attributes)
		}
	}
}

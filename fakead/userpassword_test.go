package fakead_test

import (
	"testing"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// setHeuristics writes dSHeuristics; nothing removes it.
func setHeuristics(t *testing.T, dc *fakead.Server, values ...string) {
	t.Helper()
	m := ldap.NewModifyRequest("CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,"+dc.BaseDN(), nil)
	m.Replace("dSHeuristics", values)
	if err := asAdministrator(t, dc).Modify(m); err != nil {
		t.Fatal(err)
	}
}

func TestUserPasswordIsAPasswordIfDSHeuristicsSaySo(t *testing.T) {
	dc := fakead.RunT(t)
	policy := dc.Policy()
	policy.MinAge = 0
	dc.SetPolicy(policy)
	seed(t, dc, fakead.User{SAM: "alice"})
	setHeuristics(t, dc, "000000001")
	admin, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
	request := func(clauses ...ldap.Change) *ldap.ModifyRequest {
		m := ldap.NewModifyRequest(dn, nil)
		m.Changes = clauses
		return m
	}
	clause := func(operation uint, attribute, value string) ldap.Change {
		return ldap.Change{Operation: operation, Modification: ldap.PartialAttribute{Type: attribute, Vals: []string{value}}}
	}
	const add, remove, replace = ldap.AddAttribute, ldap.DeleteAttribute, ldap.ReplaceAttribute
	expect(t, "reset", admin.Modify(request(clause(replace, "userPassword", newPassword))), 0, "")
	if !stateOf(t, dc, "alice").PasswordIs(newPassword) {
		t.Fatal("the password was not set")
	}
	expect(t, "change", admin.Modify(request(clause(remove, "userPassword", newPassword), clause(add, "userPassword", "Autumn-2027!"))), 0, "")
	expect(t, "old by the other attribute", admin.Modify(request(clause(remove, "unicodePwd", quoted("Autumn-2027!")), clause(add, "userPassword", "Spring-2028!"))), 0, "")
	expect(t, "weak reset", admin.Modify(request(clause(replace, "userPassword", "weak"))), 53, textResetRefused)
	expect(t, "wrong old one", admin.Modify(request(clause(remove, "userPassword", "no"), clause(add, "userPassword", newPassword))), 19,
		"00000056: AtrErr: DSID-03190F80, #1:\n\t0: 00000056: DSID-03190F80, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 23 (userPassword)\n\x00")
	expect(t, "delete alone", admin.Modify(request(clause(remove, "userPassword", "Spring-2028!"))), 19, "0000202F: AtrErr: ")
	expect(t, "add alone", admin.Modify(request(clause(add, "userPassword", newPassword))), 53, "00002035: SvcErr: ")
	expect(t, "both", admin.Modify(request(clause(replace, "userPassword", newPassword), clause(replace, "unicodePwd", quoted(newPassword)))), 53, "00002035: SvcErr: ")
	if !stateOf(t, dc, "alice").PasswordIs("Spring-2028!") {
		t.Error("one of them set a password")
	}
	r := ldap.NewAddRequest("CN=bob,CN=Users,"+dc.BaseDN(), nil)
	r.Attribute("objectClass", []string{"user"})
	r.Attribute("sAMAccountName", []string{"bob"})
	r.Attribute("userAccountControl", []string{"512"})
	r.Attribute("userPassword", []string{newPassword})
	expect(t, "a new user", admin.Add(r), 0, "")
	connectAs(t, dc, "bob@corp.example", newPassword)
}

// A write follows dSHeuristics as they are; what can be read was decided when the connection opened.
func TestReadingUserPasswordIsDecidedWhenTheConnectionOpens(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	dn := dnOf(t, dc, "alice")
	setHeuristics(t, dc, "000000001")
	early := asAdministrator(t, dc)
	setHeuristics(t, dc)
	m := ldap.NewModifyRequest(dn, nil)
	m.Replace("userPassword", []string{"plain"})
	expect(t, "a write", early.Modify(m), 0, "")
	found := func(c *ldap.Conn, filter string) int {
		r, err := c.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, 0, 0, 0, false, filter, []string{"*"}, nil))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, e := range r.Entries {
			n += len(e.GetAttributeValues("userPassword"))
		}
		return n
	}
	if found(early, "(objectClass=*)") != 0 || found(early, "(userPassword=plain)") != 0 {
		t.Error("a connection that opened while it was a password reads it")
	}
	expect(t, "compare", compare(early, dn, "userPassword", "plain"), ldap.LDAPResultCompareFalse, "")
	if late := asAdministrator(t, dc); found(late, "(objectClass=*)") != 1 || found(late, "(userPassword=plain)") != 1 {
		t.Error("a connection that opened afterwards does not read it")
	}
	if !stateOf(t, dc, "alice").PasswordIs(oldPassword) {
		t.Error("the write set the password")
	}
}

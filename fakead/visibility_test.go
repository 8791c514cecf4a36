package fakead_test

import (
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
	"passback/fakead/tree"
)

const (
	outerOU = "OU=outer," + base
	innerOU = "OU=inner," + outerOU
	// innermostOU has the descriptor of its class, by which everyone who is authenticated may list it, as an object too.
	innermostOU = "OU=innermost," + innerOU
)

// twoUnits makes an organisational unit in another, with these rights of alice and nobody else but administrators.
func twoUnits(t *testing.T, outerRights, innerRights string) (dc *fakead.Server, alice *ldap.Conn) {
	t.Helper()
	dc = fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	admin := asAdministrator(t, dc)
	sid := tree.SID(read(t, admin, dnOf(t, dc, "alice"), "objectSid").GetRawAttributeValue("objectSid")).String()
	for _, dn := range []string{outerOU, innerOU, innermostOU} {
		m := ldap.NewAddRequest(dn, nil)
		m.Attribute("objectClass", []string{"organizationalUnit"})
		if err := admin.Add(m); err != nil {
			t.Fatal(err)
		}
	}
	for dn, rights := range map[string]string{outerOU: outerRights, innerOU: innerRights} {
		acl := "D:PAI(A;;GA;;;DA)"
		if rights != "" {
			acl += "(A;;" + rights + ";;;" + sid + ")"
		}
		if err := writeSDDL(t, admin, dc, dn, daclPart, acl); err != nil {
			t.Fatal(err)
		}
	}
	return dc, connectAs(t, dc, "alice@corp.example", oldPassword)
}

func TestWhatMayBeListed(t *testing.T) {
	for _, s := range []struct {
		what, outer, inner, heuristics string
		seen                           []string
	}{
		{"no right", "", "", "", []string{outerOU}},
		{"the right to list the upper one", "LC", "", "", []string{outerOU, innerOU}},
		{"the right to list the lower one alone", "", "LC", "", []string{outerOU, innermostOU}},
		{"list object on both, which counts for nothing", "LO", "LO", "", []string{outerOU}},
		{"list object on both in list object mode", "LO", "LO", "001", []string{outerOU, innerOU, innermostOU}},
		{"list object on the lower one in list object mode", "", "LO", "001", []string{outerOU, innermostOU}},
	} {
		dc, alice := twoUnits(t, s.outer, s.inner)
		if s.heuristics != "" {
			setHeuristics(t, dc, s.heuristics)
		}
		var seen []string
		for _, e := range query(t, alice, outerOU, "(objectClass=*)", "1.1") {
			seen = append(seen, e.DN)
		}
		if !slices.Equal(seen, s.seen) {
			t.Errorf("%s: got %q, want %q", s.what, seen, s.seen)
		}
	}
}

func TestAHiddenBaseIsMissingUnlessSomethingBelowIsNot(t *testing.T) {
	_, alice := twoUnits(t, "", "LC")
	if found := query(t, alice, innerOU, "(objectClass=*)", "1.1"); len(found) != 1 || found[0].DN != innermostOU {
		t.Errorf("below a hidden base: %d entries", len(found))
	}
	_, err := alice.Search(ldap.NewSearchRequest(innerOU, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", nil, nil))
	expect(t, "the hidden base itself", err, 32, "0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0, best match of:\n\t'"+outerOU+"'\n\x00")
}

func TestAnonymousCallersReadWhatTheirRightsAllowIfDSHeuristicsLetThem(t *testing.T) {
	dc, _ := twoUnits(t, "", "")
	admin := asAdministrator(t, dc)
	if err := writeSDDL(t, admin, dc, outerOU, daclPart, "D:PAI(A;;GA;;;DA)(A;;LC;;;AN)"); err != nil {
		t.Fatal(err)
	}
	nobody := connect(t, dc)
	below := func() (*ldap.SearchResult, error) { return nobody.Search(subtree(outerOU, "(objectClass=*)", "ou")) }
	_, err := below()
	expect(t, "by default", err, 1, textNotBound)
	setHeuristics(t, dc, "0000002")
	found, err := below()
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Entries) != 1 || found.Entries[0].DN != innerOU || len(found.Entries[0].Attributes) != 0 {
		t.Errorf("who may list the upper one, and read nothing, sees %d entries", len(found.Entries))
	}
	err = nobody.Del(ldap.NewDelRequest(innerOU, nil))
	expect(t, "an anonymous write", err, 1, textNotBound)
}

func TestRenamingTakesTheRightToTheNamingAttributeToo(t *testing.T) {
	dc, alice := twoUnits(t, "LC", "WPLC")
	admin := asAdministrator(t, dc)
	rename := func() error { return alice.ModifyDN(ldap.NewModifyDNRequest(innerOU, "OU=renamed", true, "")) }
	sid := tree.SID(read(t, admin, dnOf(t, dc, "alice"), "objectSid").GetRawAttributeValue("objectSid")).String()
	const ou = "bf9679f0-0de6-11d0-a285-00aa003049e2"
	if err := writeSDDL(t, admin, dc, innerOU, daclPart, "D:PAI(A;;GA;;;DA)(OD;;WP;"+ou+";;"+sid+")(A;;WP;;;"+sid+")"); err != nil {
		t.Fatal(err)
	}
	expect(t, "without ou", rename(), 50, "00002098: SecErr: DSID-03152612, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n\x00")
	if err := writeSDDL(t, admin, dc, innerOU, daclPart, "D:PAI(A;;GA;;;DA)(A;;WP;;;"+sid+")"); err != nil {
		t.Fatal(err)
	}
	if err := rename(); err != nil {
		t.Errorf("with both: %v", err)
	}
}

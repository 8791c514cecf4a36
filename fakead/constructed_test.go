package fakead_test

import (
	"slices"
	"strings"
	"testing"

	"passback/fakead"
)

// The subschema is what clients such as ldap3 and JXplorer learn the schema from.
func TestTheSubschemaDescribesTheSchema(t *testing.T) {
	dc := fakead.RunT(t)
	c := asAdministrator(t, dc)
	name := rootDSE(t, c, "subschemaSubentry").GetAttributeValue("subschemaSubentry")
	e := read(t, c, name, "attributeTypes", "objectClasses")
	for attribute, want := range map[string]string{
		"attributeTypes": "( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' SYNTAX '1.3.6.1.4.1.1466.115.121.1.15' SINGLE-VALUE )",
		"objectClasses":  "( 2.5.6.5 NAME 'organizationalUnit' SUP top STRUCTURAL MUST (ou ) MAY (",
	} {
		if !slices.ContainsFunc(e.GetAttributeValues(attribute), func(v string) bool { return strings.HasPrefix(v, want) }) {
			t.Errorf("%s lack %s", attribute, want)
		}
	}
	if got := read(t, c, dc.AdminDN(), "attributeTypes").GetAttributeValues("attributeTypes"); len(got) != 0 {
		t.Error("an entry that is no subschema has attributeTypes")
	}
}

func TestMembershipThroughOtherGroups(t *testing.T) {
	dc := fakead.RunT(t)
	c := asAdministrator(t, dc)
	seed(t, dc, fakead.User{SAM: "alice", Name: "alice"})
	for _, g := range []fakead.Group{{SAM: "inner", Members: []string{"alice"}}, {SAM: "outer", Members: []string{"inner"}}} {
		if err := dc.AddGroup(g); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string][]string{"alice": {"CN=inner," + users, "CN=outer," + users}, "inner": {"CN=outer," + users}} {
		e := read(t, c, "CN="+name+","+users, "msds-memberOfTransitive")
		if got := e.GetAttributeValues("msds-memberOfTransitive"); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := read(t, c, "CN=outer,"+users, "msds-memberTransitive").GetAttributeValues("msds-memberTransitive"); !slices.Equal(got, []string{"CN=inner," + users, "CN=alice," + users}) {
		t.Errorf("members: %q", got)
	}
}

func TestChildClasses(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	ou := addOU(t, dc, "OU=west")
	for who, effective := range map[string]bool{"Administrator": true, "alice": false} {
		password := oldPassword
		if who == "Administrator" {
			password = dc.AdminPassword()
		}
		e := read(t, connectAs(t, dc, `CORP\`+who, password), ou, "allowedChildClasses", "allowedChildClassesEffective")
		if !slices.Contains(e.GetAttributeValues("allowedChildClasses"), "user") || slices.Contains(e.GetAttributeValues("allowedChildClassesEffective"), "user") != effective {
			t.Errorf("%s: may lie there: %t, may be made: %t, want %t", who, slices.Contains(e.GetAttributeValues("allowedChildClasses"), "user"),
				slices.Contains(e.GetAttributeValues("allowedChildClassesEffective"), "user"), effective)
		}
	}
	if got := read(t, asAdministrator(t, dc), ou, "msDS-Approx-Immed-Subordinates").GetAttributeValue("msDS-Approx-Immed-Subordinates"); got != "0" {
		t.Errorf("an empty unit has %q subordinates", got)
	}
}

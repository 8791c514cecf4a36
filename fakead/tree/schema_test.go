package tree_test

import (
	"testing"

	"passback/fakead/tree"
)

func TestTheSchemaIsWhole(t *testing.T) {
	for _, c := range tree.Classes() {
		if c.Chain()[0].Name != "top" {
			t.Errorf("class %s does not descend from top", c.Name)
		}
		for _, list := range [][]string{c.Must, c.May, {c.RDN}} {
			for _, name := range list {
				if tree.LookupAttribute(name) == nil {
					t.Errorf("class %s: no attribute %s", c.Name, name)
				}
			}
		}
		for _, list := range [][]string{c.Auxiliary, c.Containers} {
			for _, name := range list {
				if tree.LookupClass(name) == nil {
					t.Errorf("class %s: no class %s", c.Name, name)
				}
			}
		}
	}
	seen := map[string]string{}
	for _, a := range tree.Attributes() {
		if other := seen[a.OID]; other != "" {
			t.Errorf("%s and %s have one OID", a.Name, other)
		}
		seen[a.OID] = a.Name
	}
}

// The numbers are those that diagnostics of real servers show.
func TestAttributesHaveTheNumbersThatDiagnosticsName(t *testing.T) {
	for name, want := range map[string]uint32{
		"unicodePwd": 0x9005a, "cn": 3, "objectClass": 0, "userPrincipalName": 0x90290, "extensionName": 0x200e3, "mail": 0x150003, "employeeNumber": 0x20262,
	} {
		a := tree.LookupAttribute(name)
		if a == nil {
			t.Errorf("no attribute %s", name)
		} else if a.Type() != want {
			t.Errorf("%s: got %x, want %x", name, a.Type(), want)
		}
	}
}

func TestAttributesAreFoundByNameAndByOID(t *testing.T) {
	pwdLastSet := tree.LookupAttribute("pwdLastSet")
	for _, name := range []string{"PWDLASTSET", "1.2.840.113556.1.4.96", "pwdLastSet;binary"} {
		if tree.LookupAttribute(name) != pwdLastSet {
			t.Errorf("%s was not found", name)
		}
	}
	for _, name := range []string{"", "nosuch", "cn;lang-en", ";binary"} {
		if tree.LookupAttribute(name) != nil {
			t.Errorf("%q was found", name)
		}
	}
}

// What writeback may keep its marker in has to take more than one value.
func TestMarkerAttributesAreMultiValuedInUser(t *testing.T) {
	l := newLab(t)
	for _, name := range []string{"extensionName", "otherMailbox", "otherPager", "url", "serialNumber"} {
		u := l.user("u-" + name)
		l.mustModify(u, change(tree.AddValues, name, "one", "two"))
		expectValues(t, u, name, "one", "two")
	}
}

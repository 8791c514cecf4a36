package tree_test

import (
	"testing"

	"passback/fakead/tree"
)

// The property set of an attribute is what rights to several attributes at once are given to.
func TestPropertySets(t *testing.T) {
	for attribute, set := range map[string]string{
		"pwdLastSet": "User-Account-Restrictions", "telephoneNumber": "Personal-Information", "member": "Membership", "minPwdLength": "Domain-Password",
	} {
		if guid, ok := tree.PropertySet(set); !ok || tree.LookupAttribute(attribute).Set != guid {
			t.Errorf("%s is not in %s", attribute, set)
		}
	}
	if (tree.LookupAttribute("lockoutTime").Set != tree.GUID{}) {
		t.Error("lockoutTime is in a property set")
	}
}

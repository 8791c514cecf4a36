package fakead

import (
	"strings"
	"testing"

	"passback/fakead/tree"
)

// The table can be read, and leaves out only classes that have no descriptor in MS-ADSC either.
func TestTheTableOfDefaultSecurity(t *testing.T) {
	s, err := New(Options{LDAPPort: -1, LDAPSPort: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	without := map[string]bool{"applicationSettings": true, "domain": true, "samDomainBase": true, "securityPrincipal": true}
	for _, c := range tree.Classes() {
		if d := s.defaultSecurity(c); (d.DACL == nil) != without[c.Name] {
			t.Errorf("%s: %s", c.Name, d)
		}
	}
	for name, sddl := range loadDefaultSDDL().objects {
		s.mustSDDL(sddl)
		full := strings.NewReplacer("{config}", s.tree.ConfigurationDN().String(), "{base}", s.BaseDN()).Replace(name)
		if _, err := s.tree.Resolve(full); err != nil {
			t.Errorf("%s: %v", full, err)
		}
	}
	for name := range extendedRights {
		rightGUID(name)
	}
	for e := range s.tree.Walk(s.head(), tree.WholeSubtree) {
		if s.descriptorOf(e) == closed {
			t.Errorf("%s has no security descriptor", e.DN())
		}
	}
}

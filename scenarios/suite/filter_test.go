package suite_test

import (
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"passback/scenarios"
)

// A label filter takes the same scenarios on the command line as it takes under Ginkgo.
func TestFiltersAreGinkgos(t *testing.T) {
	for _, text := range []string{
		"", "Slow", "!Slow", "Area:policy && !Slow", "Area:sealed || Area:setup", "Area:sealed, Area:setup && Slow",
		"(Area:atmostonce || Area:sealed) && !Feature:relay-traps", "/^PB-ONCE-01/", "PB-POLICY-001, pb-policy-002", "!(Slow || Area:ways)",
	} {
		ours, err := scenarios.ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := types.ParseLabelFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		taken := 0
		for _, s := range scenarios.All() {
			labels := s.Labels()
			if ours(labels) != theirs(labels) {
				t.Errorf("%q: we take %s: %t, Ginkgo: %t", text, s.ID, ours(labels), theirs(labels))
			}
			if ours(labels) {
				taken++
			}
		}
		if taken == 0 {
			t.Errorf("%q takes nothing, and so shows nothing", text)
		}
	}
}

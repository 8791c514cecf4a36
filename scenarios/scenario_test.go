package scenarios_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"passback/scenarios"
)

// The ids and titles are what reports of the past are compared by. A new scenario adds a line; no line is ever changed
// or given to another scenario.
func TestTheListIsTheGoldenOne(t *testing.T) {
	want, err := os.ReadFile("testdata/scenarios.golden")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, s := range scenarios.All() {
		fmt.Fprintf(&got, "%s %s\n", s.ID, s.Title)
	}
	golden, listed := strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")
	for _, line := range listed {
		if !slices.Contains(golden, line) {
			t.Errorf("not in testdata/scenarios.golden: %s", line)
		}
	}
	for _, line := range golden {
		if !slices.Contains(listed, line) {
			t.Errorf("in testdata/scenarios.golden and nowhere else: %s", line)
		}
	}
}

func TestEachScenarioIsComplete(t *testing.T) {
	id := regexp.MustCompile(`^PB-[A-Z]+-\d{3}$`)
	seen := map[string]bool{}
	for _, s := range scenarios.All() {
		if !id.MatchString(s.ID) || seen[s.ID] {
			t.Errorf("id %q: want one of its own, such as PB-POLICY-001", s.ID)
		}
		seen[s.ID] = true
		if s.Title == "" || s.Area == "" || s.Source == "" || s.Run == nil {
			t.Errorf("%s lacks a title, an area, a source or its steps", s.ID)
		}
		for _, c := range s.Requires {
			if !slices.Contains(scenarios.Capabilities(), c) {
				t.Errorf("%s requires %q, which is no capability", s.ID, c)
			}
		}
	}
}

package scenarios_test

import (
	"testing"

	"passback/scenarios"
)

func TestFilter(t *testing.T) {
	labels := []string{"PB-POLICY-001", "Area:policy", "Feature:name-check", "Slow"}
	for text, want := range map[string]bool{
		"":                             true,
		"Area:policy":                  true,
		"area:POLICY":                  true,
		"Area:sealed":                  false,
		"!Slow":                        false,
		"Area:policy && !Slow":         false,
		"Area:sealed || Slow":          true,
		"Area:sealed, PB-POLICY-001":   true,
		"!(Area:sealed || Area:setup)": true,
		"/^PB-POLICY-0/ && Slow":       true,
		"/^PB-SEALED/":                 false,
		"Area:sealed && Slow || Slow":  true,
	} {
		f, err := scenarios.ParseFilter(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := f(labels); got != want {
			t.Errorf("%q takes %v: %t, want %t", text, labels, got, want)
		}
	}
	for _, text := range []string{"&&", "Slow &&", "(Slow", "Slow)", "/Slow", "/(/", "!", "a || || b"} {
		if _, err := scenarios.ParseFilter(text); err == nil {
			t.Errorf("%q was taken for a filter", text)
		}
	}
}

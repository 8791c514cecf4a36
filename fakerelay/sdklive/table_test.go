package main

import (
	"errors"
	"strings"
	"testing"
)

// events is a run as test2json tells it.
func events(t *testing.T, lines ...string) map[string]outcome {
	t.Helper()
	outcomes, err := read([]byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

func TestTheWorstOfATestAndItsSubtestsCounts(t *testing.T) {
	outcomes := events(
		t,
		`{"Action":"start"}`,
		`{"Action":"run","Test":"TestA"}`, `{"Action":"pass","Test":"TestA"}`,
		`{"Action":"run","Test":"TestB"}`, `{"Action":"run","Test":"TestB/x"}`, `{"Action":"skip","Test":"TestB/x"}`, `{"Action":"pass","Test":"TestB"}`,
		`{"Action":"run","Test":"TestC"}`, `{"Action":"output","Test":"TestC","Output":"why"}`, `{"Action":"fail","Test":"TestC"}`,
		`{"Action":"run","Test":"TestD"}`,
	)
	for test, want := range map[string]string{"TestA": "pass", "TestB": "skip", "TestC": "fail", "TestD": "fail"} {
		if got := outcomes[test].result; got != want {
			t.Errorf("%s: %q, want %q", test, got, want)
		}
	}
	if outcomes["TestC"].output != "why" {
		t.Errorf("the output is %q", outcomes["TestC"].output)
	}
}

func TestOnlyAllowedSkipsPass(t *testing.T) {
	for name, test := range map[string]struct {
		live     map[string]bool
		outcomes map[string]outcome
		want     error
		prints   string
	}{
		"all pass":              {map[string]bool{"TestA": true}, map[string]outcome{"TestA": {result: "pass"}}, nil, "1|"},
		"one fails":             {map[string]bool{"TestA": true}, map[string]outcome{"TestA": {"fail", "why"}}, errFailed, "FAIL TestA\n    why"},
		"one that is not live":  {map[string]bool{"TestA": true}, map[string]outcome{"TestA": {result: "pass"}, "TestB": {result: "fail"}}, errFailed, "FAIL TestB"},
		"one skips":             {map[string]bool{"TestA": true}, map[string]outcome{"TestA": {result: "skip"}}, errFailed, "SKIP TestA"},
		"one that may skips":    {map[string]bool{"TestReceiveWithDelay": true}, map[string]outcome{"TestReceiveWithDelay": {result: "skip"}}, nil, "fault injector"},
		"a unit test may skip":  {map[string]bool{"TestA": true}, map[string]outcome{"TestA": {result: "pass"}, "TestB": {result: "skip"}}, nil, "1|"},
		"there is nothing live": {nil, map[string]outcome{"TestA": {result: "pass"}}, errNoTests, "0|"},
	} {
		t.Run(name, func(t *testing.T) {
			var printed strings.Builder
			table := newTable(&printed)
			table.add("package", test.live, test.outcomes)
			if err := table.print(); !errors.Is(err, test.want) {
				t.Errorf("ended with %v, want %v", err, test.want)
			}
			if !strings.Contains(printed.String(), test.prints) {
				t.Errorf("printed %q, which lacks %q", printed.String(), test.prints)
			}
		})
	}
}

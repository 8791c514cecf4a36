package sqlfilter_test

import (
	"fmt"
	"testing"

	"passback/fakerelay/sqlfilter"
)

// The documentation's tables of AND and OR ("Property evaluation semantics"), and what it says of unknown elsewhere.
// T and F are conditions; U is one on a property that no message has.
func TestUnknown(t *testing.T) {
	conditions := map[byte]string{'T': "1 = 1", 'F': "1 = 0", 'U': "missing = 1"}
	for _, table := range []struct {
		operator, results string // of T, F, U on the left, each with T, F, U on the right
	}{{"AND", "TFUFFFUFU"}, {"OR", "TTTTFUTUU"}} {
		for i := range table.results {
			left, right := "TFU"[i/3], "TFU"[i%3]
			text := fmt.Sprintf("(%s) %s (%s)", conditions[left], table.operator, conditions[right])
			expectLogic(t, text, table.results[i])
		}
	}
	for text, want := range map[string]byte{
		"missing + 1 = 2": 'U', "1 + missing = 2": 'U', "missing * missing = 1": 'U', "-missing = 1": 'U', "+missing = 1": 'U',
		"missing <> 1": 'U', "1 >= missing": 'U', "missing != missing": 'U',
		"missing LIKE 'a'": 'U', "missing NOT LIKE 'a'": 'U', "tag LIKE missing": 'U', "tag LIKE 'a' ESCAPE missing": 'U',
		"missing IN ('a')": 'U', "missing NOT IN ('a')": 'U',
		"missing IS NULL": 'T', "missing IS NOT NULL": 'F', "nothing IS NULL": 'T', "EXISTS(missing)": 'F',
		"[tag] = 'queue' AND \"tag\" = 'queue'": 'T', "p('missing') = 1": 'U', "sys.ReplyTo = 'a'": 'U',
		"tag + TRUE = 'queueTrue' AND FALSE + tag = 'Falsequeue'": 'T', // as C# adds them
		"tag + 1.5 = 'queue1.5'":                                  'T',
	} {
		expectLogic(t, text, want)
	}
}

// expectLogic tells false from unknown by NOT, which makes true of one and leaves the other.
func expectLogic(t *testing.T, text string, want byte) {
	t.Helper()
	holds := func(text string) bool {
		f, err := sqlfilter.ParseFilter(text, nil)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		ok, err := f.Matches(order())
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return ok
	}
	got := byte('U')
	switch {
	case holds(text):
		got = 'T'
	case holds("NOT (" + text + ")"):
		got = 'F'
	}
	if got != want {
		t.Errorf("%s is %c, want %c", text, got, want)
	}
}

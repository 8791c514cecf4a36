package oracle

import (
	"regexp"
	"testing"

	"passback/fakead"
)

// atLeast is how many questions there are of each behaviour (R) and each rule (S), and of all together.
const atLeast, inTotal = 3, 400

// Without a real server the questions can be read, and the fake can be asked every one: none fails in its setting up.
// Those that let time pass are left to the real comparison.
func TestTheQuestionsCanBeAsked(t *testing.T) {
	questions, err := readQuestions("testdata/questions/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(questions) < inTotal {
		t.Errorf("%d questions, want at least %d", len(questions), inTotal)
	}
	count := map[string]int{}
	subject := regexp.MustCompile(`^[RS][0-9.]+`)
	for _, q := range questions {
		count[subject.FindString(q.id)]++
	}
	for id, n := range count {
		if n < atLeast {
			t.Errorf("%d questions of %s, want at least %d", n, id, atLeast)
		}
	}
	s, err := connectFake(fakead.RunT(t, fakead.Options{Domain: "oracle.test", GlobalCatalog: true}))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range questions {
		if q.takesTime() {
			continue
		}
		if _, err := ask(s, &q); err != nil {
			t.Errorf("%s: %v", q.id, err)
		}
	}
}

func (q *question) takesTime() bool {
	for _, st := range q.statements {
		if st.verb == "wait" || st.verb == "unlocked" || st.verb == "many" {
			return true
		}
	}
	return false
}

func TestTheLedgerNamesQuestions(t *testing.T) {
	entries, err := readLedger("testdata/ledger.txt")
	if err != nil {
		t.Fatal(err)
	}
	questions, err := readQuestions("testdata/questions/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, q := range questions {
		known[q.id] = true
	}
	for entry := range entries {
		if id := regexp.MustCompile(`^\S+`).FindString(entry); !known[id] {
			t.Errorf("the ledger has an entry of no question: %s", entry)
		}
	}
}

func TestWhatIsNotAQuestionIsRefused(t *testing.T) {
	for name, line := range map[string]string{
		"no such verb":           "resett a",
		"a string is not closed": `reset a "abc`,
		"a clause too early":     "\treplace description x",
	} {
		if err := new(question).read(line, "here:1"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

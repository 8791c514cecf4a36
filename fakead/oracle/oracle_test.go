// Package oracle asks a real domain controller, Samba, and the fake one the same questions and compares their
// answers: result codes, the Windows code that a diagnostic message begins with, and the state afterwards.
//
// It has tests only. `make oracle` starts the real server (samba.sh) and runs them; without one they say so and are
// skipped.
package oracle

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"passback/fakead"
)

func TestTheRealDomainControllerAnswersAlike(t *testing.T) {
	if os.Getenv("PASSBACK_ORACLE") == "" {
		t.Skip("PASSBACK_ORACLE names no real domain controller: `make oracle` starts one, which needs root and the packages of Debian 13")
	}
	questions, err := readQuestions("testdata/questions/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	meant, err := readLedger("testdata/ledger.txt")
	if err != nil {
		t.Fatal(err)
	}
	realDC, err := connectReal()
	if err != nil {
		t.Fatalf("the real domain controller: %v", err)
	}
	fakeDC, err := connectFake(fakead.RunT(t, fakead.Options{Domain: realDC.domain, NetBIOS: realDC.netbios, GlobalCatalog: true}))
	if err != nil {
		t.Fatalf("the fake domain controller: %v", err)
	}
	r := report{met: map[string]bool{}}
	only := os.Getenv("PASSBACK_ORACLE_ONLY")
	for _, q := range questions {
		if !strings.HasPrefix(q.id, only) {
			continue
		}
		t.Run(q.id, func(t *testing.T) {
			differences, err := compare(realDC, fakeDC, &q)
			r.add(t, q, differences, err, meant)
		})
	}
	if only == "" {
		for _, entry := range slices.Sorted(maps.Keys(meant)) {
			if !r.met[entry] {
				t.Errorf("the ledger is stale: %s", entry)
			}
		}
	}
	t.Log(r)
}

// compare asks both servers at once.
func compare(realDC, fakeDC *server, q *question) ([]difference, error) {
	var answers [2][]answer
	var failed [2]error
	var both sync.WaitGroup
	for i, s := range []*server{realDC, fakeDC} {
		both.Go(func() { answers[i], failed[i] = ask(s, q) })
	}
	both.Wait()
	if failed[0] != nil || failed[1] != nil {
		return nil, fmt.Errorf("could not be asked: %w", errors.Join(failed[0], failed[1]))
	}
	return differencesOf(q, answers[0], answers[1]), nil
}

func differencesOf(q *question, realAnswers, fakeAnswers []answer) []difference {
	var found []difference
	fake := map[string]answer{}
	for _, a := range fakeAnswers {
		fake[a.about] = a
	}
	for _, a := range realAnswers {
		other, ok := fake[a.about]
		delete(fake, a.about)
		switch {
		case !ok:
			found = append(found, difference{q.id, a.about, a.String(), "nothing"})
		case !a.sameAs(other):
			found = append(found, difference{q.id, a.about, a.String(), other.String()})
		}
	}
	for _, about := range slices.Sorted(maps.Keys(fake)) {
		found = append(found, difference{q.id, about, "nothing", fake[about].String()})
	}
	return found
}

// A report counts questions.
type report struct {
	asked, same, tolerated, different, failed int
	met                                       map[string]bool // entries of the ledger
}

func (r *report) add(t *testing.T, q question, found []difference, err error, meant ledger) {
	r.asked++
	if err != nil {
		r.failed++
		t.Error(err)
		return
	}
	unmeant := false
	for _, d := range found {
		if _, ok := meant[d.String()]; ok {
			r.met[d.String()] = true
			continue
		}
		unmeant = true
		t.Errorf("%s\n\t%s", q.asks, d)
	}
	switch {
	case unmeant:
		r.different++
	case len(found) > 0:
		r.tolerated++
	default:
		r.same++
	}
}

func (r report) String() string {
	return fmt.Sprintf("asked %d questions: %d answered alike, %d with tolerated differences (%d entries of the ledger), %d different, %d could not be asked",
		r.asked, r.same, r.tolerated, len(r.met), r.different, r.failed)
}

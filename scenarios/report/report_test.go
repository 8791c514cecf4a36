package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"passback/scenarios"
)

func example() Report {
	return Report{
		Target:  scenarios.Description{Directory: "fakead", Agent: "world"},
		Started: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Took: Duration(90 * time.Second), Seed: 7,
		Results: []Result{
			{ID: "PB-POLICY-001", Title: "holds", Area: scenarios.AreaPolicy, Verdict: scenarios.Passed, Took: Duration(time.Second)},
			{ID: "PB-POLICY-002", Title: "does not", Area: scenarios.AreaPolicy, Verdict: scenarios.Failed, Reason: `the answer is "success"`, Steps: []string{"  0.001s asked"}},
			{ID: "PB-SEALED-001", Title: "cannot be seen", Area: scenarios.AreaSealed, Verdict: scenarios.Skipped, Reason: "raw-relay: not ours"},
		},
	}
}

func TestAReportIsReadAsItWasWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "report")
	want := example()
	if err := want.Write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, want %+v", got, want)
	}
	if err := got.Err(); !errors.Is(err, ErrFailed) || !strings.Contains(err.Error(), "1 of 3") {
		t.Errorf("its error is %v, want that 1 of 3 scenarios failed", err)
	}
}

func TestJUnitCountsAndTellsWhy(t *testing.T) {
	dir := t.TempDir()
	if err := example().Write(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "junit.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var got junitSuites
	if err := xml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	s := got.Suite
	if s.Tests != 3 || s.Failures != 1 || s.Skipped != 1 || len(s.Cases) != 3 {
		t.Errorf("counts %+v, want 3 tests, 1 failure, 1 skipped", s)
	}
	if f := s.Cases[1].Failure; f == nil || f.Message != `the answer is "success"` {
		t.Errorf("the failure is %+v, want its reason", f)
	}
	if k := s.Cases[2].Skipped; k == nil || k.Message != "raw-relay: not ours" {
		t.Errorf("the skip is %+v, want its reason", k)
	}
}

func TestSummaryNamesWhatDidNotPass(t *testing.T) {
	var out bytes.Buffer
	example().Summary(&out)
	for _, want := range []string{"fakead", "PB-POLICY-002", "| ", "raw-relay: not ours", "1 passed, 1 failed, 1 skipped"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the summary lacks %q:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "PB-POLICY-001") {
		t.Errorf("the summary lists what passed:\n%s", &out)
	}
}

func TestListTakesALabelFilter(t *testing.T) {
	policy, err := List("Area:policy && !Slow")
	if err != nil || len(policy) == 0 {
		t.Fatalf("%d scenarios, %v", len(policy), err)
	}
	for _, s := range policy {
		if s.Area != scenarios.AreaPolicy || s.Slow {
			t.Errorf("%s was taken", s.ID)
		}
	}
}

package writeback_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"passback/writeback"
	"passback/writeback/protocol"
)

func (l *lab) explain(id protocol.TrackingID) writeback.Explanation {
	l.t.Helper()
	code, out, errs := l.verb("explain", string(id), "--json")
	var e writeback.Explanation
	if code != 0 || json.Unmarshal([]byte(out), &e) != nil {
		l.t.Fatalf("explain: exit code %d: %s%s", code, out, errs)
	}
	return e
}

// forget removes the journal, as on a host that did not take the request.
func (l *lab) forget() {
	l.t.Helper()
	must(l.t, os.Remove(l.path("state/journal.jsonl")))
}

func TestExplainAnAppliedRequest(t *testing.T) {
	l := newLab(t)
	stop := l.start(l.enrolled())
	r := l.request(nil)
	l.ask(r, newPassword("Spring-Evening-42"))
	must(t, stop())
	e := l.explain(r.TrackingID)
	if e.Verdict != writeback.Applied || len(e.Journal) != 1 || !e.Journal[0].Answered || !e.Journal[0].Completed || len(e.Directory) != 1 || len(e.Directory[0].Values) != 1 {
		t.Errorf("explained %+v", e)
	}
	l.forget()
	if e := l.explain(r.TrackingID); e.Verdict != writeback.Applied || len(e.Journal) != 0 || !strings.HasPrefix(e.Directory[0].DN, "CN=alice") {
		t.Errorf("from the directory alone: %+v", e)
	}
}

func TestExplainARefusedRequest(t *testing.T) {
	l := newLab(t)
	stop := l.start(l.enrolled())
	r := l.request(nil)
	l.ask(r, newPassword("short"))
	must(t, stop())
	e := l.explain(r.TrackingID)
	if e.Verdict != writeback.Refused || e.Outcome != protocol.PolicyViolation || !strings.Contains(e.Why, "The rule that refused is length (certain)") {
		t.Errorf("explained %+v", e)
	}
	code, out, _ := l.verb("explain", string(r.TrackingID))
	if code != 0 || !strings.Contains(out, "refused: policyViolation") || strings.Contains(out, "short") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	l.forget()
	if e := l.explain(r.TrackingID); e.Verdict != writeback.Refused || e.Outcome != protocol.PolicyViolation {
		t.Errorf("from the directory alone: %+v", e)
	}
}

func TestExplainFromTheJournalAlone(t *testing.T) {
	l := newLab(t)
	stop := l.start(l.enrolled())
	r := l.request(nil)
	l.ask(r, newPassword("Spring-Evening-42"))
	must(t, stop())
	must(t, l.dc.Close())
	e := l.explain(r.TrackingID)
	if e.Verdict != writeback.Applied || !strings.Contains(e.Why, "The journal says") || len(e.Directory) != 1 || e.Directory[0].Error == "" {
		t.Errorf("explained %+v", e)
	}
}

func TestExplainWhatNobodySaw(t *testing.T) {
	l := newLab(t)
	l.enrolled()
	if e := l.explain(l.request(nil).TrackingID); e.Verdict != writeback.NotKnown || !strings.Contains(e.Why, "another agent may have taken it") {
		t.Errorf("explained %+v", e)
	}
	old := uuid.Must(uuid.NewV7())
	copy(old[:6], idTime(time.Now().Add(-2*time.Hour)))
	if e := l.explain(protocol.TrackingID(old.String())); e.Verdict != writeback.NotKnown || !strings.Contains(e.Why, "may be removed") {
		t.Errorf("explained %+v", e)
	}
	if code, _, errs := l.verb("explain", "not-an-id"); code != 2 || !strings.Contains(errs, "UUIDv7") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// idTime is how a UUIDv7 begins.
func idTime(at time.Time) []byte {
	var out []byte
	for shift := 40; shift >= 0; shift -= 8 {
		out = append(out, byte(at.UnixMilli()>>shift))
	}
	return out
}

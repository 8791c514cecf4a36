package protocol_test

import (
	"strings"
	"testing"
	"time"

	"passback/clock"
	"passback/writeback/protocol"
)

func TestTrackingIDTellsWhenItWasMade(t *testing.T) {
	// The example of RFC 9562, appendix A.6: Tuesday, February 22, 2022 2:22:22.00 PM GMT-05:00.
	id, err := protocol.ParseTrackingID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2022, 2, 22, 19, 22, 22, 0, time.UTC); !id.Time().Equal(want) {
		t.Errorf("made at %s, want %s", id.Time(), want)
	}
	before := clock.Real().Now().Truncate(time.Millisecond)
	fresh, err := protocol.NewTrackingID()
	if err != nil {
		t.Fatal(err)
	}
	if at := fresh.Time(); at.Before(before) || at.After(clock.Real().Now()) {
		t.Errorf("a new id says that it was made at %s", at)
	}
}

func TestTrackingIDHasOneForm(t *testing.T) {
	for _, s := range []string{
		"", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}", "017f22e279b07cc398c4dc0c0c07398f",
		"urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "f81d4fae-7dec-41d0-8765-00a0c91e6bf6", "017f22e2-79b0-7cc3-18c4-dc0c0c07398f",
	} {
		if _, err := protocol.ParseTrackingID(s); err == nil {
			t.Errorf("%q was accepted", s)
		}
	}
}

func TestMarker(t *testing.T) {
	const id = protocol.TrackingID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
	for value, want := range map[string]protocol.Marker{
		"passback/1 017f22e2-79b0-7cc3-98c4-dc0c0c07398f":                         {ID: id},
		"passback/1 017f22e2-79b0-7cc3-98c4-dc0c0c07398f refused policyViolation": {ID: id, Refused: protocol.PolicyViolation},
		"passback/1 017f22e2-79b0-7cc3-98c4-dc0c0c07398f refused superseded":      {ID: id, Refused: protocol.Superseded},
	} {
		got, ours := protocol.ParseMarker(value)
		if !ours || got != want || got.String() != value {
			t.Errorf("%q was read as %+v (%t) and written as %q", value, got, ours, got)
		}
	}
	for _, other := range []string{
		"", "passback/1", "passback/1 ", "passback/2 017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "passback/1 x",
		"passback/1 017f22e2-79b0-7cc3-98c4-dc0c0c07398f refused", "passback/1 017f22e2-79b0-7cc3-98c4-dc0c0c07398f refused ",
		strings.Repeat("x", 5000),
	} {
		if m, ours := protocol.ParseMarker(other); ours {
			t.Errorf("%.80q was read as %+v", other, m)
		}
	}
	later := "passback/1 017f22e2-79b0-7cc3-98c4-dc0c0c07398f refused perhaps" // of a version that has more outcomes
	if m, ours := protocol.ParseMarker(later); !ours || m != (protocol.Marker{ID: id, Refused: protocol.InternalError}) {
		t.Errorf("a twin of an unknown outcome was read as %+v (%t)", m, ours)
	}
	made := time.Date(2022, 2, 22, 19, 22, 22, 0, time.UTC)
	if m := (protocol.Marker{ID: id}); m.Stale(made.Add(time.Hour)) || !m.Stale(made.Add(time.Hour+time.Millisecond)) {
		t.Error("a value may be removed once it is older than one hour, and not before")
	}
}

func TestOnlyRefusalsSayThatNothingChanged(t *testing.T) {
	want := map[protocol.Outcome]protocol.Changed{
		protocol.Success: protocol.ChangedYes, protocol.CloudWriteFailed: protocol.ChangedYes, protocol.Unknown: protocol.ChangedMaybe,
	}
	seen := map[protocol.Outcome]bool{}
	for _, row := range protocol.Outcomes() {
		if seen[row.Outcome] {
			t.Errorf("%s has two rows", row.Outcome)
		}
		seen[row.Outcome] = true
		changed, special := want[row.Outcome]
		if !special {
			changed = protocol.ChangedNo
		}
		if row.Changed != changed {
			t.Errorf("%s says changed %s, want %s", row.Outcome, row.Changed, changed)
		}
		if row.Event.ID == 0 || row.Event.Name == "" || row.Name == "" {
			t.Errorf("%s lacks an event or a name", row.Outcome)
		}
		if admin := row.AdminText("the-id"); !strings.Contains(admin, "the-id") || strings.ContainsAny(admin+row.UserText("the-id"), "{}") {
			t.Errorf("%s: texts %q and %q", row.Outcome, row.UserText("the-id"), admin)
		}
	}
	if len(seen) != 21 {
		t.Errorf("%d outcomes, want 21", len(seen))
	}
	if protocol.Outcome("perhaps").Known() || !protocol.Success.Known() {
		t.Error("Known does not know the table")
	}
}

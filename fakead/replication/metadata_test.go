package replication_test

import (
	"testing"
	"time"

	"passback/fakead/replication"
)

var at = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func TestWhichStampPrevails(t *testing.T) {
	low, high := replication.GUID{1}, replication.GUID{2}
	for _, c := range []struct {
		what            string
		winner, against replication.Stamp
	}{
		{"the version before the time", replication.Stamp{Version: 3, Time: at, Origin: low}, replication.Stamp{Version: 2, Time: at.Add(time.Hour), Origin: high}},
		{"the time before the origin", replication.Stamp{Version: 2, Time: at.Add(time.Second), Origin: low}, replication.Stamp{Version: 2, Time: at, Origin: high}},
		{"the greater origin in the end", replication.Stamp{Version: 2, Time: at, Origin: high, USN: 1}, replication.Stamp{Version: 2, Time: at, Origin: low, USN: 2}},
	} {
		if !c.winner.Beats(c.against) || c.against.Beats(c.winner) || c.winner.Beats(c.winner) {
			t.Errorf("%s: %+v against %+v", c.what, c.winner, c.against)
		}
	}
}

func TestAPartnerGetsWhatItLacks(t *testing.T) {
	a, b := replication.GUID{0xa}, replication.GUID{0xb}
	alice, bob := replication.GUID{1}, replication.GUID{2}
	title := replication.Key{Attribute: "title"}
	m := replication.New(a)
	m.Originate(alice, replication.Key{}, at, 10)
	m.Originate(bob, title, at, 11)
	m.Accept(alice, title, replication.Stamp{Version: 5, Time: at, Origin: b, USN: 70}, 12)

	all := m.Changes(0, replication.Vector{})
	if len(all) != 2 || all[0].Object != alice || len(all[0].Keys) != 2 || all[1].Keys[title].Version != 2 {
		t.Errorf("all of it: %+v", all)
	}
	if rest := m.Changes(11, replication.Vector{}); len(rest) != 1 || len(rest[0].Keys) != 1 {
		t.Errorf("after USN 11: %+v", rest)
	}
	if known := m.Changes(0, replication.Vector{a: 11, b: 70}); len(known) != 0 {
		t.Errorf("for who knows it by others: %+v", known)
	}
	if m.Accept(alice, title, replication.Stamp{Version: 4, Time: at.Add(time.Hour), Origin: b, USN: 71}, 13) {
		t.Error("an older version was accepted")
	}
	m.Originate(alice, replication.Deletion, at, 14)
	if gone := m.Changes(12, replication.Vector{}); len(gone) != 1 || !m.Deleted(alice) {
		t.Errorf("a deletion: %+v", gone)
	}
}

func TestTheLogStaysShort(t *testing.T) {
	m := replication.New(replication.GUID{0xa})
	alice, title := replication.GUID{1}, replication.Key{Attribute: "title"}
	const writes = 100_000
	for usn := range int64(writes) {
		m.Originate(alice, title, at, usn+1)
	}
	if got := m.Changes(writes-1, replication.Vector{}); len(got) != 1 || got[0].Keys[title].Version != writes+1 {
		t.Errorf("after many writes: %+v", got)
	}
	if n := m.LogLen(); n > 2000 {
		t.Errorf("%d entries tell of one object", n)
	}
}

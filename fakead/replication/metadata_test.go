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

// everything was there before.
func everything(replication.GUID, replication.Key) replication.Stamp {
	return replication.Stamp{Version: 1, Time: at}
}

func TestAPartnerGetsWhatItLacks(t *testing.T) {
	a, b := replication.GUID{0xa}, replication.GUID{0xb}
	alice, bob := replication.GUID{1}, replication.GUID{2}
	title := replication.Key{Attribute: "title"}
	m := replication.New(a, everything)
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
	if s, local := m.Last(alice, title); s.Version != 5 || s.USN != 70 || local != 12 {
		t.Errorf("a partner's write: %+v at %d", s, local)
	}
	m.Originate(alice, replication.Deletion, at, 14)
	if gone := m.Changes(12, replication.Vector{}); len(gone) != 1 || !m.Deleted(alice) {
		t.Errorf("a deletion: %+v", gone)
	}
}

func TestVersionsCountFromTheFirstWrite(t *testing.T) {
	a, alice, bob, group := replication.GUID{0xa}, replication.GUID{1}, replication.GUID{2}, replication.GUID{3}
	title, name, member := replication.Key{Attribute: "title"}, replication.Key{Attribute: "name"}, replication.Key{Attribute: "member", Target: bob}
	m := replication.New(a, func(object replication.GUID, k replication.Key) replication.Stamp {
		if k == name {
			return replication.Stamp{Version: 3, Time: at, USN: 5}
		}
		return replication.Stamp{}
	})
	m.Originate(bob, replication.Key{}, at, 10)
	m.Originate(alice, title, at, 11)
	m.Originate(alice, name, at, 12)
	m.Originate(bob, name, at.Add(time.Minute), 13)
	m.Originate(group, member, at, 14)
	m.Originate(group, member, at.Add(time.Hour), 15)
	for _, c := range []struct {
		what   string
		object replication.GUID
		k      replication.Key
		want   replication.Stamp
	}{
		{"an attribute that had no value", alice, title, replication.Stamp{Version: 1, Time: at, Origin: a, USN: 11}},
		{"one that was written before", alice, name, replication.Stamp{Version: 4, Time: at, Origin: a, USN: 12}},
		{"of an object made since", bob, name, replication.Stamp{Version: 2, Time: at.Add(time.Minute), Origin: a, USN: 13}},
		{"what such an object never had", bob, title, replication.Stamp{}},
		{"a link that came and went", group, member, replication.Stamp{Version: 2, Time: at.Add(time.Hour), Origin: a, USN: 15, Created: at}},
	} {
		if got := m.StampOf(c.object, c.k); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.what, got, c.want)
		}
	}
}

func TestTheLogStaysShort(t *testing.T) {
	m := replication.New(replication.GUID{0xa}, everything)
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

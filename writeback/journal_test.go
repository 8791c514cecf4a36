package writeback

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"passback/writeback/protocol"
)

func newID(t *testing.T) protocol.TrackingID {
	t.Helper()
	id, err := protocol.NewTrackingID()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func openTestJournal(t *testing.T, s state) *journal {
	t.Helper()
	j, err := openJournal(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.close)
	return j
}

func keepLine(t *testing.T, j *journal, e journalEntry) {
	t.Helper()
	if err := j.write(e); err != nil {
		t.Fatal(err)
	}
}

func TestJournalIsBounded(t *testing.T) {
	s := state{t.TempDir()}
	j := openTestJournal(t, s)
	first, last := newID(t), newID(t)
	keepLine(t, j, journalEntry{TrackingID: first})
	detail := strings.Repeat("x", protocol.MaxText)
	for range (journalKept + 2) * journalSize / protocol.MaxText {
		keepLine(t, j, journalEntry{TrackingID: last, Detail: detail})
	}
	files, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != journalKept+1 {
		t.Errorf("%d files, want %d", len(files), journalKept+1)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > journalSize || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has %d bytes, mode %04o", f.Name(), info.Size(), info.Mode().Perm())
		}
	}
	if found, err := readJournal(s, last); err != nil || len(found) < journalKept*journalSize/(2*protocol.MaxText) {
		t.Errorf("%d lines of the last request, %v", len(found), err)
	}
	if found, err := readJournal(s, first); err != nil || len(found) != 0 {
		t.Errorf("the oldest line is still there: %v, %v", found, err)
	}
}

func TestJournalSurvivesALineCutOff(t *testing.T) {
	s := state{t.TempDir()}
	id := newID(t)
	keepLine(t, openTestJournal(t, s), journalEntry{TrackingID: id, Outcome: protocol.Success})
	path := filepath.Join(s.dir, journalFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, text[:len(text)/2]...), 0o600); err != nil {
		t.Fatal(err)
	}
	keepLine(t, openTestJournal(t, s), journalEntry{TrackingID: id, Outcome: protocol.Unknown})
	found, err := readJournal(s, id)
	if err != nil || len(found) != 2 || found[0].Outcome != protocol.Success || found[1].Outcome != protocol.Unknown {
		t.Errorf("read %+v, %v", found, err)
	}
}

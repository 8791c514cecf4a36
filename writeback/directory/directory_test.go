package directory_test

import (
	"testing"

	"passback/writeback/directory"
	"passback/writeback/protocol"
)

func TestWriteToIsThePDCEmulator(t *testing.T) {
	l := newLab(t)
	dc, err := l.open().WriteTo(t.Context())
	l.must(err)
	if dc != l.host {
		t.Errorf("write to %q, want %q", dc, l.host)
	}
}

func TestOneModifySetsUnlocksAndMarks(t *testing.T) {
	l := newLab(t)
	dn, guid := l.addUser("olive", map[string][]string{"displayName": {"Olive Tree"}})
	c := l.connect(l.open())
	users, err := c.Find(t.Context(), guid)
	l.must(err)
	if len(users) != 1 || users[0].SAM != "olive" || users[0].DisplayName != "Olive Tree" || !users[0].Enabled || users[0].PasswordSet.IsZero() {
		t.Fatalf("found %+v", users)
	}
	l.replace(dn, "pwdLastSet", "0") // no minimum age
	err = c.Modify(t.Context(), users[0], directory.Modification{New: protocol.NewSecret("Spring-Evening-42"), Unlock: true, Mark: []string{"one"}})
	l.must(err)
	if !l.binds(dn, "Spring-Evening-42") {
		t.Error("the new password does not bind")
	}
	err = c.Modify(t.Context(), users[0], directory.Modification{New: protocol.NewSecret("Summer-Evening-43"), Mark: []string{"one"}})
	if directory.KindOf(err) != directory.Exists {
		t.Errorf("the same mark again: %v", err)
	}
	p, err := c.Policy(t.Context(), users[0])
	t.Log(p, err)
	now, err := c.Time(t.Context())
	t.Log(now, err)
}

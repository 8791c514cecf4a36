package fakead_test

import (
	"strings"
	"testing"

	"passback/fakead"
)

func TestBannedWords(t *testing.T) {
	banned, err := fakead.BannedWords(strings.NewReader("# ours\n\n  Contoso\nfrühling\n"))
	if err != nil {
		t.Fatal(err)
	}
	dc := fakead.RunT(t, fakead.Options{Filters: []fakead.PasswordFilter{banned}})
	seed(t, dc, fakead.User{SAM: "alice"})
	admin, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
	expect(t, "a reset to a banned word", admin.Modify(resetRequest(dn, "myCONTOSO-1")), 53, textResetRefused)
	expect(t, "a change to one", admin.Modify(changeRequest(dn, oldPassword, "FRÜHLING-2026")), 19, changeText("0000052D"))
	expect(t, "another password", admin.Modify(resetRequest(dn, "Summer-2027?")), 0, "")
	if writes := dc.PasswordWrites(); writes[0].Rule != "filter" || writes[1].Rule != "filter" {
		t.Errorf("recorded as %s, %s", writes[0], writes[1])
	}
}

func TestAListOfBannedWordsThatBansTooMuch(t *testing.T) {
	if _, err := fakead.BannedWords(strings.NewReader("winter\nab\n")); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("got %v, want an error about line 2", err)
	}
}

package tree_test

import (
	"testing"

	"passback/fakead/tree"
)

func TestGUIDsStoreTheirFirstGroupsBackwards(t *testing.T) {
	const text = "00299570-246d-11d0-a768-00aa006e0529"
	stored := string([]byte{0x70, 0x95, 0x29, 0x00, 0x6d, 0x24, 0xd0, 0x11, 0xa7, 0x68, 0x00, 0xaa, 0x00, 0x6e, 0x05, 0x29})
	for _, form := range []string{text, "{" + text + "}", "00299570-246D-11D0-A768-00AA006E0529", stored, "709529006d24d011a76800aa006e0529"} {
		g, err := tree.ParseGUID(form)
		if err != nil || string(g[:]) != stored || g.String() != text {
			t.Errorf("%q: got %s, %v", form, g, err)
		}
	}
	for _, form := range []string{"", "00299570", text + "0", "{" + text, "zz299570-246d-11d0-a768-00aa006e0529"} {
		if g, err := tree.ParseGUID(form); err == nil {
			t.Errorf("%q was taken for %s", form, g)
		}
	}
}

func TestSIDs(t *testing.T) {
	administrators := string([]byte{1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0})
	for _, form := range []string{"S-1-5-32-544", "s-1-5-32-544", administrators, "01020000000000052000000020020000"} {
		sid, err := tree.ParseSID(form)
		if err != nil || string(sid) != administrators || sid.String() != "S-1-5-32-544" {
			t.Errorf("%q: got %s, %v", form, sid, err)
		}
	}
	domain, rid := tree.MustParseSID("S-1-5-21-1-2-3-1104").RID()
	if domain.String() != "S-1-5-21-1-2-3" || rid != 1104 || domain.WithRID(513).String() != "S-1-5-21-1-2-3-513" {
		t.Errorf("got %s and %d", domain, rid)
	}
	for _, form := range []string{"", "S-1", "S-2-5-32", "S-1-5-x", "S-1-5-4294967296", "S-1-281474976710656", "S-1-5-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1"} {
		if sid, err := tree.ParseSID(form); err == nil {
			t.Errorf("%q was taken for %s", form, sid)
		}
	}
}

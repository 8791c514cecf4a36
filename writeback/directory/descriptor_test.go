package directory

import (
	"testing"

	"github.com/google/uuid"

	"passback/fakead/security"
	"passback/fakead/tree"
)

const (
	testDomain = "S-1-5-21-1111-2222-3333"
	testAgent  = testDomain + "-1105"
)

var (
	testReset  = uuid.MustParse("00299570-246d-11d0-a768-00aa006e0529")
	testMarker = uuid.MustParse("bf967972-0de6-11d0-a285-00aa003049e2")
	testSet    = uuid.MustParse("4c164200-20c0-11d0-a768-00aa006e0529") // User-Account-Restrictions
)

// tokenOf is a caller with these SIDs, and Everyone.
func tokenOf(sids ...string) Token {
	t := Token{everyone: true, authenticatedUsers: true}
	for _, s := range sids {
		t[string(tree.MustParseSID(s))] = true
	}
	return t
}

// TestDescriptorGrants reads what another implementation wrote from SDDL.
func TestDescriptorGrants(t *testing.T) {
	const (
		reset  = "00299570-246d-11d0-a768-00aa006e0529"
		change = "ab721a53-1e2f-11d0-9819-00aa0040529b"
		marker = "bf967972-0de6-11d0-a285-00aa003049e2"
		set    = "4c164200-20c0-11d0-a768-00aa006e0529"
	)
	agent := tokenOf(testAgent)
	for name, row := range map[string]struct {
		sddl   string
		token  Token
		access Access
		object []uuid.UUID
		want   bool
	}{
		"an extended right":              {"D:(OA;;CR;" + reset + ";;" + testAgent + ")", agent, ControlAccess, []uuid.UUID{testReset}, true},
		"another extended right":         {"D:(OA;;CR;" + change + ";;" + testAgent + ")", agent, ControlAccess, []uuid.UUID{testReset}, false},
		"all extended rights":            {"D:(A;;CR;;;" + testAgent + ")", agent, ControlAccess, []uuid.UUID{testReset}, true},
		"somebody else's":                {"D:(OA;;CR;" + reset + ";;" + testDomain + "-1106)", agent, ControlAccess, []uuid.UUID{testReset}, false},
		"a group's":                      {"D:(OA;;CR;" + reset + ";;" + testDomain + "-1106)", tokenOf(testAgent, testDomain+"-1106"), ControlAccess, []uuid.UUID{testReset}, true},
		"everyone's":                     {"D:(OA;;CR;" + reset + ";;WD)", agent, ControlAccess, []uuid.UUID{testReset}, true},
		"for children alone":             {"D:(OA;CIIO;CR;" + reset + ";;" + testAgent + ")", agent, ControlAccess, []uuid.UUID{testReset}, false},
		"for children that are users":    {"D:(OA;CIIOID;CR;" + reset + ";bf967aba-0de6-11d0-a285-00aa003049e2;" + testAgent + ")", agent, ControlAccess, []uuid.UUID{testReset}, false},
		"inherited by this user":         {"D:(OA;CIID;CR;" + reset + ";bf967aba-0de6-11d0-a285-00aa003049e2;" + testAgent + ")", agent, ControlAccess, []uuid.UUID{testReset}, true},
		"denied first":                   {"D:(OD;;CR;" + reset + ";;WD)(OA;;CR;" + reset + ";;" + testAgent + ")", agent, ControlAccess, []uuid.UUID{testReset}, false},
		"denied to another":              {"D:(OD;;CR;" + reset + ";;" + testDomain + "-1106)(OA;;CR;" + reset + ";;" + testAgent + ")", agent, ControlAccess, []uuid.UUID{testReset}, true},
		"denied after it was granted":    {"D:(OA;;CR;" + reset + ";;" + testAgent + ")(D;;CR;;;WD)", agent, ControlAccess, []uuid.UUID{testReset}, true},
		"an attribute by its own id":     {"D:(OA;;RPWP;" + marker + ";;" + testAgent + ")", agent, ReadProperty, []uuid.UUID{testMarker, testSet}, true},
		"an attribute by its set":        {"D:(OA;;RP;" + set + ";;" + testAgent + ")", agent, ReadProperty, []uuid.UUID{testMarker, testSet}, true},
		"written, not read":              {"D:(OA;;WP;" + marker + ";;" + testAgent + ")", agent, ReadProperty, []uuid.UUID{testMarker}, false},
		"read by one, written by others": {"D:(OA;;RP;" + marker + ";;AU)(OA;;WP;" + marker + ";;" + testAgent + ")", agent, ReadProperty | WriteProperty, []uuid.UUID{testMarker}, true},
		"generic all":                    {"D:(A;;GA;;;" + testAgent + ")", agent, ControlAccess, []uuid.UUID{testReset}, true},
		"full control":                   {"D:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;" + testAgent + ")", agent, ControlAccess | WriteProperty, []uuid.UUID{testReset}, true},
		"nothing at all":                 {"D:", agent, ReadProperty, nil, false},
		"no list at all":                 {"O:BA", agent, ControlAccess, []uuid.UUID{testReset}, true},
	} {
		written, err := security.ParseSDDL(row.sddl, tree.MustParseSID(testDomain))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		raw, err := written.Marshal()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		d, err := parseDescriptor(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := d.Grants(row.token, row.access, row.object...); got != row.want {
			t.Errorf("%s: granted %t, want %t", name, got, row.want)
		}
	}
}

func TestDescriptorTellsThatInheritanceIsOff(t *testing.T) {
	for sddl, want := range map[string]bool{"D:P(A;;RP;;;WD)": true, "D:AI(A;ID;RP;;;WD)": false} {
		written, err := security.ParseSDDL(sddl, tree.MustParseSID(testDomain))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := written.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if d, err := parseDescriptor(raw); err != nil || d.Protected != want {
			t.Errorf("%s: %+v, %v", sddl, d, err)
		}
	}
}

func FuzzDescriptor(f *testing.F) {
	for _, sddl := range []string{"D:", "O:BAD:(OA;CI;CR;00299570-246d-11d0-a768-00aa006e0529;bf967aba-0de6-11d0-a285-00aa003049e2;WD)(D;;RP;;;AU)"} {
		written, err := security.ParseSDDL(sddl, tree.MustParseSID(testDomain))
		if err != nil {
			f.Fatal(err)
		}
		raw, err := written.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(_ *testing.T, raw []byte) {
		if d, err := parseDescriptor(raw); err == nil {
			d.Grants(tokenOf(testAgent), ControlAccess, testReset)
		}
	})
}

func TestAdministratorsAreKnownByTheirGroups(t *testing.T) {
	for sid, want := range map[string]bool{
		"S-1-5-32-544": true, testDomain + "-512": true, "S-1-5-32-545": false, testDomain + "-513": false, "S-1-5-32-512": false,
	} {
		if got := tokenOf(testAgent, sid).Administrator(); got != want {
			t.Errorf("%s: %t, want %t", sid, got, want)
		}
	}
}

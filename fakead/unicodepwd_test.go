package fakead_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/clock"
	"passback/fakead"
)

// The whole texts of a domain controller about unicodePwd.
const (
	textResetRefused   = "0000052D: SvcErr: DSID-031A126C, problem 5003 (WILL_NOT_PERFORM), data 0\n\x00"
	textBadEncoding    = "0000001F: SvcErr: DSID-031A1254, problem 5003 (WILL_NOT_PERFORM), data 0\n\x00"
	textNoResetRight   = "00000005: SecErr: DSID-031A11B9, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n\x00"
	textNoWriteRight   = "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n\x00"
	textCannotChange   = "00000005: AtrErr: DSID-03191083, #1:\n\t0: 00000005: DSID-03191083, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 9005a (unicodePwd)\n\x00"
	textInvalidSetTime = "00000057: SysErr: DSID-031A1260, problem 22 (Invalid argument), data 0\n\x00"
	textNoPassword     = "0000052D: SvcErr: DSID-031A124C, problem 5003 (WILL_NOT_PERFORM), data 0\n\x00"
)

// changeText is the answer to a refused change, which differs in its Win32 code only.
func changeText(win32 string) string {
	return win32 + ": AtrErr: DSID-03190F80, #1:\n\t0: " + win32 + ": DSID-03190F80, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 9005a (unicodePwd)\n\x00"
}

// hints is the policy hints control; its value is a BER sequence of one integer.
func hints(oid string, critical bool, flags byte) ldap.Control {
	return ldap.NewControlString(oid, critical, string([]byte{0x30, 0x03, 0x02, 0x01, flags}))
}

const (
	policyHints    = "1.2.840.113556.1.4.2239"
	oldPolicyHints = "1.2.840.113556.1.4.2066"
)

func TestResetByAnAdministrator(t *testing.T) {
	dc := fakead.RunT(t)
	admin := asAdministrator(t, dc)
	for name, c := range map[string]struct {
		password string
		code     uint16
		text     string
		rule     string
	}{
		"acceptable":       {newPassword, 0, "", ""},
		"in history":       {oldPassword, 0, "", ""},
		"too short":        {"Ab1!xy", 53, textResetRefused, "length"},
		"not complex":      {"abcdefgh", 53, textResetRefused, "complexity"},
		"contains a name":  {"Smithers-1", 53, textResetRefused, "contains a name"},
		"of 257":           {strings.Repeat("Ab1!", 64) + "x", 53, textResetRefused, "length"},
		"empty":            {"", 53, textResetRefused, "length"},
		"of other letters": {"пароль-ПАРОЛЬ", 0, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			sam := strings.ReplaceAll(name, " ", "-")
			seed(t, dc, fakead.User{SAM: sam, DisplayName: "Waylon Smithers", Name: sam})
			expect(t, "reset", admin.Modify(resetRequest(dnOf(t, dc, sam), c.password)), c.code, c.text)
			state, writes := stateOf(t, dc, sam), dc.PasswordWrites()
			if state.PasswordIs(c.password) != (c.code == 0) {
				t.Errorf("answered %d, and the password is the new one: %t", c.code, state.PasswordIs(c.password))
			}
			last := writes[len(writes)-1]
			if last.Change || last.Code != int(c.code) || last.Rule != c.rule || last.Caller != dc.AdminDN() || last.Target != state.DN {
				t.Errorf("recorded as %s", last)
			}
		})
	}
}

func TestChange(t *testing.T) {
	dc := fakead.RunT(t)
	policy := dc.Policy()
	policy.LockoutThreshold = 10 // without one nothing is counted
	dc.SetPolicy(policy)
	seed(t, dc, fakead.User{SAM: "colleague"})
	n := 0
	for name, c := range map[string]struct {
		user     fakead.User
		from, to string
		code     uint16
		text     string
	}{
		"right":                        {fakead.User{}, oldPassword, newPassword, 0, ""},
		"wrong old password":           {fakead.User{}, "no", newPassword, 19, changeText("00000056")},
		"wrong old, weak new":          {fakead.User{}, "no", "abc", 19, changeText("00000056")},
		"too short":                    {fakead.User{}, oldPassword, "Ab1!", 19, changeText("0000052D")},
		"not complex":                  {fakead.User{}, oldPassword, "abcdefgh", 19, changeText("0000052D")},
		"the current one":              {fakead.User{}, oldPassword, oldPassword, 19, changeText("0000052D")},
		"in history":                   {fakead.User{OldPasswords: []string{newPassword}}, oldPassword, newPassword, 19, changeText("0000052D")},
		"too young":                    {fakead.User{PasswordSet: time.Now().Add(-time.Hour)}, oldPassword, newPassword, 19, changeText("0000052D")},
		"wrong old, too young":         {fakead.User{PasswordSet: time.Now().Add(-time.Hour)}, "no", newPassword, 19, changeText("00000056")},
		"too young but must change":    {fakead.User{PasswordSet: time.Now(), MustChange: true}, oldPassword, newPassword, 0, ""},
		"expired":                      {fakead.User{PasswordSet: time.Now().AddDate(0, 0, -50)}, oldPassword, newPassword, 0, ""},
		"locked, right old password":   {fakead.User{Locked: true}, oldPassword, newPassword, 19, changeText("00000775")},
		"locked, wrong old password":   {fakead.User{Locked: true}, "no", newPassword, 19, changeText("00000775")},
		"cannot change":                {fakead.User{CannotChange: true}, oldPassword, newPassword, 19, textCannotChange},
		"cannot change, wrong old one": {fakead.User{CannotChange: true}, "no", newPassword, 19, textCannotChange},
	} {
		t.Run(name, func(t *testing.T) {
			n++
			sam := fmt.Sprintf("user%d", n)
			c.user.SAM = sam
			seed(t, dc, c.user)
			before := stateOf(t, dc, sam)
			// Whoever knows the old password may change it, so also who is locked out can be shown to be refused.
			colleague := connectAs(t, dc, "colleague@corp.example", oldPassword)
			expect(t, "change", colleague.Modify(changeRequest(before.DN, c.from, c.to)), c.code, c.text)
			after := stateOf(t, dc, sam)
			want := c.from
			if c.code == 0 {
				want = c.to
			} else if c.from != oldPassword {
				want = oldPassword
			}
			if !after.PasswordIs(want) {
				t.Error("the password is not what the answer says")
			}
			counted := after.BadPasswords - before.BadPasswords
			if wantCount := btoi(c.text == changeText("00000056")); counted != wantCount {
				t.Errorf("badPwdCount moved by %d, want %d", counted, wantCount)
			}
		})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// After a change by its owner the account is in order: pwdLastSet is now, whatever it was.
func TestChangeEndsMustChange(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice", MustChange: true}, fakead.User{SAM: "colleague"})
	if err := connectAs(t, dc, "colleague@corp.example", oldPassword).Modify(changeRequest(dnOf(t, dc, "alice"), oldPassword, newPassword)); err != nil {
		t.Fatal(err)
	}
	if got := stateOf(t, dc, "alice"); got.MustChange || got.PasswordSet.IsZero() {
		t.Errorf("must change %t, set %v", got.MustChange, got.PasswordSet)
	}
	connectAs(t, dc, "alice@corp.example", newPassword)
}

func TestEncodingOfUnicodePwd(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	admin, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
	for name, value := range map[string]string{
		"UTF-8":             `"` + newPassword + `"`,
		"without quotes":    strings.TrimSuffix(strings.TrimPrefix(quoted(newPassword), "\"\x00"), "\"\x00"),
		"one quote":         strings.TrimSuffix(quoted(newPassword), "\"\x00"),
		"a lone quote":      "\"\x00",
		"odd length":        quoted(newPassword) + "\x00",
		"big-endian UTF-16": "\x00" + strings.TrimSuffix(quoted(newPassword), "\x00"),
	} {
		m := ldap.NewModifyRequest(dn, nil)
		m.Replace("unicodePwd", []string{value})
		expect(t, name+", reset", admin.Modify(m), 53, textBadEncoding)
		for _, pair := range [][2]string{{quoted(oldPassword), value}, {value, quoted(newPassword)}} {
			m := ldap.NewModifyRequest(dn, nil)
			m.Delete("unicodePwd", []string{pair[0]})
			m.Add("unicodePwd", []string{pair[1]})
			expect(t, name+", change", admin.Modify(m), 19, changeText("0000202F"))
		}
	}
	if !stateOf(t, dc, "alice").PasswordIs(oldPassword) {
		t.Error("one of them set a password")
	}
}

// The forms of a modify and what an administrator and the user are answered.
func TestFormsOfAPasswordWrite(t *testing.T) {
	dc := fakead.RunT(t)
	n := 0
	old, next, other := quoted(oldPassword), quoted(newPassword), quoted("Autumn-2028#")
	type clause struct {
		operation string
		values    []string
	}
	for name, c := range map[string]struct {
		clauses     []clause
		admin, user uint16
	}{
		"add alone":                       {[]clause{{"add", []string{next}}}, 53, 50},
		"add of nothing":                  {[]clause{{"add", nil}}, 19, 50},
		"replace with nothing":            {[]clause{{"replace", nil}}, 53, 50},
		"delete alone":                    {[]clause{{"delete", []string{old}}}, 53, 53},
		"delete without a value":          {[]clause{{"delete", nil}}, 53, 53},
		"delete and add of nothing":       {[]clause{{"delete", []string{old}}, {"add", nil}}, 19, 19},
		"delete without a value, and add": {[]clause{{"delete", nil}, {"add", []string{next}}}, 0, 19},
		"add before delete":               {[]clause{{"add", []string{next}}, {"delete", []string{old}}}, 0, 0},
		"two adds":                        {[]clause{{"add", []string{next}}, {"add", []string{other}}}, 53, 50},
		"two deletes":                     {[]clause{{"delete", []string{old}}, {"delete", []string{next}}}, 53, 53},
		"delete, add and replace":         {[]clause{{"delete", []string{old}}, {"add", []string{next}}, {"replace", []string{other}}}, 53, 50},
		"two values in the delete":        {[]clause{{"delete", []string{old, next}}, {"add", []string{next}}}, 19, 19},
		"two values in the add":           {[]clause{{"delete", []string{old}}, {"add", []string{next, other}}}, 19, 19},
		"replace with two values":         {[]clause{{"replace", []string{other, next}}}, 0, 50},
		"two replaces":                    {[]clause{{"replace", []string{other}}, {"replace", []string{next}}}, 0, 50},
	} {
		t.Run(name, func(t *testing.T) {
			n++
			sam := fmt.Sprintf("user%d", n)
			seed(t, dc, fakead.User{SAM: sam})
			m := ldap.NewModifyRequest(dnOf(t, dc, sam), nil)
			for _, cl := range c.clauses {
				map[string]func(string, []string){"add": m.Add, "delete": m.Delete, "replace": m.Replace}[cl.operation]("unicodePwd", cl.values)
			}
			expect(t, "user", connectAs(t, dc, sam+"@corp.example", oldPassword).Modify(m), c.user, "")
			if c.user == 0 {
				if err := dc.SetPassword(sam, oldPassword, dc.Clock().Now().AddDate(0, 0, -2)); err != nil {
					t.Fatal(err)
				}
				if err := dc.SetAttribute(sam, "ntPwdHistory"); err != nil {
					t.Fatal(err)
				}
			}
			expect(t, "administrator", asAdministrator(t, dc).Modify(m), c.admin, "")
			if want := map[bool]string{true: newPassword, false: oldPassword}[c.admin == 0]; !stateOf(t, dc, sam).PasswordIs(want) {
				t.Error("the password is not what the answer says")
			}
		})
	}
}

func TestPolicyHints(t *testing.T) {
	dc := fakead.RunT(t)
	admin := asAdministrator(t, dc)
	long := ldap.NewControlString(policyHints, true, "\x30\x84\x00\x00\x00\x03\x02\x01\x01") // as Windows clients encode it
	fresh := dc.Clock().Now().Add(-time.Hour)
	for name, c := range map[string]struct {
		control  ldap.Control
		set      time.Time
		password string
		code     uint16
		text     string
	}{
		"current one, critical":       {hints(policyHints, true, 1), time.Time{}, oldPassword, 53, textResetRefused},
		"current one, not critical":   {hints(policyHints, false, 1), time.Time{}, oldPassword, 53, textResetRefused},
		"current one, deprecated OID": {hints(oldPolicyHints, true, 1), time.Time{}, oldPassword, 53, textResetRefused},
		"current one, long form":      {long, time.Time{}, oldPassword, 53, textResetRefused},
		"in history":                  {hints(policyHints, true, 1), time.Time{}, "Used-before-1", 53, textResetRefused},
		"minimum age":                 {hints(policyHints, true, 1), fresh, newPassword, 53, textResetRefused},
		"acceptable":                  {hints(policyHints, true, 1), time.Time{}, newPassword, 0, ""},
		"flags 0":                     {hints(policyHints, true, 0), fresh, oldPassword, 0, ""},
		"flags 2":                     {hints(policyHints, true, 2), fresh, oldPassword, 0, ""},
		"flags 3":                     {hints(policyHints, true, 3), fresh, oldPassword, 0, ""},
		"no control":                  {ldap.NewControlManageDsaIT(false), fresh, oldPassword, 0, ""},
		"no value, critical":          {ldap.NewControlString(policyHints, true, ""), time.Time{}, newPassword, 12, textControl},
		"garbage, critical":           {ldap.NewControlString(policyHints, true, "x"), time.Time{}, newPassword, 12, textControl},
		"trailing bytes, critical":    {ldap.NewControlString(policyHints, true, "\x30\x03\x02\x01\x01\x00"), time.Time{}, newPassword, 12, textControl},
		"garbage, not critical":       {ldap.NewControlString(policyHints, false, "x"), fresh, oldPassword, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			sam := strings.NewReplacer(" ", "", ",", "").Replace(name)
			seed(t, dc, fakead.User{SAM: sam, PasswordSet: c.set, OldPasswords: []string{"Used-before-1"}})
			m := resetRequest(dnOf(t, dc, sam), c.password)
			m.Controls = []ldap.Control{c.control}
			expect(t, "reset", admin.Modify(m), c.code, c.text)
		})
	}
}

func TestADomainControllerWithoutPolicyHints(t *testing.T) {
	dc := fakead.RunT(t)
	dc.SetPolicyHints(false)
	seed(t, dc, fakead.User{SAM: "alice"})
	admin := asAdministrator(t, dc)
	m := resetRequest(dnOf(t, dc, "alice"), oldPassword)
	m.Controls = []ldap.Control{hints(policyHints, true, 1)}
	expect(t, "critical", admin.Modify(m), 12, textControl)
	m.Controls = []ldap.Control{hints(policyHints, false, 1)}
	expect(t, "not critical: ignored", admin.Modify(m), 0, "")
	root, err := admin.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"supportedControl"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, oid := range root.Entries[0].GetAttributeValues("supportedControl") {
		if oid == policyHints || oid == oldPolicyHints {
			t.Errorf("rootDSE still offers %s", oid)
		}
	}
}

func TestPasswordFilters(t *testing.T) {
	var asked []fakead.FilterRequest
	dc := fakead.RunT(t, fakead.Options{Filters: []fakead.PasswordFilter{func(r fakead.FilterRequest) bool {
		asked = append(asked, r)
		return !strings.Contains(r.Password, "Summer")
	}}})
	seed(t, dc, fakead.User{SAM: "alice", DisplayName: "Alice Example"})
	admin, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
	expect(t, "too short is not even asked", admin.Modify(resetRequest(dn, "abc")), 53, textResetRefused)
	expect(t, "reset", admin.Modify(resetRequest(dn, "Summer-2026!")), 53, textResetRefused)
	expect(t, "change", admin.Modify(changeRequest(dn, oldPassword, "Summer-2026!")), 19, changeText("0000052D"))
	expect(t, "another", admin.Modify(changeRequest(dn, oldPassword, "Autumn-2026!")), 0, "")
	want := []bool{true, false, false} // whether it was a reset
	if len(asked) != len(want) {
		t.Fatalf("asked %d times, want %d", len(asked), len(want))
	}
	for i, r := range asked {
		if r.Account != "alice" || r.FullName != "Alice Example" || r.Set != want[i] {
			t.Errorf("asked %v", r)
		}
	}
	if writes := dc.PasswordWrites(); writes[1].Rule != "filter" {
		t.Errorf("recorded as %s", writes[1])
	}
}

func TestMaximumAge(t *testing.T) {
	running := clock.NewRunning()
	dc := fakead.RunT(t, fakead.Options{Clock: running})
	seed(t, dc, fakead.User{SAM: "alice", PasswordSet: running.Now()})
	c := connect(t, dc)
	running.Advance(42*24*time.Hour - time.Minute)
	expect(t, "on the last day", c.Bind("alice@corp.example", oldPassword), 0, "")
	running.Advance(2 * time.Minute)
	expect(t, "after it", c.Bind("alice@corp.example", oldPassword), 49, bindText("532"))
}

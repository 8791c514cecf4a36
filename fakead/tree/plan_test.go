package tree_test

import (
	"errors"
	"strings"
	"testing"

	"passback/fakead/tree"
)

func TestRefusedChanges(t *testing.T) {
	for _, c := range []struct {
		name    string
		changes []tree.Change
		code    int
		windows uint32
	}{
		{"unknown attribute", []tree.Change{change(tree.AddValues, "nosuch", "x")}, 16, 0x57},
		{"value that is there", []tree.Change{change(tree.AddValues, "extensionName", "ONE")}, 20, 0x2083},
		{"value given twice", []tree.Change{change(tree.AddValues, "extensionName", "two", "Two")}, 20, 0x2083},
		{"value given twice, to replace", []tree.Change{change(tree.ReplaceValues, "extensionName", "two", "two")}, 20, 0x2083},
		{"second value of a single-valued attribute", []tree.Change{change(tree.AddValues, "title", "x")}, 20, 0x2081},
		{"two values for a single-valued attribute", []tree.Change{change(tree.ReplaceValues, "title", "x", "y")}, 20, 0x2081},
		{"value that is not there", []tree.Change{change(tree.DeleteValues, "extensionName", "two")}, 16, 0x2085},
		{"attribute that is not there", []tree.Change{change(tree.DeleteValues, "pager")}, 16, 0x2084},
		{"value too long", []tree.Change{change(tree.AddValues, "extensionName", strings.Repeat("x", 256))}, 19, 0x2082},
		{"no number", []tree.Change{change(tree.ReplaceValues, "countryCode", "x")}, 21, 0x57},
		{"no boolean", []tree.Change{change(tree.ReplaceValues, "showInAdvancedViewOnly", "true")}, 21, 0x57},
		{"system only", []tree.Change{change(tree.ReplaceValues, "whenCreated", "20260101000000.0Z")}, 19, 0x20B1},
		{"constructed", []tree.Change{change(tree.ReplaceValues, "canonicalName", "x")}, 19, 0x211B},
		{"back link", []tree.Change{change(tree.AddValues, "directReports", base)}, 53, 0x20B1},
		{"back link that the SAM owns", []tree.Change{change(tree.AddValues, "memberOf", base)}, 53, 0x209A},
		{"another structural class", []tree.Change{change(tree.AddValues, "objectClass", "computer")}, 53, 0x2077},
		{"a class less", []tree.Change{change(tree.ReplaceValues, "objectClass", "contact")}, 53, 0x2077},
		{"the SAM's", []tree.Change{change(tree.ReplaceValues, "badPwdCount", "0")}, 53, 0x209A},
		{"of another class", []tree.Change{change(tree.AddValues, "groupType", "2")}, 65, 0x207D},
		{"no value", []tree.Change{change(tree.AddValues, "pager")}, 19, 0x202F},
		{"second description of an account", []tree.Change{change(tree.AddValues, "description", "x")}, 20, 0x2081},
		{"link to nothing", []tree.Change{change(tree.ReplaceValues, "manager", "CN=nobody,"+base)}, 19, 0x20B5},
		{"link to no name", []tree.Change{change(tree.ReplaceValues, "manager", "nobody")}, 34, 0x208F},
		{"its RDN", []tree.Change{change(tree.ReplaceValues, "name", "x")}, 67, 0x2016},
		{"its own name", []tree.Change{change(tree.ReplaceValues, "cn", "x")}, 67, 0x2016},
		{"mandatory", []tree.Change{change(tree.DeleteValues, "instanceType")}, 19, 0x20B1},
		{"what an account always has", []tree.Change{change(tree.DeleteValues, "sAMAccountName")}, 53, 0x2077},
		{"name of another account", []tree.Change{change(tree.ReplaceValues, "sAMAccountName", "BOB")}, 68, 0x524},
		{"UPN of another account", []tree.Change{change(tree.ReplaceValues, "userPrincipalName", "Bob@corp.example")}, 19, 0x21C8},
		{"forbidden character", []tree.Change{change(tree.ReplaceValues, "sAMAccountName", "a*b")}, 80, 0x523},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			alice := l.user("alice", tree.Strings("title", "Dr"), tree.Strings("extensionName", "one"))
			l.user("bob", tree.Strings("userPrincipalName", "bob@corp.example"))
			usn := l.USN()
			err := l.modify(alice, append([]tree.Change{change(tree.ReplaceValues, "description", "new")}, c.changes...)...)
			expectRefusal(t, err, c.code, c.windows)
			expectValues(t, alice, "description") // nothing of a refused modify happens
			if l.USN() != usn {
				t.Error("a refused modify moved the USN")
			}
		})
	}
}

func TestPermissiveModifyOverlooksWhatIsSoAlready(t *testing.T) {
	l := newLab(t)
	alice, bob := l.user("alice", tree.Strings("extensionName", "one")), l.user("bob")
	group := l.group("g", alice)
	permissive := tree.Rules{Permissive: true}
	for _, c := range []struct {
		e      *tree.Entry
		change tree.Change
	}{
		{alice, change(tree.AddValues, "extensionName", "one", "two")},
		{alice, change(tree.DeleteValues, "extensionName", "three")},
		{alice, change(tree.DeleteValues, "pager")},
		{group, change(tree.AddValues, "member", alice.DN().String())},
		{group, change(tree.DeleteValues, "member", bob.DN().String())},
	} {
		if err := l.Modify(c.e, []tree.Change{c.change}, permissive); err != nil {
			t.Errorf("%v: %v", c.change, err)
		}
	}
	expectValues(t, alice, "extensionName", "one", "two")
}

// An optimistic write names the old value and is refused if that has changed.
func TestDeleteOldAndAddNew(t *testing.T) {
	l := newLab(t)
	alice := l.user("alice")
	l.mustModify(alice, change(tree.DeleteValues, "userAccountControl", "546"), change(tree.AddValues, "userAccountControl", "544"))
	expectRefusal(t, l.modify(alice, change(tree.DeleteValues, "userAccountControl", "546"), change(tree.AddValues, "userAccountControl", "512")), 16, 0x2085)
	expectValues(t, alice, "userAccountControl", "544")
}

func TestAuxiliaryClassesComeAndGo(t *testing.T) {
	l := newLab(t)
	alice := l.user("alice")
	l.mustModify(alice, change(tree.AddValues, "objectClass", "bootableDevice"), change(tree.AddValues, "bootFile", "x"))
	expectValues(t, alice, "objectClass", "top", "bootableDevice", "person", "organizationalPerson", "user")
	l.mustModify(alice, change(tree.DeleteValues, "bootFile"), change(tree.DeleteValues, "objectClass", "bootableDevice"))
	expectValues(t, alice, "objectClass", "top", "person", "organizationalPerson", "user")
	expectRefusal(t, l.modify(alice, change(tree.AddValues, "bootFile", "x")), 65, 0x207D)
}

func TestOnlyReplicatedChangesMoveTheUSN(t *testing.T) {
	l := newLab(t)
	alice := l.user("alice")
	moved := func(what string, want bool, act func()) {
		t.Helper()
		usn, changed := l.USN(), alice.First("uSNChanged")
		l.now = l.now.AddDate(0, 0, 1)
		act()
		if (l.USN() > usn) != want || (alice.First("uSNChanged") != changed) != want || (alice.First("whenChanged") == tree.FormatTime(l.now)) != want {
			t.Errorf("%s: moved is %t, want %t", what, !want, want)
		}
	}
	moved("a new value", true, func() { l.mustModify(alice, change(tree.ReplaceValues, "description", "x")) })
	moved("the same value again", false, func() { l.mustModify(alice, change(tree.ReplaceValues, "description", "x")) })
	moved("a bad password count", false, func() { l.Set(alice, "badPwdCount", "1") })
	moved("a lockout", true, func() { l.Set(alice, "lockoutTime", "133000000000000000") })
	moved("another spelling", true, func() { l.mustModify(alice, change(tree.ReplaceValues, "description", "X")) })
}

func TestAPlanShowsWhatWillBe(t *testing.T) {
	l := newLab(t)
	alice := l.user("alice")
	p := l.Plan(alice)
	if err := p.Apply([]tree.Change{change(tree.AddValues, "extensionName", "one")}, tree.Rules{}); err != nil {
		t.Fatal(err)
	}
	p.Set("pwdLastSet", "5")
	if p.First("extensionName") != "one" || p.First("pwdLastSet") != "5" || !p.Changes("pwdLastSet") || p.Changes("title") {
		t.Error("the plan does not show its own changes")
	}
	expectValues(t, alice, "extensionName") // not yet
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	expectValues(t, alice, "extensionName", "one")
	expectValues(t, alice, "pwdLastSet", "5")
}

func TestDiagnosticsAreWrittenAsWindowsWritesThem(t *testing.T) {
	l := newLab(t)
	alice := l.user("alice", tree.Strings("extensionName", "one"))
	var got []string
	for _, c := range []tree.Change{change(tree.AddValues, "extensionName", "one"), change(tree.AddValues, "nosuch", "x"), change(tree.ReplaceValues, "logonCount", "1")} {
		var refusal *tree.Error
		if errors.As(l.modify(alice, c), &refusal) {
			got = append(got, refusal.Diagnostic("v4f7c"))
		}
	}
	want := []string{
		"00002083: AtrErr: DSID-031519F7, #1:\n\t0: 00002083: DSID-031519F7, problem 1006 (ATT_OR_VALUE_EXISTS), data 0, Att 200e3 (extensionName)\n\x00",
		"00000057: LdapErr: DSID-0C0910F4, comment: Error in attribute conversion operation, data 0, v4f7c\x00",
		"0000209A: SvcErr: DSID-031A1081, problem 5003 (WILL_NOT_PERFORM), data 0\n\x00",
	}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Errorf("got %q, want %q", got, want[i])
		}
	}
}

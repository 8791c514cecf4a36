package fakead_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

const marker = "extensionName"

const textValueExists = "00002083: AtrErr: "

// withMarker adds a value of the marker to a request.
func withMarker(m *ldap.ModifyRequest, value string) *ldap.ModifyRequest {
	m.Add(marker, []string{value})
	return m
}

// A value added in the same modify is a lock that the directory keeps: the second attempt is refused as a whole,
// whatever else would have become of it.
func TestAValueInTheSameModifyIsALock(t *testing.T) {
	dc := fakead.RunT(t)
	admin := asAdministrator(t, dc)
	n := 0
	for name, c := range map[string]struct {
		request func(dn string) *ldap.ModifyRequest
		code    uint16
		text    string
	}{
		"reset, acceptable":               {func(dn string) *ldap.ModifyRequest { return resetRequest(dn, newPassword) }, 0, ""},
		"reset, too short":                {func(dn string) *ldap.ModifyRequest { return resetRequest(dn, "abc") }, 53, textResetRefused},
		"change, acceptable":              {func(dn string) *ldap.ModifyRequest { return changeRequest(dn, oldPassword, newPassword) }, 0, ""},
		"change, too short":               {func(dn string) *ldap.ModifyRequest { return changeRequest(dn, oldPassword, "abc") }, 19, changeText("0000052D")},
		"change, wrong old password":      {func(dn string) *ldap.ModifyRequest { return changeRequest(dn, "no", newPassword) }, 19, changeText("00000056")},
		"change, wrong old and too short": {func(dn string) *ldap.ModifyRequest { return changeRequest(dn, "no", "abc") }, 19, changeText("00000056")},
	} {
		t.Run(name, func(t *testing.T) {
			n++
			fresh, decided := fmt.Sprintf("fresh%d", n), fmt.Sprintf("decided%d", n)
			seed(t, dc,
				fakead.User{SAM: fresh},
				fakead.User{SAM: decided, Attributes: map[string][]string{marker: {"passback/1 r1"}}})
			expect(t, "a new value", admin.Modify(withMarker(c.request(dnOf(t, dc, fresh)), "passback/1 r1")), c.code, c.text)
			if has := slices.Contains(stateOf(t, dc, fresh).Values(marker), "passback/1 r1"); has != (c.code == 0) {
				t.Errorf("answered %d, and the value is there: %t", c.code, has)
			}

			expect(t, "a used value", admin.Modify(withMarker(c.request(dnOf(t, dc, decided)), "passback/1 r1")), 20, textValueExists)
			if got := stateOf(t, dc, decided); !got.PasswordIs(oldPassword) || got.BadPasswords != 0 {
				t.Errorf("the refused modify set the password (%t) or counted (%d)", !got.PasswordIs(oldPassword), got.BadPasswords)
			}
		})
	}
}

func TestAModifyIsAppliedAsAWhole(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	admin, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")

	m := resetRequest(dn, newPassword)
	m.Delete(marker, []string{"absent"})
	m.Add(marker, []string{"new"})
	expect(t, "delete of an absent value", admin.Modify(m), 16, "00002085: AtrErr: ")
	m = resetRequest(dn, newPassword)
	m.Replace("nosuchattribute", []string{"x"})
	expect(t, "unknown attribute", admin.Modify(m), 16, "00000057: LdapErr: DSID-0C0910F4, comment: Error in attribute conversion operation, data 0, v4f7c\x00")
	m = resetRequest(dn, newPassword)
	m.Replace("pwdLastSet", []string{"1"})
	expect(t, "bad pwdLastSet", admin.Modify(m), 80, textInvalidSetTime)
	m = resetRequest(dn, "abc")
	m.Replace("description", []string{"written?"})
	m.Replace("pwdLastSet", []string{"0"})
	m.Replace("lockoutTime", []string{"0"})
	expect(t, "too short", admin.Modify(m), 53, textResetRefused)
	got := stateOf(t, dc, "alice")
	if !got.PasswordIs(oldPassword) || got.Values(marker) != nil || got.Values("description") != nil || got.MustChange {
		t.Errorf("a part of a refused modify was applied: %v %v, must change %t", got.Values(marker), got.Values("description"), got.MustChange)
	}

	permissive := withMarker(resetRequest(dn, newPassword), "one")
	permissive.Controls = []ldap.Control{ldap.NewControlString("1.2.840.113556.1.4.1413", true, "")}
	expect(t, "permissive, new value", admin.Modify(permissive), 0, "")
	expect(t, "permissive, the same value", admin.Modify(permissive), 0, "")
}

func TestSingleValuedAttributesRefuseASecondAdd(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	admin := asAdministrator(t, dc)
	add := func(value string) error {
		m := ldap.NewModifyRequest(dnOf(t, dc, "alice"), nil)
		m.Add("info", []string{value})
		return admin.Modify(m)
	}
	expect(t, "first", add("a"), 0, "")
	expect(t, "same", add("a"), 20, textValueExists)
	expect(t, "other", add("b"), 20, "00002081: AtrErr: ")
}

func TestUnlockAndMustChangeInTheSameModify(t *testing.T) {
	for _, order := range []string{"password first", "password last"} {
		dc := fakead.RunT(t)
		seed(t, dc, fakead.User{SAM: "alice", Locked: true})
		admin, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
		m := ldap.NewModifyRequest(dn, nil)
		if order == "password first" {
			m.Replace("unicodePwd", []string{quoted(newPassword)})
		}
		m.Replace("pwdLastSet", []string{"0"})
		m.Replace("lockoutTime", []string{"0"})
		if order == "password last" {
			m.Replace("unicodePwd", []string{quoted(newPassword)})
		}
		expect(t, order, admin.Modify(m), 0, "")
		if got := stateOf(t, dc, "alice"); got.Locked || !got.MustChange || !got.PasswordIs(newPassword) {
			t.Errorf("%s: locked %t, must change %t", order, got.Locked, got.MustChange)
		}
		now := ldap.NewModifyRequest(dn, nil)
		now.Replace("unicodePwd", []string{quoted(newPassword)})
		now.Replace("pwdLastSet", []string{"-1"})
		expect(t, "-1", admin.Modify(now), 0, "")
		if got := stateOf(t, dc, "alice"); got.MustChange || got.PasswordSet.IsZero() {
			t.Errorf("after -1: must change %t, set %v", got.MustChange, got.PasswordSet)
		}
	}
}

func TestLockoutTimeTakesOnlyZero(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice", Locked: true})
	admin, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
	m := ldap.NewModifyRequest(dn, nil)
	m.Replace("lockoutTime", []string{"1"})
	expect(t, "1", admin.Modify(m), 53, "00000057: SvcErr: ")
	m = ldap.NewModifyRequest(dn, nil)
	m.Delete("lockoutTime", []string{stateOf(t, dc, "alice").Values("lockoutTime")[0]})
	m.Add("lockoutTime", []string{"0"})
	expect(t, "delete and add of 0", admin.Modify(m), 0, "")
	if got := stateOf(t, dc, "alice"); got.Locked || got.BadPasswords != 0 || !got.PasswordIs(oldPassword) {
		t.Errorf("locked %t, badPwdCount %d", got.Locked, got.BadPasswords)
	}
}

func TestUserAccountControl(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice", Locked: true}, fakead.User{SAM: "bob"}, fakead.User{SAM: "locked", Locked: true})
	if err := dc.AddUser(fakead.User{SAM: "new", Disabled: true}); err != nil {
		t.Fatal(err)
	}
	admin := asAdministrator(t, dc)
	set := func(sam string, control int) error {
		m := ldap.NewModifyRequest(dnOf(t, dc, sam), nil)
		m.Replace("userAccountControl", []string{fmt.Sprint(control)})
		return admin.Modify(m)
	}
	value := func(sam string) string { return stateOf(t, dc, sam).Values("userAccountControl")[0] }

	expect(t, "lockout and expired bits", set("alice", 0x200|0x10|0x800000), 0, "")
	if got := stateOf(t, dc, "alice"); got.Locked || value("alice") != "512" {
		t.Errorf("locked %t, stored %s", got.Locked, value("alice"))
	}
	expect(t, "two kinds of account", set("alice", 0x1200), 80, textInvalidSetTime[:8])
	expect(t, "a trust", set("alice", 0x800), 50, textNoResetRight)
	expect(t, "part of the secrets", set("alice", 0x4000200), 80, textInvalidSetTime[:8])
	expect(t, "no kind of account", set("alice", 2), 0, "")
	if got := value("alice"); got != "514" || stateOf(t, dc, "alice").Enabled {
		t.Errorf("stored %s", got)
	}
	expect(t, "enable without a password", set("new", 0x200), 53, textNoPassword)
	expect(t, "enable without a password, none required", set("new", 0x220), 0, "")
	expect(t, "require a smart card", set("bob", 0x40200), 0, "")
	if stateOf(t, dc, "bob").PasswordIs(oldPassword) {
		t.Error("the password was not randomised")
	}
	expect(t, "bind without the card", connect(t, dc).Bind("bob@corp.example", oldPassword), 49, bindText("52e"))
	expect(t, "the same bits", set("locked", 0x200), 0, "")
	if stateOf(t, dc, "locked").Locked {
		t.Error("a write of userAccountControl did not unlock")
	}
}

func TestAddedAccounts(t *testing.T) {
	dc := fakead.RunT(t)
	admin := asAdministrator(t, dc)
	add := func(name string, attributes map[string]string) error {
		r := ldap.NewAddRequest("CN="+name+",CN=Users,"+dc.BaseDN(), nil)
		r.Attribute("objectClass", []string{"user"})
		r.Attribute("sAMAccountName", []string{name})
		for attribute, value := range attributes {
			r.Attribute(attribute, []string{value})
		}
		return admin.Add(r)
	}
	good := quoted(oldPassword)
	expect(t, "enabled, no password", add("a", map[string]string{"userAccountControl": "512"}), 53, textNoPassword)
	expect(t, "too short", add("b", map[string]string{"userAccountControl": "512", "unicodePwd": quoted("abc")}), 53, textResetRefused)
	expect(t, "too short, default control", add("b", map[string]string{"unicodePwd": quoted("abcdef")}), 53, textResetRefused)
	expect(t, "not quoted", add("b", map[string]string{"unicodePwd": oldPassword}), 53, textBadEncoding)
	expect(t, "name in it", add("daisy", map[string]string{"unicodePwd": quoted("Daisy-2026")}), 53, textResetRefused)
	expect(t, "bad pwdLastSet", add("c", map[string]string{"unicodePwd": good, "pwdLastSet": "5"}), 80, textInvalidSetTime)
	expect(t, "good", add("d", map[string]string{"userAccountControl": "512", "unicodePwd": good}), 0, "")
	expect(t, "must change", add("e", map[string]string{"userAccountControl": "512", "unicodePwd": good, "pwdLastSet": "0"}), 0, "")
	expect(t, "a group with a password", func() error {
		r := ldap.NewAddRequest("CN=g,CN=Users,"+dc.BaseDN(), nil)
		r.Attribute("objectClass", []string{"group"})
		r.Attribute("unicodePwd", []string{good})
		return admin.Add(r)
	}(), 53, "00002077: SvcErr: ")
	connectAs(t, dc, "d@corp.example", oldPassword)
	expect(t, "bind of who must change", connect(t, dc).Bind("e@corp.example", oldPassword), 49, bindText("773"))
	clear, err := ldap.DialURL(dc.LDAPURL())
	if err != nil {
		t.Fatal(err)
	}
	defer clear.Close()
	if err := clear.Bind(dc.AdminDN(), dc.AdminPassword()); err != nil {
		t.Fatal(err)
	}
	r := ldap.NewAddRequest("CN=f,CN=Users,"+dc.BaseDN(), nil)
	r.Attribute("objectClass", []string{"user"})
	r.Attribute("unicodePwd", []string{good})
	expect(t, "in clear text", clear.Add(r), 53, "0000001F: SvcErr: DSID-031A11E5, ")
}

func TestWhatTheSAMOwnsIsNotWritten(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "bob"})
	for who, c := range map[string]*ldap.Conn{"administrator": asAdministrator(t, dc), "user": connectAs(t, dc, "bob@corp.example", oldPassword)} {
		for _, name := range []string{"badPwdCount", "badPasswordTime", "lastLogon", "objectSid", "sAMAccountType", "dBCSPwd", "ntPwdHistory", "supplementalCredentials"} {
			m := ldap.NewModifyRequest(dnOf(t, dc, "alice"), nil)
			m.Replace(name, []string{"1"})
			expect(t, who+", "+name, c.Modify(m), 53, "0000209A: SvcErr: ")
		}
	}
	m := ldap.NewModifyRequest(dnOf(t, dc, "alice"), nil)
	m.Replace("msDS-User-Account-Control-Computed", []string{"0"})
	expect(t, "constructed", asAdministrator(t, dc).Modify(m), 19, "")
}

func TestTargetsOfAPasswordWrite(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	admin, alice := asAdministrator(t, dc), stateOf(t, dc, "alice")
	expect(t, "<GUID=...>", admin.Modify(resetRequest("<GUID="+guidString(alice.Values("objectGUID")[0])+">", newPassword)), 0, "")
	expect(t, "<SID=...>", admin.Modify(resetRequest("<SID="+sidString(alice.Values("objectSid")[0])+">", newPassword)), 0, "")
	expect(t, "a group", admin.Modify(resetRequest("CN=Domain Users,CN=Users,"+dc.BaseDN(), newPassword)), 53, "00002077: SvcErr: ")
	expect(t, "nobody", admin.Modify(resetRequest("CN=Nobody,"+dc.BaseDN(), newPassword)), 32, "0000208D: NameErr: ")
	expect(t, "no DN", admin.Modify(resetRequest("nonsense", newPassword)), 34, "")
	plain := ldap.NewModifyRequest(alice.DN, nil)
	plain.Replace("userPassword", []string{"visible"})
	expect(t, "userPassword is a plain attribute", admin.Modify(plain), 0, "")
	if got := stateOf(t, dc, "alice"); !got.PasswordIs(newPassword) || got.Values("userPassword")[0] != "visible" {
		t.Errorf("userPassword %v, and the password has changed: %t", got.Values("userPassword"), !got.PasswordIs(newPassword))
	}
}

func TestNobodyReadsAPassword(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice", OldPasswords: []string{"Before-2025!"}})
	admin := asAdministrator(t, dc)
	secrets := []string{"unicodePwd", "ntPwdHistory", "dBCSPwd", "supplementalCredentials"}
	found, err := admin.Search(ldap.NewSearchRequest(dnOf(t, dc, "alice"), ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", append([]string{"*"}, secrets...), nil))
	if err != nil {
		t.Fatal(err)
	}
	state := stateOf(t, dc, "alice")
	for _, name := range secrets {
		if len(found.Entries[0].GetAttributeValues(name)) != 0 || state.Values(name) != nil {
			t.Errorf("%s can be read", name)
		}
		hits, err := admin.Search(ldap.NewSearchRequest(dc.BaseDN(), ldap.ScopeWholeSubtree, 0, 0, 0, false, "("+name+"=*)", nil, nil))
		if err != nil || len(hits.Entries) != 0 {
			t.Errorf("(%s=*) finds %d entries, %v", name, len(hits.Entries), err)
		}
		expect(t, "compare of "+name, compare(admin, dc.AdminDN(), name, "x"), ldap.LDAPResultCompareFalse, "")
	}
}

func TestComputedAttributes(t *testing.T) {
	dc := fakead.RunT(t)
	set := dc.Clock().Now().AddDate(0, 0, -10)
	seed(t, dc, fakead.User{SAM: "ordinary", PasswordSet: set}, fakead.User{SAM: "locked", Locked: true, MustChange: true}, fakead.User{SAM: "endless", NeverExpires: true})
	admin := asAdministrator(t, dc)
	read := func(sam, name string) string {
		r, err := admin.Search(ldap.NewSearchRequest(dnOf(t, dc, sam), ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{name}, nil))
		if err != nil {
			t.Fatal(err)
		}
		return r.Entries[0].GetAttributeValue(name)
	}
	expires := set.AddDate(0, 0, 42)
	ticks := (expires.Unix()+11644473600)*10_000_000 + int64(expires.Nanosecond()/100)
	for _, c := range []struct{ sam, name, want string }{
		{"ordinary", "msDS-User-Account-Control-Computed", "0"},
		{"ordinary", "msDS-UserPasswordExpiryTimeComputed", fmt.Sprint(ticks)},
		{"locked", "msDS-User-Account-Control-Computed", fmt.Sprint(0x10 | 0x800000)},
		{"locked", "msDS-UserPasswordExpiryTimeComputed", "0"},
		{"endless", "msDS-User-Account-Control-Computed", "0"},
		{"endless", "msDS-UserPasswordExpiryTimeComputed", "9223372036854775807"},
	} {
		if got := read(c.sam, c.name); got != c.want {
			t.Errorf("%s of %s: %s, want %s", c.name, c.sam, got, c.want)
		}
	}
}

// What moves uSNChanged and what does not.
func TestUpdateSequenceNumbers(t *testing.T) {
	dc := fakead.RunT(t)
	policy := dc.Policy()
	policy.LockoutThreshold, policy.LockoutDuration, policy.LockoutWindow = 2, 30*time.Minute, 30*time.Minute
	dc.SetPolicy(policy)
	seed(t, dc, fakead.User{SAM: "alice"})
	admin, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
	c := connect(t, dc)
	describe := ldap.NewModifyRequest(dn, nil)
	describe.Replace("description", []string{"same"})
	unlock := ldap.NewModifyRequest(dn, nil)
	unlock.Replace("lockoutTime", []string{"0"})
	bind := func(password string) func() { return func() { _ = c.Bind("alice@corp.example", password) } }
	for _, step := range []struct {
		name  string
		do    func()
		moves bool
	}{
		{"first good bind", bind(oldPassword), true},
		{"second good bind", bind(oldPassword), false},
		{"wrong bind that counts", bind("no"), false},
		{"wrong bind that locks", bind("no"), true},
		{"unlock", func() { expect(t, "unlock", admin.Modify(unlock), 0, "") }, true},
		{"description", func() { expect(t, "description", admin.Modify(describe), 0, "") }, true},
		{"the same again", func() { expect(t, "description", admin.Modify(describe), 0, "") }, false},
		{"reset", func() { expect(t, "reset", admin.Modify(resetRequest(dn, newPassword)), 0, "") }, true},
	} {
		before := stateOf(t, dc, "alice").Values("uSNChanged")[0]
		step.do()
		if moved := stateOf(t, dc, "alice").Values("uSNChanged")[0] != before; moved != step.moves {
			t.Errorf("%s: moved %t, want %t", step.name, moved, step.moves)
		}
	}
}

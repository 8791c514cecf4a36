package directory_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/writeback/directory"
	"passback/writeback/protocol"
)

func TestFindsBySourceAnchor(t *testing.T) {
	l := newLab(t)
	plain, plainGUID := l.addUser("plain", map[string][]string{"displayName": {"Plain Person"}})
	anchor := strings.Repeat("\x07*", 8) // a filter must escape it
	moved, movedGUID := l.addUser("moved", map[string][]string{"mS-DS-ConsistencyGuid": {anchor}, "userAccountControl": {"66050"}})
	c := l.connect(l.open())

	for _, tt := range []struct {
		what   string
		anchor string
		want   []string
	}{
		{"objectGUID, where there is no mS-DS-ConsistencyGuid", string(plainGUID), []string{plain}},
		{"mS-DS-ConsistencyGuid", anchor, []string{moved}},
		{"objectGUID, although there is another anchor", string(movedGUID), nil},
		{"nobody's", strings.Repeat("(", 16), nil},
	} {
		users, err := c.Find(t.Context(), []byte(tt.anchor))
		l.must(err)
		var found []string
		for _, u := range users {
			found = append(found, u.DN)
		}
		if !slices.Equal(found, tt.want) {
			t.Errorf("%s: found %v, want %v", tt.what, found, tt.want)
		}
	}
	users, err := c.Find(t.Context(), []byte(anchor))
	l.must(err)
	if u := users[0]; u.Enabled || !u.NeverExpires || u.Protected || !u.PasswordTold || u.PasswordSet.IsZero() {
		t.Errorf("a disabled account whose password never expires reads %+v", u)
	}
	u := l.described(c, plainGUID)
	if !u.Enabled || u.NeverExpires || u.SAM != "plain" || u.DisplayName != "Plain Person" || u.PSO != "" {
		t.Errorf("a plain account reads %+v", u)
	}
}

func TestOneModifySetsUnlocksAndMarks(t *testing.T) {
	l := newLab(t)
	dn, guid := l.addUser("olive", nil)
	l.replace(dn, "pwdLastSet", "0") // else the minimum age would refuse
	c := l.connect(l.open())
	user := l.find(c, guid)

	l.must(c.Modify(t.Context(), user, directory.Modification{New: protocol.NewSecret("Spring-Evening-42"), Unlock: true, Mark: []string{"one", "two"}}))
	l.replace(dn, "pwdLastSet", "0")
	l.must(c.Modify(t.Context(), user, directory.Modification{New: protocol.NewSecret("Summer-Evening-43"), Old: protocol.NewSecret("Spring-Evening-42"), Mark: []string{"three"}, Unmark: []string{"one"}}))
	if !l.binds(dn, "Summer-Evening-43") {
		t.Error("the new password does not bind")
	}
	after, err := c.Read(t.Context(), guid)
	l.must(err)
	slices.Sort(after.Markers)
	if want := []string{"three", "two"}; !slices.Equal(after.Markers, want) {
		t.Errorf("markers %v, want %v", after.Markers, want)
	}
}

func TestMustChangeInTheSameModify(t *testing.T) {
	l := newLab(t)
	if strings.HasPrefix(l.vendor, "Samba") {
		t.Skip("Samba 4.24 measures the minimum age against the pwdLastSet of the same modify, so that a set with policy hints and must-change is always too early")
	}
	dn, guid := l.addUser("cedar", nil)
	l.replace(dn, "pwdLastSet", "0") // else the minimum age would refuse
	c := l.connect(l.open())
	l.must(c.Modify(t.Context(), l.find(c, guid), directory.Modification{New: protocol.NewSecret("Spring-Evening-42"), MustChange: true}))
	if pls := l.read(dn, "pwdLastSet"); !slices.Equal(pls, []string{"0"}) {
		t.Errorf("pwdLastSet %v, want 0", pls)
	}
}

// Whatever else is wrong with it, a modify whose marker is there already answers so; and nothing of it is done.
func TestRefusalsOfAModify(t *testing.T) {
	l := newLab(t)
	dn, guid := l.addUser("willow", nil)
	l.replace(dn, "extensionName", "decided")
	old := protocol.NewSecret(initialPassword)
	for _, tt := range []struct {
		what string
		m    directory.Modification
		want directory.Kind
	}{
		{"too short a set", directory.Modification{New: protocol.NewSecret("Aa1!")}, directory.PolicyRefused},
		{"too short a change", directory.Modification{New: protocol.NewSecret("Aa1!"), Old: old}, directory.PolicyRefused},
		{"a set within the minimum age", directory.Modification{New: protocol.NewSecret("Spring-Evening-42")}, directory.PolicyRefused},
		{"wrong old password", directory.Modification{New: protocol.NewSecret("Spring-Evening-42"), Old: protocol.NewSecret("not it")}, directory.WrongPassword},
		{"decided before, too short", directory.Modification{New: protocol.NewSecret("Aa1!"), Mark: []string{"decided"}}, directory.Exists},
		{"decided before, wrong old password", directory.Modification{New: protocol.NewSecret("Spring-Evening-42"), Old: protocol.NewSecret("not it"), Mark: []string{"decided"}}, directory.Exists},
		{"one of several decided before", directory.Modification{Mark: []string{"new", "decided"}}, directory.Exists},
		{"removes what is not there", directory.Modification{Mark: []string{"new"}, Unmark: []string{"never"}}, directory.Stale},
	} {
		c := l.connect(l.open())
		if err := c.Modify(t.Context(), l.find(c, guid), tt.m); directory.KindOf(err) != tt.want {
			t.Errorf("%s: kind %d, want %d: %v", tt.what, directory.KindOf(err), tt.want, err)
		}
	}
	if marks := l.read(dn, "extensionName"); !slices.Equal(marks, []string{"decided"}) {
		t.Errorf("markers %v after refusals only", marks)
	}
	if !l.binds(dn, initialPassword) {
		t.Error("the password changed although each modify was refused")
	}
}

func TestModifyOfAnAccountThatIsGone(t *testing.T) {
	l := newLab(t)
	dn, guid := l.addUser("ash", nil)
	c := l.connect(l.open())
	user := l.find(c, guid)
	l.must(l.admin.Del(ldap.NewDelRequest(dn, nil)))
	if err := c.Modify(t.Context(), user, directory.Modification{Mark: []string{"one"}}); directory.KindOf(err) != directory.NoSuchUser {
		t.Errorf("modify: %v", err)
	}
	if _, err := c.Read(t.Context(), guid); directory.KindOf(err) != directory.NoSuchUser {
		t.Errorf("read: %v", err)
	}
}

func TestWithoutRights(t *testing.T) {
	l := newLab(t)
	_, guid := l.addUser("target", nil)
	dn, _ := l.addUser("nobody", nil)
	c := l.connect(l.open(func(o *directory.Options) { o.User, o.Password = dn, protocol.NewSecret(initialPassword) }))
	user := l.find(c, guid)
	for what, m := range map[string]directory.Modification{
		"password": {New: protocol.NewSecret("Spring-Evening-42")},
		"unlock":   {Unlock: true},
		"marker":   {Mark: []string{"one"}},
	} {
		if err := c.Modify(t.Context(), user, m); directory.KindOf(err) != directory.Denied {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A global catalog lets the agent sign in and find people, and takes nothing: that is said of the configuration, and of no
// password.
func TestAGlobalCatalogIsAMisconfiguration(t *testing.T) {
	l := newLab(t)
	dn, guid := l.addUser("alder", nil)
	c := l.connect(l.open(func(o *directory.Options) { o.Servers = []string{l.catalog} }))
	user := l.find(c, guid)
	for what, m := range map[string]directory.Modification{
		"a set":  {New: protocol.NewSecret("Spring-Evening-42"), Mark: []string{"one"}},
		"a burn": {Mark: []string{"one", "one refused"}},
	} {
		if err := c.Modify(t.Context(), user, m); directory.KindOf(err) != directory.Misconfigured {
			t.Errorf("%s: kind %d: %v", what, directory.KindOf(err), err)
		}
	}
	if !l.binds(dn, initialPassword) {
		t.Error("the password changed")
	}
}

func TestUnknownMarkerAttribute(t *testing.T) {
	l := newLab(t)
	_, guid := l.addUser("elm", nil)
	c := l.connect(l.open(func(o *directory.Options) { o.Marker = "noSuchAttribute" }))
	if err := c.Modify(t.Context(), l.find(c, guid), directory.Modification{Mark: []string{"one"}}); directory.KindOf(err) != directory.Stale {
		t.Errorf("got %v, want 16, which means this where nothing was to be removed", err)
	}
}

func TestDomainPolicy(t *testing.T) {
	l := newLab(t)
	_, guid := l.addUser("rowan", nil)
	c := l.connect(l.open())
	p, err := c.Policy(t.Context(), l.described(c, guid))
	l.must(err)
	// What a new domain has, by Microsoft's documentation.
	want := protocol.Policy{Name: l.domain, MinimumLength: 7, Complexity: true, History: 24, MinimumAgeSeconds: 24 * 3600, MaximumAgeSeconds: 42 * 24 * 3600}
	if p.Policy != want || !p.Told.All() {
		t.Errorf("policy %+v, want %+v", p, want)
	}
	now, err := c.Time(t.Context())
	l.must(err)
	if off := time.Since(now).Abs(); off > time.Minute {
		t.Errorf("the domain's time is %s off", off)
	}
}

func TestWritesToThePDCEmulator(t *testing.T) {
	l := newLab(t)
	g := &gate{}
	d := l.open(func(o *directory.Options) { o.Servers, o.Dial = []string{"127.0.0.1:1", l.address}, g.dial })
	dc, err := d.WriteTo(t.Context())
	l.must(err)
	if dc != l.host || d.Current() != l.host {
		t.Errorf("write to %q, current %q, want %q", dc, d.Current(), l.host)
	}
}

func TestWritesToAnotherWhileThePDCEmulatorIsUnreachable(t *testing.T) {
	l := newLab(t)
	if l.fake == nil {
		t.Skip("a real domain is not given another PDC emulator")
	}
	root, err := l.admin.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"serverName"}, nil))
	l.must(err)
	l.must(l.fake.SetAttribute(root.Entries[0].GetAttributeValue("serverName"), "dNSHostName", "pdc."+l.domain))
	g := &gate{}
	d := l.open(func(o *directory.Options) { o.Dial, o.Servers = g.dial, []string{l.address, "127.0.0.1:1"} })
	dc, err := d.WriteTo(t.Context())
	l.must(err)
	if dc != l.host {
		t.Errorf("write to %q, want %q, which is there", dc, l.host)
	}
	if want := []string{l.address, "127.0.0.1:1"}; !slices.Equal(g.dials(), want) {
		t.Errorf("tried %v, want %v: another might be the PDC emulator", g.dials(), want)
	}
}

func TestAnotherNameIsUnreachable(t *testing.T) {
	l := newLab(t)
	_, err := l.open().Open(t.Context(), "dc9."+l.domain)
	if directory.KindOf(err) != directory.Unreachable {
		t.Errorf("opened a controller that is not there: %v", err)
	}
}

func TestKindOfACode(t *testing.T) {
	for _, tt := range []struct {
		code       uint16
		win32      uint32
		diagnostic string
		want       directory.Kind
	}{
		{19, 0x52D, "", directory.PolicyRefused},
		{53, 0x52D, "", directory.PolicyRefused},
		{19, 0x56, "", directory.WrongPassword},
		{19, 0x56A, "", directory.WrongPassword},
		{19, 0x775, "", directory.LockedOut},
		{19, 0x5, "", directory.CannotChange},
		{19, 0, "error in module acl: Constraint violation during LDB_MODIFY (19)", directory.CannotChange}, // Samba
		{19, 0x20B5, "", directory.Other},
		{53, 0x1F, "", directory.Misconfigured},
		{50, 0x5, "", directory.Denied},
		{50, 0x2098, "", directory.Denied},
		{20, 0x2083, "", directory.Exists},
		{16, 0x57, "", directory.Stale},
		{12, 0x57, "", directory.Misconfigured},
		{51, 0, "", directory.Busy},
		{52, 0, "", directory.Unavailable},
		{10, 0x202B, "", directory.Unavailable},
		{32, 0x208D, "", directory.NoSuchUser},
		{80, 0x57, "", directory.Other},
	} {
		err := &directory.ResultError{Code: tt.code, Win32: tt.win32, Diagnostic: tt.diagnostic}
		if got := directory.KindOf(err); got != tt.want {
			t.Errorf("%d/%08X %s: kind %d, want %d", tt.code, tt.win32, tt.diagnostic, got, tt.want)
		}
	}
}

func TestPolicyOfASettingsObject(t *testing.T) {
	l := newLab(t)
	dn, guid := l.addUser("strict", nil)
	pso := "CN=agenttests-strict,CN=Password Settings Container,CN=System," + l.base
	add := ldap.NewAddRequest(pso, nil)
	for name, value := range map[string]string{
		"objectClass": "msDS-PasswordSettings", "msDS-PasswordSettingsPrecedence": "10", "msDS-PasswordReversibleEncryptionEnabled": "FALSE",
		"msDS-PasswordHistoryLength": "5", "msDS-PasswordComplexityEnabled": "FALSE", "msDS-MinimumPasswordLength": "9",
		"msDS-MinimumPasswordAge": "-600000000", "msDS-MaximumPasswordAge": "-9223372036854775808", "msDS-LockoutThreshold": "0",
		"msDS-LockoutObservationWindow": "-18000000000", "msDS-LockoutDuration": "-18000000000", "msDS-PSOAppliesTo": dn,
	} {
		add.Attribute(name, []string{value})
	}
	l.must(l.admin.Add(add))
	t.Cleanup(func() { _ = l.admin.Del(ldap.NewDelRequest(pso, nil)) })

	c := l.connect(l.open())
	p, err := c.Policy(t.Context(), l.described(c, guid))
	l.must(err)
	if want := (protocol.Policy{Name: "agenttests-strict", MinimumLength: 9, History: 5, MinimumAgeSeconds: 60}); p.Policy != want || !p.Told.All() {
		t.Errorf("policy %+v, want %+v", p, want)
	}
	as := l.connect(l.open(func(o *directory.Options) { o.User, o.Password = dn, protocol.NewSecret(initialPassword) }))
	if p, err := as.Policy(t.Context(), l.described(as, guid)); !errors.Is(err, directory.ErrNoPolicy) || p.Name != "agenttests-strict" {
		t.Errorf("without a right to read it: %+v, %v; want its name only", p, err)
	}
}

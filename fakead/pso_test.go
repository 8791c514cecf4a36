package fakead_test

import (
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/clock"
	"passback/fakead"
)

const (
	settingsContainer  = "CN=Password Settings Container,CN=System," + base
	textIllegalSetting = "000020E7: SvcErr: DSID-031A1202, problem 5003 (WILL_NOT_PERFORM), data 0\n\x00"
	textNaming         = "00002099: NameErr: "
	forever            = "-9223372036854775808"
	halfAnHour         = "-18000000000"
	day                = "-864000000000"
)

// settingsRequest adds a password settings object that asks for nothing, but for what is changed of it; an empty
// value leaves an attribute out.
func settingsRequest(dn string, changed map[string]string) *ldap.AddRequest {
	values := map[string]string{
		"objectClass": "msDS-PasswordSettings", "msDS-PasswordSettingsPrecedence": "10",
		"msDS-PasswordReversibleEncryptionEnabled": "FALSE", "msDS-PasswordComplexityEnabled": "FALSE",
		"msDS-PasswordHistoryLength": "0", "msDS-MinimumPasswordLength": "0",
		"msDS-MinimumPasswordAge": "0", "msDS-MaximumPasswordAge": forever,
		"msDS-LockoutThreshold": "0", "msDS-LockoutObservationWindow": halfAnHour, "msDS-LockoutDuration": halfAnHour,
	}
	maps.Copy(values, changed)
	add := ldap.NewAddRequest(dn, nil)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values[name] != "" {
			add.Attribute(name, []string{values[name]})
		}
	}
	return add
}

// addPSO adds a fine-grained policy.
func addPSO(t *testing.T, dc *fakead.Server, p fakead.PSO) {
	t.Helper()
	if p.Precedence == 0 {
		p.Precedence = 10
	}
	if err := dc.AddPSO(p); err != nil {
		t.Fatal(err)
	}
}

func TestSettingsThatContradictThemselvesAreRefused(t *testing.T) {
	dc := fakead.RunT(t)
	admin := asAdministrator(t, dc)
	n := 0
	for name, c := range map[string]struct {
		changed map[string]string
		code    uint16
		text    string
	}{
		"nothing asked for":              {nil, 0, ""},
		"precedence 0":                   {map[string]string{"msDS-PasswordSettingsPrecedence": "0"}, 53, textIllegalSetting},
		"length 255":                     {map[string]string{"msDS-MinimumPasswordLength": "255"}, 0, ""},
		"length 256":                     {map[string]string{"msDS-MinimumPasswordLength": "256"}, 53, textIllegalSetting},
		"history 1024":                   {map[string]string{"msDS-PasswordHistoryLength": "1024"}, 0, ""},
		"history 1025":                   {map[string]string{"msDS-PasswordHistoryLength": "1025"}, 53, textIllegalSetting},
		"threshold 65536":                {map[string]string{"msDS-LockoutThreshold": "65536"}, 53, textIllegalSetting},
		"positive minimum age":           {map[string]string{"msDS-MinimumPasswordAge": "1"}, 53, textIllegalSetting},
		"positive maximum age":           {map[string]string{"msDS-MaximumPasswordAge": "1"}, 53, textIllegalSetting},
		"positive lockout duration":      {map[string]string{"msDS-LockoutDuration": "1"}, 53, textIllegalSetting},
		"positive lockout window":        {map[string]string{"msDS-LockoutObservationWindow": "1"}, 53, textIllegalSetting},
		"window longer than the lockout": {map[string]string{"msDS-LockoutObservationWindow": "-18000000001"}, 53, textIllegalSetting},
		"lockout without end":            {map[string]string{"msDS-LockoutDuration": forever}, 0, ""},
		"minimum age above the maximum":  {map[string]string{"msDS-MinimumPasswordAge": day, "msDS-MaximumPasswordAge": halfAnHour}, 53, textIllegalSetting},
		"both ages equal":                {map[string]string{"msDS-MinimumPasswordAge": day, "msDS-MaximumPasswordAge": day}, 0, ""},
		"complexity in small letters":    {map[string]string{"msDS-PasswordComplexityEnabled": "true"}, 21, "00000057: "},
		"a number that is none":          {map[string]string{"msDS-LockoutThreshold": "x"}, 21, "00000057: "},
		"no threshold":                   {map[string]string{"msDS-LockoutThreshold": ""}, 65, "0000207C: "},
		"for nobody that there is":       {map[string]string{"msDS-PSOAppliesTo": "CN=nobody," + base}, 19, "000020B5: "},
		"for an organisational unit":     {map[string]string{"msDS-PSOAppliesTo": "OU=Domain Controllers," + base}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			n++
			dn := "CN=new" + strconv.Itoa(n) + "," + settingsContainer
			expect(t, "add", admin.Add(settingsRequest(dn, c.changed)), c.code, c.text)

			dn = "CN=old" + strconv.Itoa(n) + "," + settingsContainer
			expect(t, "add one to modify", admin.Add(settingsRequest(dn, nil)), 0, "")
			m := ldap.NewModifyRequest(dn, nil)
			for attribute, value := range c.changed {
				m.Replace(attribute, slices.DeleteFunc([]string{value}, func(v string) bool { return v == "" }))
			}
			if len(c.changed) > 0 {
				expect(t, "modify", admin.Modify(m), c.code, c.text)
			}
		})
	}
}

func TestSettingsLieInTheirContainers(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	admin, alice := asAdministrator(t, dc), dnOf(t, dc, "alice")
	if err := dc.AddOU("OU=People"); err != nil {
		t.Fatal(err)
	}
	container := func(parent string) (string, *ldap.AddRequest) {
		add := ldap.NewAddRequest("CN=Other Container,"+parent, nil)
		add.Attribute("objectClass", []string{"msDS-PasswordSettingsContainer"})
		return add.DN, add
	}
	expect(t, "in CN=Users", admin.Add(settingsRequest("CN=x,CN=Users,"+base, nil)), 64, textNaming)
	expect(t, "in an organisational unit", admin.Add(settingsRequest("CN=x,OU=People,"+base, nil)), 64, textNaming)
	_, add := container("OU=People," + base)
	expect(t, "a container in an organisational unit", admin.Add(add), 64, textNaming)
	other, add := container("CN=Computers," + base)
	expect(t, "a container in CN=Computers", admin.Add(add), 0, "")
	expect(t, "an object in that", admin.Add(settingsRequest("CN=x,"+other, map[string]string{"msDS-PSOAppliesTo": alice})), 0, "")
	if got := read(t, admin, alice, "msDS-PSOApplied", "msDS-ResultantPSO"); got.GetAttributeValue("msDS-PSOApplied") != "CN=x,"+other || got.GetAttributeValue("msDS-ResultantPSO") != "" {
		t.Errorf("an object elsewhere applies: %v", got.Attributes)
	}
}

// The policy replaces the domain's as a whole: what it does not ask for, nobody asks for.
func TestAFineGrainedPolicyReplacesTheDomains(t *testing.T) {
	now := clock.NewRunning()
	dc := fakead.RunT(t, fakead.Options{Clock: now})
	domain := dc.Policy()
	domain.LockoutThreshold, domain.LockoutDuration, domain.LockoutWindow = 1, 0, time.Hour
	dc.SetPolicy(domain)
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "bob"})
	addPSO(t, dc, fakead.PSO{Name: "strict", AppliesTo: []string{"alice"}, Policy: fakead.Policy{
		MinLength: 16, History: 2, MinAge: time.Hour, MaxAge: 60 * 24 * time.Hour,
		LockoutThreshold: 2, LockoutDuration: 10 * time.Minute, LockoutWindow: 5 * time.Minute,
	}})
	admin, alice, bob := asAdministrator(t, dc), dnOf(t, dc, "alice"), dnOf(t, dc, "bob")
	const first, second = "only small letters", "and some more of them"

	expect(t, "too short for hers", admin.Modify(resetRequest(alice, "Fifteen-chars-1")), 53, textResetRefused)
	expect(t, "long enough for the domain", admin.Modify(resetRequest(bob, "Fifteen-chars-1")), 0, "")
	expect(t, "not complex, which hers does not ask for", admin.Modify(resetRequest(alice, first)), 0, "")
	expect(t, "not complex", admin.Modify(resetRequest(bob, first)), 53, textResetRefused)
	expect(t, "within the minimum age", admin.Modify(changeRequest(alice, first, second)), 19, changeText("0000052D"))
	now.Advance(time.Hour)
	expect(t, "after it", admin.Modify(changeRequest(alice, first, second)), 0, "")
	now.Advance(time.Hour)
	expect(t, "one of the last two", admin.Modify(changeRequest(alice, second, first)), 19, changeText("0000052D"))
	expect(t, "a third", admin.Modify(changeRequest(alice, second, "a third one of letters")), 0, "")
	now.Advance(time.Hour)
	expect(t, "one before the last two", admin.Modify(changeRequest(alice, "a third one of letters", first)), 0, "")

	computed := read(t, admin, alice, "pwdLastSet", "msDS-UserPasswordExpiryTimeComputed")
	set, _ := strconv.ParseInt(computed.GetAttributeValue("pwdLastSet"), 10, 64)
	expires, _ := strconv.ParseInt(computed.GetAttributeValue("msDS-UserPasswordExpiryTimeComputed"), 10, 64)
	if days := (expires - set) / 864e9; days != 60 {
		t.Errorf("her password expires after %d days, want 60", days)
	}

	c := connect(t, dc)
	expect(t, "wrong once", c.Bind("alice@corp.example", "no"), 49, bindText("52e"))
	expect(t, "once is not enough", c.Bind("alice@corp.example", first), 0, "")
	expect(t, "wrong once more", c.Bind("alice@corp.example", "no"), 49, bindText("52e"))
	expect(t, "wrong twice", c.Bind("alice@corp.example", "no"), 49, bindText("52e"))
	expect(t, "locked", c.Bind("alice@corp.example", first), 49, bindText("775"))
	if got := read(t, admin, alice, "msDS-User-Account-Control-Computed").GetAttributeValue("msDS-User-Account-Control-Computed"); got != "16" {
		t.Errorf("computed control is %s, want 16", got)
	}
	now.Advance(10 * time.Minute)
	expect(t, "after her ten minutes", c.Bind("alice@corp.example", first), 0, "")
	expect(t, "wrong once by the domain's", c.Bind("bob@corp.example", "no"), 49, bindText("52e"))
	expect(t, "locked by the domain's", c.Bind("bob@corp.example", "Fifteen-chars-1"), 49, bindText("775"))
	now.Advance(60 * 24 * time.Hour)
	expect(t, "after her sixty days", c.Bind("alice@corp.example", first), 49, bindText("532"))
}

// A threshold of 0 in the account's own policy switches the domain's lockout off, and giving it one later counts.
func TestAPolicyWithoutLockoutEndsTheDomains(t *testing.T) {
	dc := fakead.RunT(t)
	domain := dc.Policy()
	domain.LockoutThreshold = 1
	dc.SetPolicy(domain)
	seed(t, dc, fakead.User{SAM: "alice"})
	addPSO(t, dc, fakead.PSO{Name: "lenient", AppliesTo: []string{"alice"}})
	c := connect(t, dc)
	for range 3 {
		expect(t, "wrong", c.Bind("alice@corp.example", "no"), 49, bindText("52e"))
	}
	expect(t, "never locked", c.Bind("alice@corp.example", oldPassword), 0, "")

	admin := asAdministrator(t, dc)
	m := ldap.NewModifyRequest("CN=lenient,"+settingsContainer, nil)
	m.Replace("msDS-LockoutThreshold", []string{"1"})
	expect(t, "give it a threshold", admin.Modify(m), 0, "")
	expect(t, "wrong", c.Bind("alice@corp.example", "no"), 49, bindText("52e"))
	expect(t, "locked until an administrator unlocks it", c.Bind("alice@corp.example", oldPassword), 49, bindText("775"))
	expect(t, "delete the policy", admin.Del(ldap.NewDelRequest("CN=lenient,"+settingsContainer, nil)), 0, "")
	if got := stateOf(t, dc, "alice"); got.PolicyName != "" || got.Policy != domain || !got.Locked {
		t.Errorf("without it: policy %q %+v, locked %t", got.PolicyName, got.Policy, got.Locked)
	}
}

// Row 55: while an account is added only the domain's policy counts, whatever applies to it afterwards.
func TestAnAddFollowsTheDomainsPolicy(t *testing.T) {
	dc := fakead.RunT(t)
	addPSO(t, dc, fakead.PSO{Name: "everyone", AppliesTo: []string{"Domain Users"}, Policy: fakead.Policy{MinLength: 20}})
	admin := asAdministrator(t, dc)
	add := ldap.NewAddRequest("CN=carol,CN=Users,"+base, nil)
	for name, value := range map[string]string{"objectClass": "user", "sAMAccountName": "carol", "userAccountControl": "512", "unicodePwd": quoted(oldPassword)} {
		add.Attribute(name, []string{value})
	}
	expect(t, "add", admin.Add(add), 0, "")
	if got := stateOf(t, dc, "carol").PolicyName; got != "CN=everyone,"+settingsContainer {
		t.Errorf("her policy is %q", got)
	}
	expect(t, "the same length afterwards", admin.Modify(resetRequest(add.DN, newPassword)), 53, textResetRefused)
}

// Which policy is in effect, case by case.
func TestResultantPolicy(t *testing.T) {
	for name, c := range map[string]struct {
		os      string
		prepare func(t *testing.T, dc *fakead.Server, admin *ldap.Conn)
		account string
		want    string
	}{
		"none":             {"", nil, "alice", ""},
		"of the user":      {"", apply("user", 9, "alice"), "alice", "user"},
		"of a group":       {"", apply("group", 9, "Team"), "alice", "group"},
		"of a nested one":  {"", apply("outer", 9, "Company"), "alice", "outer"},
		"of the primary":   {"", apply("primary", 9, "Domain Users"), "alice", "primary"},
		"of a user, worse": {"", both(apply("user", 90, "alice"), apply("group", 1, "Team")), "alice", "user"},
		"the smallest":     {"", both(apply("worse", 8, "Team"), apply("better", 7, "Company")), "alice", "better"},
		"of a universal":   {"", both(retype("Team", "-2147483640"), apply("group", 9, "Team")), "alice", ""},
		"of a local":       {"", both(retype("Team", "-2147483640"), both(retype("Team", "-2147483644"), apply("group", 9, "Team"))), "alice", ""},
		"of distribution":  {"", both(retype("Team", "2"), apply("group", 9, "Team")), "alice", ""},
		"of Builtin":       {"", apply("builtin", 9, "Users"), "alice", ""},
		"of the unit":      {"", apply("unit", 9, "CN=Users,"+base), "alice", ""},
		"of a computer":    {"", apply("machine", 9, "DC1$"), "DC1$", ""},
		"of krbtgt":        {"2019", apply("ticket", 9, "krbtgt"), "krbtgt", ""},
		"of krbtgt, 2016":  {"2016", apply("ticket", 9, "krbtgt"), "krbtgt", "ticket"},
		"of Administrator": {"", apply("admins", 9, "Domain Admins"), "Administrator", "admins"},
	} {
		t.Run(name, func(t *testing.T) {
			dc := fakead.RunT(t, fakead.Options{OS: c.os})
			seed(t, dc, fakead.User{SAM: "alice"})
			for _, g := range []fakead.Group{{SAM: "Team", Members: []string{"alice"}}, {SAM: "Company", Members: []string{"Team"}}} {
				if err := dc.AddGroup(g); err != nil {
					t.Fatal(err)
				}
			}
			admin := asAdministrator(t, dc)
			if c.prepare != nil {
				c.prepare(t, dc, admin)
			}
			want := c.want
			if want != "" {
				want = "CN=" + want + "," + settingsContainer
			}
			if got := read(t, admin, dnOf(t, dc, c.account), "msDS-ResultantPSO").GetAttributeValue("msDS-ResultantPSO"); got != want {
				t.Errorf("msDS-ResultantPSO is %q, want %q", got, want)
			}
			if got := stateOf(t, dc, c.account).PolicyName; got != want {
				t.Errorf("the state names %q, want %q", got, want)
			}
		})
	}
}

func apply(name string, precedence int, to ...string) func(*testing.T, *fakead.Server, *ldap.Conn) {
	return func(t *testing.T, dc *fakead.Server, _ *ldap.Conn) {
		t.Helper()
		addPSO(t, dc, fakead.PSO{Name: name, Precedence: precedence, AppliesTo: to})
	}
}

func retype(group, groupType string) func(*testing.T, *fakead.Server, *ldap.Conn) {
	return func(t *testing.T, dc *fakead.Server, admin *ldap.Conn) {
		t.Helper()
		m := ldap.NewModifyRequest("CN="+group+",CN=Users,"+base, nil)
		m.Replace("groupType", []string{groupType})
		expect(t, "change the type of "+group, admin.Modify(m), 0, "")
	}
}

func both(first, second func(*testing.T, *fakead.Server, *ldap.Conn)) func(*testing.T, *fakead.Server, *ldap.Conn) {
	return func(t *testing.T, dc *fakead.Server, admin *ldap.Conn) {
		t.Helper()
		first(t, dc, admin)
		second(t, dc, admin)
	}
}

// msDS-ResultantPSO is computed: by name only, in no filter, and nobody's to write.
func TestResultantPolicyIsComputed(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	addPSO(t, dc, fakead.PSO{Name: "hers", AppliesTo: []string{"alice"}})
	admin, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
	if got := read(t, admin, dn).GetAttributeValue("msDS-ResultantPSO"); got != "" {
		t.Errorf("* returns %q", got)
	}
	if found := query(t, admin, base, "(msDS-ResultantPSO=*)"); len(found) != 0 {
		t.Errorf("a filter finds %d entries", len(found))
	}
	m := ldap.NewModifyRequest(dn, nil)
	m.Replace("msDS-ResultantPSO", []string{"CN=hers," + settingsContainer})
	expect(t, "write it", admin.Modify(m), 19, "0000211B: ")
	m = ldap.NewModifyRequest(dn, nil)
	m.Replace("msDS-PSOApplied", []string{"CN=hers," + settingsContainer})
	expect(t, "write the back link", admin.Modify(m), 53, "000020B1: ")
	if found := query(t, admin, base, "(msDS-PSOApplied=CN=hers,"+settingsContainer+")"); len(found) != 1 {
		t.Errorf("the back link finds %d entries, want alice", len(found))
	}
}

// Row 56: who is no administrator sees that there are policies, and which is theirs, and no more.
func TestPoliciesAreTheAdministrators(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	addPSO(t, dc, fakead.PSO{Name: "hers", AppliesTo: []string{"alice"}})
	alice, dn := connectAs(t, dc, "alice@corp.example", oldPassword), "CN=hers,"+settingsContainer
	if got := read(t, alice, dn); got.DN != dn || len(got.Attributes) != 0 {
		t.Errorf("she reads %d attributes of %s, want none", len(got.Attributes), got.DN)
	}
	if got := read(t, alice, dnOf(t, dc, "alice"), "msDS-ResultantPSO").GetAttributeValue("msDS-ResultantPSO"); got != dn {
		t.Errorf("her own is %q", got)
	}
	m := ldap.NewModifyRequest(dn, nil)
	m.Replace("msDS-MinimumPasswordLength", []string{"0"})
	expect(t, "weaken it", alice.Modify(m), 50, textNoWriteRight)
	expect(t, "add one", alice.Add(settingsRequest("CN=mine,"+settingsContainer, nil)), 50, "")
}

package cloud_test

import (
	"testing"

	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// Somebody for whom every gate is closed, and the gates opened one by one: the order is that of the documentation.
func TestGatesInOrder(t *testing.T) {
	w := sim.RunT(t, sim.Options{Unconfigured: true})
	const alice = "alice@corp.example"
	s := w.Cloud.Settings()
	set := func(change func(*cloud.Settings)) func() {
		return func() {
			change(&s)
			if err := w.Cloud.SetSettings(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	set(func(s *cloud.Settings) {
		s.SSPR, s.Methods, s.ScopeGroup, s.Writeback = cloud.ScopeNone, nil, "Nobody", false
	})()
	w.Cloud.SetAssignment(alice, cloud.Assignment{Unlicensed: true, Unregistered: true})

	for _, step := range []struct {
		sspr, name string
		open       func()
	}{
		{"SSPR_0009", "NotConfigured", func() {
			if err := w.Synchronise(t.Context()); err != nil {
				t.Fatal(err)
			}
		}},
		{"SSPR_0009", "TenantSSPRFlagDisabled", set(func(s *cloud.Settings) { s.SSPR = cloud.ScopeSelected })},
		{"SSPR_0011", "SsprNotEnabledInUserPolicy", set(func(s *cloud.Settings) { s.Methods = []string{"email"} })},
		{"SSPR_0012", "UserNotLicensed", func() { w.Cloud.SetAssignment(alice, cloud.Assignment{Unregistered: true}) }},
		{"SSPR_0013", "UserNotMemberOfScopedAccessGroup", set(func(s *cloud.Settings) { s.ScopeGroup = "SSPR-Users" })},
		{"SSPR_0014", "UserNotProperlyConfigured", func() { w.Cloud.SetAssignment(alice, cloud.Assignment{}) }},
		{"SSPR_0010", "WritebackNotEnabled", set(func(s *cloud.Settings) { s.Writeback = true })},
		{"SSPR_0030", "OnPremisesConnectivityError", func() {
			if _, err := w.StartAgent(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := w.Cloud.AwaitAlive(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		result := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.PortalReset, User: alice, New: protocol.NewSecret("Nine-Green-Kites-41")})
		if result.SSPR != step.sspr || result.Reason != step.name || result.Sent || result.Changed != protocol.ChangedNo {
			t.Fatalf("told %s %s, sent %t; want %s %s", result.SSPR, result.Reason, result.Sent, step.sspr, step.name)
		}
		step.open()
	}
	if g := w.Cloud.Check(cloud.PortalReset, alice); g != nil {
		t.Errorf("all gates were opened, and %+v is closed", g)
	}
	if writes := w.Directory.PasswordWrites(); len(writes) > 0 {
		t.Errorf("a refused reset reached the directory: %v", writes)
	}
}

func TestUnlockAloneIsASetting(t *testing.T) {
	w := sim.RunT(t, sim.Options{WithoutAgent: true})
	s := w.Cloud.Settings()
	s.UnlockAlone = false
	if err := w.Cloud.SetSettings(s); err != nil {
		t.Fatal(err)
	}
	if g := w.Cloud.Check(cloud.UnlockAlone, "carol@corp.example"); g == nil || g.Name != "AccountUnlockNotEnabled" {
		t.Errorf("the gate is %+v", g)
	}
}

func TestOnlyAdministratorsResetOthers(t *testing.T) {
	w := sim.RunT(t, sim.Options{WithoutAgent: true})
	for actor, name := range map[string]string{"bob@corp.example": "InsufficientPrivileges", "": "OwnAccount", "nobody@corp.example": "InsufficientPrivileges"} {
		result := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.AdminReset, User: "alice@corp.example", Actor: actor, New: protocol.NewSecret("Nine-Green-Kites-41")})
		if result.Reason != name || result.Sent {
			t.Errorf("by %q: told %s, sent %t", actor, result.Reason, result.Sent)
		}
	}
}

func TestBannedPasswords(t *testing.T) {
	s := cloud.DefaultSettings()
	s.BannedWords = []string{"Contoso", "abc"}
	tenant, err := cloud.New(cloud.Options{Settings: &s})
	if err != nil {
		t.Fatal(err)
	}
	defer tenant.Close()
	for password, banned := range map[string]bool{
		"P@ssw0rd":             true,  // a word of the list, once normalised
		"passwords":            true,  // one edit away
		"pasword":              true,  // one edit away
		"C0ntos0-1":            true,  // one point for the word, two for the rest
		"Contoso-4711":         false, // one for the word, five for the rest
		"password-contoso-2x":  false,
		"QwertyWelcome1":       true, // three points
		"Nine-Green-Kites-41":  false,
		"abcd":                 true,  // four points; a word of three letters bans nothing
		"abc-abc":              false, // seven points
		"Zürich":               false,
		"Correct-Horse-Batter": false,
	} {
		if g := tenant.CheckPassword(protocol.NewSecret(password)); (g != nil) != banned {
			t.Errorf("%q: banned %t, want %t", password, g != nil, banned)
		}
	}
}

func TestBannedPasswordIsNotSent(t *testing.T) {
	w := sim.RunT(t)
	result := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.PortalReset, User: w.People()[0].UPN, New: protocol.NewSecret("P@ssw0rd1")})
	if result.Reason != "FuzzyPolicyViolationInvalidPassword" || result.AADSTS != 120018 || result.Sent {
		t.Errorf("told %s %d, sent %t", result.Reason, result.AADSTS, result.Sent)
	}
}

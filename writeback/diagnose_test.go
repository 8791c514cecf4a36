package writeback

import (
	"testing"
	"time"

	"passback/writeback/directory"
	"passback/writeback/protocol"
)

var everything = directory.Told{Length: true, Complexity: true, History: true, MinimumAge: true, MaximumAge: true}

func TestJudge(t *testing.T) {
	now := time.Date(2030, 5, 6, 7, 8, 9, 0, time.UTC)
	strict := protocol.Policy{Name: "strict", MinimumLength: 10, Complexity: true, History: 5, MinimumAgeSeconds: 3600}
	open := protocol.Policy{Name: "open"}
	ivy := directory.User{SAM: "ivy", DisplayName: "Ivy van-den Larkspur, X", PasswordTold: true, PasswordSet: now.Add(-2 * time.Hour)}
	with := func(change func(*directory.User)) directory.User { u := ivy; change(&u); return u }
	for _, tt := range []struct {
		what      string
		policy    protocol.Policy
		user      directory.User
		now       time.Time
		password  string
		rule      protocol.Rule
		certainty protocol.Certainty
	}{
		{"nine of ten characters", strict, ivy, now, "Abcdefg-1", protocol.RuleLength, protocol.Certain},
		{"ten characters", strict, ivy, now, "Abcdefgh-1", protocol.RuleHistory, protocol.Likely},
		{"length counts UTF-16 units", strict, ivy, now, "Aa1-😀😀😀", protocol.RuleHistory, protocol.Likely},
		{"two categories", strict, ivy, now, "abcdefghij1", protocol.RuleComplexity, protocol.Certain},
		{"a space is in no category", strict, ivy, now, "abcdefghi 1", protocol.RuleComplexity, protocol.Certain},
		{"letters without case are the fifth", strict, ivy, now, "密码密码密码密码a1", protocol.RuleHistory, protocol.Likely},
		{"Greek letters have case", strict, ivy, now, "ΑΒΓΔαβγδε1", protocol.RuleHistory, protocol.Likely},
		{"account name, in other case", strict, ivy, now, "99-IVY-99-abc", protocol.RuleContainsName, protocol.Certain},
		{"part of the display name", strict, ivy, now, "My.LarkSpur.77", protocol.RuleContainsName, protocol.Certain},
		{"parts of less than three do not count", strict, with(func(u *directory.User) { u.SAM, u.DisplayName = "iv", "Al X-Y" }), now, "My-al-iv-X-Y-9", protocol.RuleHistory, protocol.Likely},
		{"a minute too young", strict, with(func(u *directory.User) { u.PasswordSet = now.Add(-59 * time.Minute) }), now, "Abcdefgh-1", protocol.RuleMinimumAge, protocol.Certain},
		{"old enough", strict, with(func(u *directory.User) { u.PasswordSet = now.Add(-time.Hour) }), now, "Abcdefgh-1", protocol.RuleHistory, protocol.Likely},
		{"a password that must be changed has no age", strict, with(func(u *directory.User) { u.PasswordSet = time.Time{} }), now, "Abcdefgh-1", protocol.RuleHistory, protocol.Likely},
		{"pwdLastSet may not be read", strict, with(func(u *directory.User) { u.PasswordSet, u.PasswordTold = time.Time{}, false }), now, "Abcdefgh-1", protocol.RuleUnknown, protocol.Uncertain},
		{"pwdLastSet may not be read, yet too short", strict, with(func(u *directory.User) { u.PasswordSet, u.PasswordTold = time.Time{}, false }), now, "Ab-1", protocol.RuleLength, protocol.Certain},
		{"the domain's time is not told", strict, ivy, time.Time{}, "Abcdefgh-1", protocol.RuleUnknown, protocol.Uncertain},
		{"names may not be read", strict, with(func(u *directory.User) { u.SAM = "" }), now, "Abcdefgh-1", protocol.RuleUnknown, protocol.Uncertain},
		{"nothing that is known refuses", open, ivy, now, "ivy", protocol.RuleFilter, protocol.Likely},
	} {
		v := judge(inputs{policy: directory.Policy{Policy: tt.policy, Told: everything}, user: tt.user, displayNameTold: true, now: tt.now,
			secrets: protocol.Secrets{New: protocol.NewSecret(tt.password)}})
		if v.Rule != tt.rule || v.Certainty != tt.certainty || v.Policy == nil || *v.Policy != tt.policy {
			t.Errorf("%s: %s, %s; want %s, %s", tt.what, v.Rule, v.Certainty, tt.rule, tt.certainty)
		}
		if (v.Until != nil) != (tt.rule == protocol.RuleMinimumAge) {
			t.Errorf("%s: until %v", tt.what, v.Until)
		}
	}
}

// Samba does not compare a password with names, so its refusal was another rule's.
func TestJudgeWhereNamesAreIgnored(t *testing.T) {
	in := inputs{
		policy: directory.Policy{Policy: protocol.Policy{Complexity: true, History: 5}, Told: everything},
		user:   directory.User{SAM: "ivy"}, secrets: protocol.Secrets{New: protocol.NewSecret("99-IVY-99-abc")},
	}
	in.namesIgnored = true
	if v := judge(in); v.Rule != protocol.RuleHistory || v.Certainty != protocol.Likely {
		t.Errorf("%s, %s; want history, likely", v.Rule, v.Certainty)
	}
}

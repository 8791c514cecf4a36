package writeback

// Which rule of the password policy refused. Active Directory answers 0000052D for all of them, so the agent
// evaluates the rules itself, in the controller's order, over the policy in effect, what it read of the account
// before the modify, and the controller's own time. MS-SAMR 3.1.1.7.1 (length, history, ages) and 3.1.1.7.2
// (complexity). Length, complexity, names and minimum age can be known; history and filters only by exclusion.

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// diagnose reads what is needed and judges; what may not be read makes the rule unknown.
func (at *attempt) diagnose(ctx context.Context, u directory.User) *protocol.Violation {
	unknown := &protocol.Violation{Rule: protocol.RuleUnknown, Certainty: protocol.Uncertain}
	if at.connect(ctx) != nil {
		return unknown
	}
	policy, err := at.conn.Policy(ctx, u)
	if err != nil {
		at.log.Warn("the password policy in effect could not be read", "policy", policy.Name, "user", u.DN, "error", err)
		return unknown
	}
	now, err := at.conn.Time(ctx)
	if err != nil {
		at.log.Warn("the domain's time could not be read", "error", err)
	}
	v := judge(policy, u, now, at.secrets)
	return &v
}

// judge names the rule. A zero now is not known.
func judge(policy protocol.Policy, u directory.User, now time.Time, s protocol.Secrets) protocol.Violation {
	v := protocol.Violation{Policy: &policy, Certainty: protocol.Certain}
	password := s.New.Reveal()
	ends := u.PasswordSet.Add(time.Duration(policy.MinimumAgeSeconds) * time.Second)
	ageMatters := policy.MinimumAgeSeconds > 0 && (!u.PasswordTold || !u.PasswordSet.IsZero()) // a password that must be changed may be
	ageKnown := u.PasswordTold && !now.IsZero()
	switch {
	case ageMatters && ageKnown && now.Before(ends):
		v.Rule, v.Until = protocol.RuleMinimumAge, &ends
	case len(utf16.Encode([]rune(password))) < policy.MinimumLength:
		v.Rule = protocol.RuleLength
	case policy.Complexity && categories(password) < 3:
		v.Rule = protocol.RuleComplexity
	case policy.Complexity && containsName(password, u):
		v.Rule = protocol.RuleContainsName
	case policy.History > 0 && !s.Old.Empty() && s.Old.Reveal() == password: // the old one was right, or it would not have come to this
		v.Rule = protocol.RuleHistory
	case ageMatters && !ageKnown, policy.Complexity && u.SAM == "":
		v.Rule, v.Certainty = protocol.RuleUnknown, protocol.Uncertain
	case policy.History > 0:
		v.Rule, v.Certainty = protocol.RuleHistory, protocol.Likely
	default:
		v.Rule, v.Certainty = protocol.RuleFilter, protocol.Likely
	}
	return v
}

// categories counts those of the five that the password has: capitals, small letters, digits, the 32 signs of
// ASCII, letters of scripts without case.
func categories(password string) (n int) {
	var capital, small, digit, sign, other bool
	for _, r := range password {
		switch {
		case unicode.IsUpper(r):
			capital = true
		case unicode.IsLower(r):
			small = true
		case r >= '0' && r <= '9':
			digit = true
		case r > ' ' && r < unicode.MaxASCII:
			sign = true
		case unicode.IsLetter(r):
			other = true
		}
	}
	for _, has := range []bool{capital, small, digit, sign, other} {
		if has {
			n++
		}
	}
	return n
}

// shortestName is the least length of a name, or of a part of one, that a password may not contain.
const shortestName = 3

// containsName looks for the account name as a whole and for each part of the display name, whatever the case.
func containsName(password string, u directory.User) bool {
	password = strings.ToLower(password)
	parts := strings.FieldsFunc(u.DisplayName, func(r rune) bool { return strings.ContainsRune(",.-_ #\t", r) })
	for _, name := range append(parts, u.SAM) {
		if len([]rune(name)) >= shortestName && strings.Contains(password, strings.ToLower(name)) {
			return true
		}
	}
	return false
}

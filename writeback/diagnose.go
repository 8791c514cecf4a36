package writeback

// Which rule of the password policy refused. Active Directory answers 0000052D for all of them, so the agent
// evaluates the rules itself, over the password's age as it was before the modify, and what it reads after the refusal:
// the account's names, the policy in effect and the controller's own time. MS-SAMR 3.1.1.7.1 (length, history, ages)
// and 3.1.1.7.2 (complexity). Length, complexity, names and minimum age can be known; history and filters only by
// exclusion. docs/diagnosis.md shows how often it is right.

import (
	"context"
	"time"

	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// inputs are what a judgement rests on. What may not be read is told apart from what is not there.
type inputs struct {
	policy          directory.Policy
	user            directory.User
	displayNameTold bool
	namesIgnored    bool      // by this controller
	now             time.Time // zero: not known
	secrets         protocol.Secrets
}

// Attributes that an account may lack.
const (
	attrDisplayName  = "displayName"
	attrResultantPSO = "msDS-ResultantPSO"
)

// diagnose reads what is needed and judges; what may not be read leaves the rules open that need it.
func (at *attempt) diagnose(ctx context.Context, u directory.User) *protocol.Violation {
	ctx, span := at.telemetry.span(ctx, "diagnose")
	defer span.End()
	if at.connect(ctx) != nil {
		return &protocol.Violation{Rule: protocol.RuleUnknown, Certainty: protocol.Uncertain}
	}
	if err := at.conn.Describe(ctx, &u); err != nil {
		at.log.Warn("the refused user could not be read again", "user", u.DN, "error", err)
		return &protocol.Violation{Rule: protocol.RuleUnknown, Certainty: protocol.Uncertain}
	}
	in := inputs{user: u, secrets: at.secrets, namesIgnored: !at.conn.ComparesNames()}
	readable := map[string]bool{}
	if u.DisplayName == "" || u.PSO == "" {
		var err error
		if readable, err = at.conn.MayRead(ctx, u.DN, attrDisplayName, attrResultantPSO); err != nil {
			at.log.Warn("what the agent's account may read of the user is not known", "user", u.DN, "error", err)
		}
	}
	in.displayNameTold = u.DisplayName != "" || readable[attrDisplayName]
	if u.PSO != "" || readable[attrResultantPSO] {
		var err error
		if in.policy, err = at.conn.Policy(ctx, u); err != nil {
			at.log.Warn("the password policy in effect could not be read", "policy", in.policy.Name, "user", u.DN, "error", err)
		}
	} else {
		at.log.Warn("which password policy is in effect may not be read", "attribute", attrResultantPSO, "user", u.DN)
	}
	var err error
	if in.now, err = at.conn.Time(ctx); err != nil {
		at.log.Warn("the domain's time could not be read", "error", err)
	}
	v := judge(in)
	return &v
}

// A ruling is what is known of one rule.
type ruling int

const (
	open ruling = iota // it needs something that could not be read
	kept
	broken
)

func rulingOf(isBroken bool) ruling {
	if isBroken {
		return broken
	}
	return kept
}

// rules are those that can be known, in the controller's order.
var rules = []struct {
	rule  protocol.Rule
	judge func(inputs) ruling
}{
	{protocol.RuleMinimumAge, inputs.minimumAge},
	{protocol.RuleLength, inputs.length},
	{protocol.RuleComplexity, inputs.complexity},
	{protocol.RuleContainsName, inputs.containsName},
}

// judge names the rule.
func judge(in inputs) protocol.Violation {
	v := protocol.Violation{Rule: protocol.RuleUnknown, Certainty: protocol.Certain}
	if in.policy.Told.All() {
		v.Policy = &in.policy.Policy
	}
	doubt := false
	for _, r := range rules {
		switch r.judge(in) {
		case broken:
			v.Rule = r.rule
			if r.rule == protocol.RuleMinimumAge {
				ends := in.ageEnds()
				v.Until = &ends
			}
			return v
		case open:
			doubt = true
		}
	}
	switch history := in.history(); {
	case history == broken:
		v.Rule = protocol.RuleHistory
	case doubt || !in.policy.Told.History:
		v.Certainty = protocol.Uncertain
	case history == kept:
		v.Rule, v.Certainty = protocol.RuleFilter, protocol.Likely
	default:
		v.Rule, v.Certainty = protocol.RuleHistory, protocol.Likely
	}
	return v
}

func (in inputs) ageEnds() time.Time {
	return in.user.PasswordSet.Add(time.Duration(in.policy.MinimumAgeSeconds) * time.Second)
}

func (in inputs) minimumAge() ruling {
	switch {
	case in.policy.Told.MinimumAge && in.policy.MinimumAgeSeconds == 0,
		in.user.PasswordTold && in.user.PasswordSet.IsZero(): // one that must be changed may be
		return kept
	case !in.policy.Told.MinimumAge, !in.user.PasswordTold, in.now.IsZero():
		return open
	}
	return rulingOf(in.now.Before(in.ageEnds()))
}

func (in inputs) length() ruling {
	if !in.policy.Told.Length {
		return open
	}
	return rulingOf(units(in.secrets.New.Reveal()) < in.policy.MinimumLength)
}

func (in inputs) complexity() ruling {
	if !in.policy.Told.Complexity {
		return open
	}
	return rulingOf(in.policy.Complexity && categories(in.secrets.New.Reveal()) < wantCategories)
}

func (in inputs) containsName() ruling {
	switch {
	case in.namesIgnored, in.policy.Told.Complexity && !in.policy.Complexity:
		return kept
	case !in.policy.Told.Complexity:
		return open
	case containsName(in.secrets.New.Reveal(), in.user):
		return broken
	case in.user.SAM == "" || !in.displayNameTold:
		return open
	}
	return kept
}

// history knows the current password of a change alone: the old one was right, or it would not have come to this.
func (in inputs) history() ruling {
	same := !in.secrets.Old.Empty() && in.secrets.Old.Reveal() == in.secrets.New.Reveal()
	switch {
	case !in.policy.Told.History:
		return open
	case in.policy.History == 0, in.policy.History == 1 && !in.secrets.Old.Empty() && !same: // one remembered: the current
		return kept
	case same:
		return broken
	}
	return open
}

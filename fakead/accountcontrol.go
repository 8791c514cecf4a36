package fakead

// The attributes of an account that mean something to the SAM beside their values: pwdLastSet, lockoutTime and
// userAccountControl (MS-SAMR 3.1.1.8.3, 3.1.1.8.7 and 3.1.1.8.10).

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"passback/fakead/password"
	"passback/fakead/tree"
)

const (
	pwdLastSet  = "pwdLastSet"
	lockoutTime = "lockoutTime"
)

// applyTimes applies what is written of pwdLastSet and lockoutTime. What the clauses amount to is worked out on a
// plan that is never committed: 0 and -1 stand for something else than themselves.
func (m *modification) applyTimes(changes []change) result {
	written := m.server.tree.Plan(m.target)
	for _, c := range changes {
		err := written.Apply([]tree.Change{c.plain()}, tree.Rules{})
		if err == nil {
			continue
		}
		if res := m.server.treeResult(err); res.code != codeInvalidSyntax {
			return res
		}
		return invalidTime() // what is no number is no time either
	}
	if writes(changes, lockoutTime) {
		if res := m.applyLockout(written.First(lockoutTime)); res.code != codeSuccess {
			return res
		}
	}
	if writes(changes, pwdLastSet) {
		return m.applyLastSet(written.First(pwdLastSet))
	}
	return result{}
}

// writes tells whether one of the changes names an attribute.
func writes(changes []change, name string) bool {
	return slices.ContainsFunc(changes, func(c change) bool { return strings.EqualFold(c.name, name) })
}

func (m *modification) applyLockout(value string) result {
	switch value {
	case "0":
		m.account.Unlock()
		m.plan.Set(lockoutTime, "0") // also where there was none
		return result{}
	case "":
		return illegalChange()
	default:
		return svcErr(errorInvalidParameter, "031A1260")
	}
}

func (m *modification) applyLastSet(value string) result {
	switch value {
	case "0":
		m.account.LastSet = time.Time{}
	case "-1":
		if !m.access.unexpires() {
			return secErr(errorAccessDenied, "031A11B9")
		}
		if m.account.LastSet.IsZero() {
			m.account.LastSet = m.server.clock.Now()
		}
	case "":
		return illegalChange()
	default:
		return invalidTime()
	}
	return result{}
}

// invalidTime answers for a pwdLastSet other than 0 and -1.
func invalidTime() result {
	return result{code: codeOther, text: fmt.Sprintf(formatSysErr, errorInvalidParameter, "031A1260")}
}

// illegalChange answers for taking away what an account always has.
func illegalChange() result { return svcErr(errorDSIllegalModification, "031A11F6") }

// applyControl applies what a write of userAccountControl brings about. It ends a lockout, whether or not the bits
// say so and even if they stay as they were.
func (m *modification) applyControl(changes []change) result {
	if !writes(changes, "userAccountControl") {
		return result{}
	}
	if m.plan.First("userAccountControl") == "" {
		return illegalChange()
	}
	written, _ := strconv.ParseInt(m.plan.First("userAccountControl"), 10, 64)
	control := storedControl(uint32(written))
	if res := judgeControl(control); res.code != codeSuccess {
		return res
	}
	if !m.account.LockoutTime.IsZero() {
		m.account.Unlock()
	}
	m.account.Control = control
	if m.server.lacksPassword(m.account, m.policy) {
		return svcErr(errorPasswordRestriction, "031A124C")
	}
	if control&password.SmartcardRequired != 0 && m.before.Control&password.SmartcardRequired == 0 {
		m.account.Randomise()
	}
	m.plan.Set("userAccountControl", strconv.FormatInt(int64(int32(control)), 10))
	return result{}
}

// storedControl drops the bits that are only ever computed, and makes a user of what is no kind of account.
func storedControl(control uint32) uint32 {
	const kinds = password.NormalAccount | password.InterdomainTrust | password.WorkstationTrust | password.ServerTrust
	control &^= password.LockedOut | password.Expired
	if control&kinds == 0 {
		control |= password.NormalAccount
	}
	return control
}

// judgeControl refuses bits that contradict each other: an account is of one kind, only a read-only domain
// controller keeps part of the secrets, and trusts between domains are not made by LDAP.
func judgeControl(control uint32) result {
	const partialSecrets, tempDuplicate = 0x4000000, 0x100
	kinds := 0
	for _, kind := range []uint32{password.NormalAccount, password.InterdomainTrust, password.WorkstationTrust, password.ServerTrust} {
		if control&kind != 0 {
			kinds++
		}
	}
	switch {
	case kinds > 1, control&tempDuplicate != 0, control&partialSecrets != 0 && control&password.WorkstationTrust == 0:
		return contradictoryControl()
	case control&password.InterdomainTrust != 0:
		return secErr(errorAccessDenied, "031A11B9")
	default:
		return result{}
	}
}

// contradictoryControl answers for bits of userAccountControl that cannot be together, or not at all.
func contradictoryControl() result {
	return result{code: codeOther, text: fmt.Sprintf(formatSysErr, errorInvalidParameter, "031A1254")}
}

// lacksPassword: an enabled user must have a password, unless the policy takes an empty one or the user is
// excused from having any.
func (s *Server) lacksPassword(a *password.Account, p Policy) bool {
	const excused = password.AccountDisabled | password.NotRequired
	if a.Control&password.NormalAccount == 0 || a.Control&excused != 0 || len(a.Passwords) > 0 {
		return false
	}
	return a.Judge(p, s.clock.Now(), "", password.Check{}) != password.Acceptable
}

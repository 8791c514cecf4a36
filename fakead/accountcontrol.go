package fakead

// The attributes of an account that mean something to the SAM beside their values: pwdLastSet, lockoutTime and
// userAccountControl (MS-SAMR 3.1.1.8.3, 3.1.1.8.7 and 3.1.1.8.10).

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"passback/fakead/password"
)

// applyTimes applies what is written of pwdLastSet and lockoutTime.
func (m *modification) applyTimes(changes []change) result {
	written := map[string]string{}
	for _, c := range changes {
		name := strings.ToLower(c.name)
		switch {
		case c.operation != changeDelete && len(c.values) == 1:
			written[name] = string(c.values[0])
		case written[name] == "":
			written[name] = "" // the delete that an add may follow; by itself it is refused
		}
	}
	if value, ok := written["lockouttime"]; ok {
		if res := m.applyLockout(value); res.code != codeSuccess {
			return res
		}
	}
	if value, ok := written["pwdlastset"]; ok {
		return m.applyLastSet(value)
	}
	return result{}
}

func (m *modification) applyLockout(value string) result {
	switch value {
	case "0":
		m.account.Unlock()
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
		m.account.LastSet = m.server.clock.Now()
	case "":
		return illegalChange()
	default:
		return result{code: codeOther, text: fmt.Sprintf(formatSysErr, errorInvalidParameter, "031A1260")}
	}
	return result{}
}

// illegalChange answers for taking away what an account always has.
func illegalChange() result { return svcErr(errorDSIllegalModification, "031A11F6") }

// applyControl applies what a new userAccountControl brings about.
func (m *modification) applyControl() result {
	if !m.plan.Changes("userAccountControl") {
		return result{}
	}
	if m.plan.First("userAccountControl") == "" {
		return illegalChange()
	}
	written, _ := strconv.ParseInt(m.plan.First("userAccountControl"), 10, 64)
	control := storedControl(uint32(written))
	if uint32(written)&password.LockedOut != 0 && !m.account.LockoutTime.IsZero() {
		m.account.Unlock()
	}
	m.account.Control = control
	if m.server.lacksPassword(m.account, m.policy) {
		return svcErr(errorPasswordRestriction, "031A124C")
	}
	if control&password.SmartcardRequired != 0 && m.before.Control&password.SmartcardRequired == 0 {
		m.randomise()
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

// lacksPassword: an enabled user must have a password, unless the policy takes an empty one or the user is
// excused from having any.
func (s *Server) lacksPassword(a *password.Account, p Policy) bool {
	const excused = password.AccountDisabled | password.NotRequired
	if a.Control&password.NormalAccount == 0 || a.Control&excused != 0 || len(a.Passwords) > 0 {
		return false
	}
	return a.Judge(p, s.clock.Now(), "", password.Check{}) != password.Acceptable
}

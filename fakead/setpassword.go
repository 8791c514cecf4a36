package fakead

// Setting a password by unicodePwd or userPassword: the decisions of MS-SAMR 3.1.1.7 in the order in which they were measured,
// and the record that the directory keeps of them.

import (
	"fmt"

	"passback/fakead/password"
)

// A PasswordFilter has a word on each new password, as the password filters of a domain controller do: false
// refuses it, as 0000052D. It runs while the directory is locked: it must not call the Server.
type PasswordFilter func(FilterRequest) bool

// A FilterRequest is what a password filter is asked.
type FilterRequest struct {
	Account  string // sAMAccountName
	FullName string // displayName
	Password string
	Set      bool // a reset, not a change
}

// Format keeps the password out of logs, whatever the verb.
func (r FilterRequest) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{%s %s [redacted] %t}", r.Account, r.FullName, r.Set)
}

// newPasswords are the decoded values of a modify.
type newPasswords struct {
	old, new string
}

// decode reads the passwords of the clauses, or answers what their form or their encoding deserves.
func (m *modification) decode() (newPasswords, result) {
	var p newPasswords
	refused := func() result { return svcErr(errorGenFailure, "031A1254") }
	values := m.clauses.resets
	switch m.clauses.form {
	case noPassword:
		return p, result{}
	case emptyForm, emptyAddForm, manyValuesForm, plainDeleteForm:
		return p, m.clauses.violation(errorDSConstraintViolation)
	case changeForm:
		refused = func() result { return m.clauses.violation(errorDSConstraintViolation) }
		if m.clauses.old.isEmpty() || m.clauses.new.isEmpty() {
			return p, m.server.emptyValue()
		}
		old, ok := m.clauses.old.decode()
		if !ok {
			return p, refused()
		}
		p.old, values = old, []written{m.clauses.new}
	case resetForm, deleteAllAndAddForm:
	default:
		return p, svcErr(errorDSUnwilling, "031A1254")
	}
	if !m.target.IsA("user") {
		return p, svcErr(errorDSIllegalModification, "031A11F6")
	}
	for _, v := range values {
		if v.isEmpty() {
			return p, m.server.emptyValue()
		}
		secret, ok := v.decode()
		if !ok {
			return p, refused()
		}
		p.new = secret // of several values the last one counts
	}
	return p, result{}
}

// emptyValue answers for a value of no bytes, which no attribute takes.
func (s *Server) emptyValue() result {
	return result{code: codeInvalidSyntax, text: s.text.unknownAttribute()}
}

// write judges and sets the password. A wrong old one is counted although the modify fails. A lockout does not stand
// in the way of a modify that ends it.
func (m *modification) write(p newPasswords, unlocks bool) result {
	if m.clauses.form == noPassword {
		return result{}
	}
	s, now := m.server, m.server.clock.Now()
	policy := m.policy
	changing := m.clauses.form == changeForm
	if changing {
		if m.account.Locked(policy, now) && !unlocks {
			return m.clauses.violation(errorAccountLockedOut)
		}
		if !m.account.Is(p.old) {
			m.account.CountWrong(policy, now)
			saveAccount(func(name string, values ...string) { s.tree.Set(m.target, name, values...) }, &m.before, m.account)
			return m.clauses.violation(errorInvalidPassword)
		}
	}
	m.rule = m.account.Judge(policy, now, p.new, password.Check{AgeAndHistory: changing || m.hints})
	if m.rule == password.Acceptable && !s.filtersAccept(m.account, p.new, !changing) {
		m.rule = password.Filter
	}
	switch {
	case m.rule == password.Acceptable:
	case changing:
		return m.clauses.violation(errorPasswordRestriction)
	default:
		return svcErr(errorPasswordRestriction, "031A126C")
	}
	m.account.Set(policy, now, p.new, !changing && !m.access.unexpires())
	return result{}
}

func (s *Server) filtersAccept(a *password.Account, secret string, set bool) bool {
	for _, accepts := range s.filters {
		if !accepts(FilterRequest{Account: a.Name, FullName: a.DisplayName, Password: secret, Set: set}) {
			return false
		}
	}
	return true
}

package fakead

// Setting a password by unicodePwd: the decisions of MS-SAMR 3.1.1.7 in the order in which they were measured,
// and the record that the directory keeps of them.

import (
	"crypto/rand"
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
	old string
	new []string
}

// decode reads the passwords of the clauses, or answers what their form or their encoding deserves.
func (m *modification) decode() (newPasswords, result) {
	var p newPasswords
	refused := svcErr(errorGenFailure, "031A1254")
	values := m.clauses.resets
	switch m.clauses.form {
	case noPassword:
		return p, result{}
	case emptyForm, emptyAddForm, manyValuesForm:
		return p, passwordAtrErr(errorDSConstraintViolation)
	case changeForm:
		refused = passwordAtrErr(errorDSConstraintViolation)
		old, ok := decodePassword(m.clauses.old)
		if !ok {
			return p, refused
		}
		p.old, values = old, [][]byte{m.clauses.new}
	case resetForm, deleteAllAndAddForm:
	default:
		return p, svcErr(errorDSUnwilling, "031A1254")
	}
	if !m.target.IsA("user") {
		return p, svcErr(errorDSIllegalModification, "031A11F6")
	}
	for _, v := range values {
		secret, ok := decodePassword(v)
		if !ok {
			return p, refused
		}
		p.new = append(p.new, secret)
	}
	return p, result{}
}

// write judges and sets the passwords. A wrong old one is counted although the modify fails.
func (m *modification) write(p newPasswords) result {
	s, now := m.server, m.server.clock.Now()
	policy := m.policy
	changing := m.clauses.form == changeForm
	refused := svcErr(errorPasswordRestriction, "031A126C")
	if changing {
		refused = passwordAtrErr(errorPasswordRestriction)
		if m.account.Locked(policy, now) {
			return passwordAtrErr(errorAccountLockedOut)
		}
		if !m.account.Is(p.old) {
			m.account.CountWrong(policy, now, p.old)
			saveAccount(func(name string, values ...string) { s.tree.Set(m.target, name, values...) }, &m.before, m.account)
			return passwordAtrErr(errorInvalidPassword)
		}
	}
	for _, secret := range p.new {
		m.rule = m.account.Judge(policy, now, secret, password.Check{AgeAndHistory: changing || m.hints})
		if m.rule == password.Acceptable && !s.filtersAccept(m.account, secret, !changing) {
			m.rule = password.Filter
		}
		if m.rule != password.Acceptable {
			return refused
		}
	}
	if n := len(p.new); n > 0 { // of several values the last one stays
		m.account.Set(policy, now, p.new[n-1], !changing && !m.access.unexpires())
	}
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

func passwordAtrErr(win32 uint32) result {
	return atrErr(codeConstraintViolation, win32, "03190F80", unicodePwdType, unicodePwd)
}

// randomise is what becomes of the password of an account that a smart card is required of.
func (m *modification) randomise() {
	m.account.Set(m.policy, m.server.clock.Now(), rand.Text(), false)
}

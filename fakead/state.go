package fakead

// What a test asks of the directory afterwards: the state of an account, and who wrote which password.

import (
	"fmt"
	"time"

	"passback/fakead/password"
)

// A UserState is an account as it was when it was asked for.
type UserState struct {
	DN, SAM, UPN    string
	GUID            [16]byte // objectGUID as the directory stores it
	Enabled         bool
	Locked          bool
	MustChange      bool // pwdLastSet is 0 and that means something
	PasswordExpired bool // or must be changed
	NeverExpires    bool
	CannotChange    bool
	Protected       bool      // adminCount is 1
	PasswordSet     time.Time // pwdLastSet; zero if that is 0
	BadPasswords    int       // badPwdCount
	Policy          Policy    // in effect for the account
	PolicyName      string    // DN of the password settings object that it comes from; empty: the domain's

	current []password.Stored
	values  map[string][]string
}

// PasswordIs tells whether this was the current password.
func (u UserState) PasswordIs(secret string) bool {
	return len(u.current) > 0 && u.current[0].Is(secret)
}

// Values returns what an attribute held, by its lDAPDisplayName; of a marker, for instance. nTSecurityDescriptor is
// read over LDAP.
func (u UserState) Values(attribute string) []string { return u.values[attribute] }

// User returns the state of an account, by sAMAccountName, userPrincipalName or DN.
func (s *Server) User(name string) (UserState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(name)
	if err != nil {
		return UserState{}, err
	}
	account, policy, now := loadAccount(e), s.policyFor(e), s.clock.Now()
	state := UserState{
		DN: e.DN().String(), SAM: account.Name, UPN: e.First("userPrincipalName"), GUID: e.GUID(),
		Enabled:         account.Control&password.AccountDisabled == 0,
		Locked:          account.Locked(policy, now),
		MustChange:      account.MustChange(),
		PasswordExpired: account.Expired(policy, now),
		NeverExpires:    account.Control&password.DontExpire != 0,
		CannotChange:    !s.mayChange(e),
		Protected:       e.First("adminCount") == "1",
		PasswordSet:     account.LastSet,
		BadPasswords:    account.BadCount,
		Policy:          policy,
		current:         account.Passwords[:min(1, len(account.Passwords))],
		values:          map[string][]string{},
	}
	if settings := s.resultantSettings(e); settings != nil {
		state.PolicyName = settings.Name
	}
	for attribute, values := range e.All() {
		if attribute.NeverReadable || attribute.Name == descriptorAttribute {
			continue
		}
		for _, v := range values {
			state.values[attribute.Name] = append(state.values[attribute.Name], string(v))
		}
	}
	return state, nil
}

// A PasswordWrite is one attempt to write a password over LDAP, as the directory recorded it.
type PasswordWrite struct {
	At     time.Time
	Caller string // DN
	Target string // DN
	Change bool   // with the old password; else a reset
	Code   int    // the LDAP result; 0: the password was written
	Rule   string // which rule refused it: "length", "history", ...; empty if none did
}

// String is for logs and failures of tests.
func (w PasswordWrite) String() string {
	kind := "reset"
	if w.Change {
		kind = "change"
	}
	return fmt.Sprintf("%s %s of %s by %s: %d %s", w.At.Format(time.RFC3339Nano), kind, w.Target, w.Caller, w.Code, w.Rule)
}

// maxPasswordWrites are kept in memory; the oldest make room.
const maxPasswordWrites = 100_000

// PasswordWrites returns the attempts so far, oldest first: the last 100000.
func (s *Server) PasswordWrites() []PasswordWrite {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes.all()
}

func (s *Server) recordPasswordWrite(m *modification, res result) {
	s.writes.add(PasswordWrite{
		At:     s.clock.Now(),
		Caller: m.caller.DN().String(),
		Target: m.target.DN().String(),
		Change: m.clauses.form == changeForm,
		Code:   res.code,
		Rule:   string(m.rule),
	})
}

package fakead

// The Go side of a domain controller, for tests: what takes an administrator and several LDAP operations is one
// call here. Nothing on this page is judged by the password policy or by anybody's rights.

import (
	"errors"
	"fmt"
	"time"

	"passback/fakead/tree"
)

// ErrNoSuchObject is wrapped by errors about an account that the directory does not have.
var ErrNoSuchObject = errors.New("no such object in the directory")

// find takes a sAMAccountName, a userPrincipalName or a DN.
func (s *Server) find(name string) (*tree.Entry, error) {
	if e := s.tree.BySAM(name); e != nil {
		return e, nil
	}
	if e := s.tree.ByUPN(name); e != nil {
		return e, nil
	}
	if e := s.byDN(name); e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("%s: %w", name, ErrNoSuchObject)
}

// SetPolicyHints offers the policy hints control, as a new server does, or makes it one that lacks it.
func (s *Server) SetPolicyHints(offered bool) {
	s.withoutPolicyHints.Store(!offered)
}

// SetPassword sets an account's password. set is when that happened; the zero time is now.
func (s *Server) SetPassword(name, secret string, set time.Time) error {
	s.mu.Lock()
	defer s.unlock()
	e, err := s.find(name)
	if err != nil {
		return fmt.Errorf("set a password: %w", err)
	}
	if set.IsZero() {
		set = s.clock.Now()
	}
	account := loadAccount(e)
	before := *account
	account.Set(s.policyFor(e), set, secret, false)
	saveAccount(s.setter(e), &before, account)
	return nil
}

// SetAttribute replaces the values of an attribute that is no link, whoever owns it.
func (s *Server) SetAttribute(name, attribute string, values ...string) error {
	s.mu.Lock()
	defer s.unlock()
	e, err := s.find(name)
	if err != nil {
		return fmt.Errorf("set %s: %w", attribute, err)
	}
	change := []tree.Change{{Op: tree.ReplaceValues, Value: tree.Strings(attribute, values...)}}
	if err := s.tree.Modify(e, change, tree.Rules{System: true}); err != nil {
		return fmt.Errorf("set %s of %s: %w", attribute, name, err)
	}
	return nil
}

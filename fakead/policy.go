package fakead

// The domain's password policy, where a domain controller keeps it: in attributes of the domain's head.

import (
	"strconv"

	"passback/fakead/password"
	"passback/fakead/tree"
)

// A Policy is a domain's rules for passwords and lockout.
type Policy = password.Policy

// DefaultPolicy is that of a new domain.
func DefaultPolicy() Policy { return password.DefaultPolicy() }

// Policy returns the domain's policy, whoever set it.
func (s *Server) Policy() Policy {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.policy()
}

// SetPolicy replaces the domain's policy.
func (s *Server) SetPolicy(p Policy) {
	s.mu.Lock()
	defer s.unlock()
	writePolicy(s.tree, s.head(), p)
}

func (s *Server) head() *tree.Entry { return s.tree.Find(s.tree.Base()) }

const domainPasswordComplex = 1 // of pwdProperties, MS-SAMR 2.2.1.11

func (s *Server) policy() Policy {
	head := s.head()
	number := func(name string) int64 {
		n, _ := head.Int(name)
		return n
	}
	return Policy{
		MinLength:        int(number("minPwdLength")),
		Complexity:       number("pwdProperties")&domainPasswordComplex != 0,
		History:          int(number("pwdHistoryLength")),
		MinAge:           fromLongSpan(number("minPwdAge")),
		MaxAge:           fromSpan(number("maxPwdAge")),
		LockoutThreshold: int(number("lockoutThreshold")),
		LockoutDuration:  fromSpan(number("lockoutDuration")),
		LockoutWindow:    fromLongSpan(number("lockOutObservationWindow")),
	}
}

// writePolicy keeps the bits of pwdProperties that are not complexity.
func writePolicy(t *tree.Tree, head *tree.Entry, p Policy) {
	properties, _ := head.Int("pwdProperties")
	properties &^= domainPasswordComplex
	if p.Complexity {
		properties |= domainPasswordComplex
	}
	for _, v := range []struct {
		name  string
		value int64
	}{
		{"minPwdLength", int64(p.MinLength)},
		{"pwdProperties", properties},
		{"pwdHistoryLength", int64(p.History)},
		{"minPwdAge", -int64(p.MinAge / 100)},
		{"maxPwdAge", span(p.MaxAge)},
		{"lockoutThreshold", int64(p.LockoutThreshold)},
		{"lockoutDuration", span(p.LockoutDuration)},
		{"lockOutObservationWindow", -int64(p.LockoutWindow / 100)},
	} {
		t.Set(head, v.name, strconv.FormatInt(v.value, 10))
	}
}

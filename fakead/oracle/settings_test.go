package oracle

// What holds for a whole domain: its policy, and dSHeuristics.

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// A policy is attributes of the domain's head, by the names that questions use.
type policy map[string]string

// basePolicy is in force unless a question says otherwise. It lets a password be changed at once.
func basePolicy() policy {
	return policy{"length": "7", "complexity": "1", "history": "3", "minage": "0s", "maxage": "1008h", "threshold": "0", "duration": "30m", "window": "30m"}
}

var policyAttributes = map[string]string{
	"length": "minPwdLength", "complexity": "pwdProperties", "history": "pwdHistoryLength", "minage": "minPwdAge", "maxage": "maxPwdAge",
	"threshold": "lockoutThreshold", "duration": "lockoutDuration", "window": "lockOutObservationWindow",
}

// setPolicy writes the differences to what was last written.
func (s *server) setPolicy(want policy) error {
	m := ldap.NewModifyRequest(s.base, nil)
	for name, value := range want {
		if s.policy[name] == value {
			continue
		}
		stored, err := policyValue(value)
		if err != nil || policyAttributes[name] == "" {
			return fmt.Errorf("policy %s=%s: no such setting", name, value)
		}
		m.Replace(policyAttributes[name], []string{stored})
	}
	if len(m.Changes) == 0 {
		return nil
	}
	if err := s.admin.Modify(m); err != nil {
		return fmt.Errorf("set the policy: %w", err)
	}
	s.policy = maps.Clone(want)
	return nil
}

// policyValue turns a time into a negative number of 100 ns; "forever" is the least of all.
func policyValue(value string) (string, error) {
	if value == "forever" {
		return "-9223372036854775808", nil
	}
	if _, err := strconv.Atoi(value); err == nil {
		return value, nil
	}
	d, err := time.ParseDuration(value)
	return strconv.FormatInt(-int64(d/100), 10), err
}

func (s *server) setHeuristics(value string) error {
	if s.policy != nil && s.heuristics == value {
		return nil
	}
	m := ldap.NewModifyRequest("CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,"+s.base, nil)
	values := []string{value}
	if value == "" {
		values = nil
	}
	m.Replace("dSHeuristics", values)
	if err := s.admin.Modify(m); err != nil {
		return fmt.Errorf("set dSHeuristics: %w", err)
	}
	s.heuristics = value
	return nil
}

// overridden is a copy with settings such as length=8.
func (p policy) overridden(args []token) (policy, error) {
	p = maps.Clone(p)
	for _, a := range args {
		name, value, ok := strings.Cut(a.text, "=")
		if !ok || p[name] == "" {
			return nil, fmt.Errorf("policy has no setting %q", a.text)
		}
		p[name] = value
	}
	return p, nil
}

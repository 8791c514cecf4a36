package fakead

// Fine-grained password policies: objects of class msDS-PasswordSettings in CN=Password Settings Container, and
// msDS-ResultantPSO, which says whose is in effect (MS-ADTS 3.1.1.4.5.36, MS-SAMR 3.1.1.5).

import (
	"fmt"
	"strconv"
	"strings"

	"passback/fakead/password"
	"passback/fakead/tree"
)

// A PSO is a fine-grained policy to add. For the accounts that it applies to it replaces the domain's policy as a
// whole, lockout included. Name and Precedence are required; the zero Policy asks for nothing.
type PSO struct {
	Name       string // CN
	Precedence int    // 1 or more; of several that apply the smallest wins, but one that names a user beats all of groups
	Policy     Policy
	Reversible bool     // msDS-PasswordReversibleEncryptionEnabled, which is shown and changes nothing
	AppliesTo  []string // users and global security groups, by sAMAccountName or DN; the latter may name anything
}

// AddPSO adds a fine-grained policy. Values that contradict each other are refused as a domain controller does:
// a lockout window longer than the lockout, a minimum age above the maximum age.
func (s *Server) AddPSO(p PSO) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	values := []tree.Value{
		tree.Strings("objectClass", "msDS-PasswordSettings"),
		tree.Strings("msDS-PasswordSettingsPrecedence", strconv.Itoa(p.Precedence)),
		tree.Strings("msDS-PasswordReversibleEncryptionEnabled", boolean(p.Reversible)),
		tree.Strings("msDS-PasswordComplexityEnabled", boolean(p.Policy.Complexity)),
		tree.Strings("msDS-PasswordHistoryLength", strconv.Itoa(p.Policy.History)),
		tree.Strings("msDS-MinimumPasswordLength", strconv.Itoa(p.Policy.MinLength)),
		tree.Strings("msDS-MinimumPasswordAge", strconv.FormatInt(-int64(p.Policy.MinAge/100), 10)),
		tree.Strings("msDS-MaximumPasswordAge", strconv.FormatInt(span(p.Policy.MaxAge), 10)),
		tree.Strings("msDS-LockoutThreshold", strconv.Itoa(p.Policy.LockoutThreshold)),
		tree.Strings("msDS-LockoutObservationWindow", strconv.FormatInt(-int64(p.Policy.LockoutWindow/100), 10)),
		tree.Strings("msDS-LockoutDuration", strconv.FormatInt(span(p.Policy.LockoutDuration), 10)),
	}
	for _, name := range p.AppliesTo {
		target, err := s.find(name)
		if err != nil {
			return fmt.Errorf("add password settings object %s: %w", p.Name, err)
		}
		values = append(values, tree.Strings("msDS-PSOAppliesTo", target.DN().String()))
	}
	container := s.settingsContainer()
	if container == nil {
		return fmt.Errorf("add password settings object %s: its container: %w", p.Name, ErrNoSuchObject)
	}
	if _, err := s.tree.Add(container.DN().Child("CN", p.Name), values, tree.Rules{}); err != nil {
		return fmt.Errorf("add password settings object %s: %w", p.Name, err)
	}
	return nil
}

func boolean(b bool) string { return strings.ToUpper(strconv.FormatBool(b)) }

// settingsContainer is where password settings objects count; elsewhere they are without effect. Nil if an
// administrator made away with it.
func (s *Server) settingsContainer() *tree.Entry { return s.tree.ByGUID(s.settings) }

// policyFor is the policy in effect for an account.
func (s *Server) policyFor(e *tree.Entry) Policy {
	if settings := s.resultantSettings(e); settings != nil {
		return settings.Policy
	}
	return s.policy()
}

// resultantSettings is the password settings object in effect for an account; nil: the domain's policy is.
func (s *Server) resultantSettings(e *tree.Entry) *password.Settings {
	if container := s.settingsContainer(); container == nil || !container.HasChildren() || !s.hasSettings(e) {
		return nil
	}
	own := s.settingsLinkedTo(e)
	var ofGroups []password.Settings
	if len(own) == 0 {
		for _, group := range s.accountGroups(e) {
			ofGroups = append(ofGroups, s.settingsLinkedTo(group)...)
		}
	}
	return password.Resultant(own, ofGroups)
}

const ridKrbtgt = 502

// checksKrbtgt are the systems that keep krbtgt out of fine-grained policies; the older ones do not.
var checksKrbtgt = map[string]bool{"2019": true, "2022": true, "2025": true}

// hasSettings tells whether an account is of a kind that fine-grained policies apply to.
func (s *Server) hasSettings(e *tree.Entry) bool {
	control, _ := e.Int("userAccountControl")
	_, rid := e.SID().RID()
	switch {
	case !e.IsA("user"), control&password.NormalAccount == 0, len(e.Get("msDS-SecondaryKrbTgtNumber")) > 0:
		return false
	case rid == ridKrbtgt:
		return !checksKrbtgt[s.os]
	default:
		return true
	}
}

func (s *Server) settingsLinkedTo(e *tree.Entry) []password.Settings {
	var all []password.Settings
	for _, pso := range e.Linked("msDS-PSOApplied") {
		if pso.Parent() == s.settingsContainer() && pso.IsA("msDS-PasswordSettings") {
			all = append(all, settingsOf(pso))
		}
	}
	return all
}

func settingsOf(pso *tree.Entry) password.Settings {
	number := func(name string) int64 {
		n, _ := pso.Int(name)
		return n
	}
	return password.Settings{
		Name:       pso.DN().String(),
		Precedence: int(number("msDS-PasswordSettingsPrecedence")),
		ID:         pso.GUID(),
		Policy: Policy{
			MinLength:        int(number("msDS-MinimumPasswordLength")),
			Complexity:       pso.First("msDS-PasswordComplexityEnabled") == "TRUE",
			History:          int(number("msDS-PasswordHistoryLength")),
			MinAge:           fromLongSpan(number("msDS-MinimumPasswordAge")),
			MaxAge:           fromSpan(number("msDS-MaximumPasswordAge")),
			LockoutThreshold: int(number("msDS-LockoutThreshold")),
			LockoutDuration:  fromSpan(number("msDS-LockoutDuration")),
			LockoutWindow:    fromLongSpan(number("msDS-LockoutObservationWindow")),
		},
	}
}

// globalScope is of groupType: an account group, as MS-ADTS calls it.
const globalScope = 0x2

// accountGroups are the global security groups that an account is in, directly, by its primaryGroupID, or by
// other such groups (MS-DRSR 4.1.8.3, RevMembGetAccountGroups). Builtin, universal and domain local ones are not.
func (s *Server) accountGroups(e *tree.Entry) []*tree.Entry {
	var groups []*tree.Entry
	seen := map[*tree.Entry]bool{nil: true}
	open := append([]*tree.Entry{s.tree.PrimaryGroup(e)}, e.Linked("memberOf")...)
	for len(open) > 0 {
		group := open[0]
		open = open[1:]
		if seen[group] {
			continue
		}
		seen[group] = true
		if kind, _ := group.Int("groupType"); kind&globalScope != 0 && kind&securityGroup != 0 {
			groups = append(groups, group)
			open = append(open, group.Linked("memberOf")...)
		}
	}
	return groups
}

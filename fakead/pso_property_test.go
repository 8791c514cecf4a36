package fakead_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"pgregory.net/rapid"

	"passback/fakead"
)

// A policyModel says which policy is in effect, from its own tables: who is in which group, by rounds over all
// memberships until nothing is new, and which policies name whom. It shares nothing with the server.
type policyModel struct {
	global     map[string]bool            // is the group a global security group?
	members    map[string]map[string]bool // of a group: accounts and groups, by name
	primary    map[string]string          // of a user
	precedence map[string]int             // of a policy
	guid       map[string]string
	names      map[string]map[string]bool // whom a policy names
}

func (m *policyModel) inEffect(user string) string {
	var candidates []string
	for policy, names := range m.names {
		if names[user] {
			candidates = append(candidates, policy)
		}
	}
	if len(candidates) == 0 {
		in := m.groupsOf(user)
		for policy, names := range m.names {
			for group := range in {
				if names[group] {
					candidates = append(candidates, policy)
					break
				}
			}
		}
	}
	best := ""
	for _, c := range candidates {
		if best == "" || m.precedence[c] < m.precedence[best] || m.precedence[c] == m.precedence[best] && m.guid[c] < m.guid[best] {
			best = c
		}
	}
	return best
}

// groupsOf grows the set of global security groups until a round adds none.
func (m *policyModel) groupsOf(user string) map[string]bool {
	in := map[string]bool{}
	for grown := true; grown; {
		grown = false
		for group, members := range m.members {
			if in[group] || !m.global[group] {
				continue
			}
			if members[user] || m.primary[user] == group {
				in[group], grown = true, true
			}
			for already := range in {
				if members[already] && !in[group] {
					in[group], grown = true, true
				}
			}
		}
	}
	return in
}

var (
	modelUsers    = []string{"alice", "bob"}
	modelGroups   = []string{"g1", "g2", "g3", "universal", "local", "mail", "Domain Users"}
	modelPolicies = []string{"p1", "p2", "p3", "p4"}
	groupTypes    = map[string]string{"universal": "-2147483640", "local": "-2147483644", "mail": "2"}
)

// A policyLab drives a domain controller and the model alike.
type policyLab struct {
	*policyModel
	admin *ldap.Conn
	dns   map[string]string
}

func newPolicyLab(t *testing.T, dc *fakead.Server) *policyLab {
	t.Helper()
	l := &policyLab{
		policyModel: &policyModel{
			global: map[string]bool{}, members: map[string]map[string]bool{}, primary: map[string]string{},
			precedence: map[string]int{}, guid: map[string]string{}, names: map[string]map[string]bool{},
		},
		admin: asAdministrator(t, dc), dns: map[string]string{},
	}
	for _, user := range modelUsers {
		seed(t, dc, fakead.User{SAM: user})
		l.dns[user], l.primary[user] = dnOf(t, dc, user), "Domain Users"
	}
	for _, group := range modelGroups {
		l.dns[group], l.members[group], l.global[group] = "CN="+group+",CN=Users,"+base, map[string]bool{}, groupTypes[group] == ""
		if group == "Domain Users" {
			continue
		}
		add := ldap.NewAddRequest(l.dns[group], nil)
		add.Attribute("objectClass", []string{"group"})
		add.Attribute("sAMAccountName", []string{group})
		if kind := groupTypes[group]; kind != "" {
			add.Attribute("groupType", []string{kind})
		}
		expect(t, "add "+group, l.admin.Add(add), 0, "")
	}
	for _, policy := range modelPolicies {
		l.precedence[policy] = 2
		addPSO(t, dc, fakead.PSO{Name: policy, Precedence: l.precedence[policy]})
		l.dns[policy], l.names[policy] = "CN="+policy+","+settingsContainer, map[string]bool{}
		l.guid[policy] = string(read(t, l.admin, l.dns[policy]).GetRawAttributeValue("objectGUID"))
	}
	return l
}

// again is a lab as new ones are, on the same domain.
func (l *policyLab) again() *policyLab {
	twin := *l
	twin.policyModel = &policyModel{
		global: l.global, guid: l.guid, primary: maps.Clone(l.primary), precedence: maps.Clone(l.precedence),
		members: map[string]map[string]bool{}, names: map[string]map[string]bool{},
	}
	for _, group := range modelGroups {
		twin.members[group] = map[string]bool{}
	}
	for _, policy := range modelPolicies {
		twin.names[policy] = map[string]bool{}
	}
	return &twin
}

// toggle adds a value of a link that is not there, or deletes it if it is.
func (l *policyLab) toggle(r *rapid.T, sets map[string]map[string]bool, attribute, holder, value string) {
	m := ldap.NewModifyRequest(l.dns[holder], nil)
	if sets[holder][value] {
		m.Delete(attribute, []string{l.dns[value]})
	} else {
		m.Add(attribute, []string{l.dns[value]})
	}
	if err := l.admin.Modify(m); err != nil {
		r.Fatalf("%s of %s, %s: %v", attribute, holder, value, err)
	}
	if sets[holder][value] {
		delete(sets[holder], value)
	} else {
		sets[holder][value] = true
	}
}

// Whatever is linked, nested, retargeted or reordered: the server and the model name the same policy.
func TestTheModelNamesTheSamePolicy(t *testing.T) {
	dc := fakead.RunT(t)
	first := newPolicyLab(t, dc)
	snapshot := dc.Snapshot()
	rapid.Check(t, func(r *rapid.T) {
		if err := dc.Restore(snapshot); err != nil {
			t.Fatal(err)
		}
		l := first.again()
		pick := func(what string, from ...[]string) string {
			var all []string
			for _, list := range from {
				all = append(all, list...)
			}
			return rapid.SampledFrom(all).Draw(r, what)
		}
		r.Repeat(map[string]func(*rapid.T){
			"apply": func(r *rapid.T) {
				l.toggle(r, l.names, "msDS-PSOAppliesTo", pick("policy", modelPolicies), pick("target", modelUsers, modelGroups))
			},
			"join": func(r *rapid.T) {
				group, member := pick("group", modelGroups), pick("member", modelUsers, modelGroups)
				if group == member || l.primary[member] == group {
					r.Skip("its own member")
				}
				l.toggle(r, l.members, "member", group, member)
			},
			"switch primary group": func(r *rapid.T) {
				user, group := pick("user", modelUsers), pick("group", modelGroups)
				if !l.members[group][user] {
					r.Skip("not a member")
				}
				token := read(t, l.admin, l.dns[group], "primaryGroupToken").GetAttributeValue("primaryGroupToken")
				l.replace(r, user, "primaryGroupID", token)
				l.members[l.primary[user]][user] = true
				delete(l.members[group], user)
				l.primary[user] = group
			},
			"reorder": func(r *rapid.T) {
				policy := pick("policy", modelPolicies)
				l.precedence[policy] = rapid.IntRange(1, 3).Draw(r, "precedence")
				l.replace(r, policy, "msDS-PasswordSettingsPrecedence", fmt.Sprint(l.precedence[policy]))
			},
			"": func(r *rapid.T) {
				for _, user := range modelUsers {
					want := l.inEffect(user)
					got := read(t, l.admin, l.dns[user], "msDS-ResultantPSO").GetAttributeValue("msDS-ResultantPSO")
					if strings.TrimPrefix(strings.TrimSuffix(got, ","+settingsContainer), "CN=") != want {
						r.Fatalf("%s has %q, the model says %q", user, got, want)
					}
				}
			},
		})
	})
}

func (l *policyLab) replace(r *rapid.T, name, attribute, value string) {
	m := ldap.NewModifyRequest(l.dns[name], nil)
	m.Replace(attribute, []string{value})
	if err := l.admin.Modify(m); err != nil {
		r.Fatalf("%s of %s: %v", attribute, name, err)
	}
}

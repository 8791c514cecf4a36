package fakead

// The accounts of a new domain, by their well-known relative identifiers (MS-ADTS 6.1.1.6, MS-DTYP 2.4.2.4).

import (
	"fmt"

	"passback/fakead/tree"
)

// groupType values (MS-ADTS 2.2.12).
const (
	builtinGroup     = "-2147483643"
	domainLocalGroup = "-2147483644"
	globalGroup      = "-2147483646"
	universalGroup   = "-2147483640"
)

const (
	protected = "1" // adminCount of the members of AdminSDHolder's groups, and of those groups
	ordinary  = ""
)

// newGroups are the groups of CN=Builtin and CN=Users. A builtin group is relative to S-1-5-32.
var newGroups = []struct {
	name       string
	rid        uint32
	groupType  string
	adminCount string
}{
	{"Administrators", 544, builtinGroup, protected},
	{"Users", 545, builtinGroup, ordinary},
	{"Guests", 546, builtinGroup, ordinary},
	{"Account Operators", 548, builtinGroup, protected},
	{"Server Operators", 549, builtinGroup, protected},
	{"Print Operators", 550, builtinGroup, protected},
	{"Backup Operators", 551, builtinGroup, protected},
	{"Replicator", 552, builtinGroup, protected},
	{"Pre-Windows 2000 Compatible Access", 554, builtinGroup, ordinary},
	{"Remote Desktop Users", 555, builtinGroup, ordinary},
	{"Network Configuration Operators", 556, builtinGroup, ordinary},
	{"Incoming Forest Trust Builders", 557, builtinGroup, ordinary},
	{"Performance Monitor Users", 558, builtinGroup, ordinary},
	{"Performance Log Users", 559, builtinGroup, ordinary},
	{"Windows Authorization Access Group", 560, builtinGroup, ordinary},
	{"Terminal Server License Servers", 561, builtinGroup, ordinary},
	{"Distributed COM Users", 562, builtinGroup, ordinary},
	{"IIS_IUSRS", 568, builtinGroup, ordinary},
	{"Cryptographic Operators", 569, builtinGroup, ordinary},
	{"Event Log Readers", 573, builtinGroup, ordinary},
	{"Certificate Service DCOM Access", 574, builtinGroup, ordinary},
	{"RDS Remote Access Servers", 575, builtinGroup, ordinary},
	{"RDS Endpoint Servers", 576, builtinGroup, ordinary},
	{"RDS Management Servers", 577, builtinGroup, ordinary},
	{"Hyper-V Administrators", 578, builtinGroup, ordinary},
	{"Access Control Assistance Operators", 579, builtinGroup, ordinary},
	{"Remote Management Users", 580, builtinGroup, ordinary},

	{"Enterprise Read-only Domain Controllers", 498, universalGroup, ordinary},
	{"Domain Admins", 512, globalGroup, protected},
	{"Domain Users", 513, globalGroup, ordinary},
	{"Domain Guests", 514, globalGroup, ordinary},
	{"Domain Computers", 515, globalGroup, ordinary},
	{"Domain Controllers", 516, globalGroup, protected},
	{"Cert Publishers", 517, domainLocalGroup, ordinary},
	{"Schema Admins", 518, universalGroup, protected},
	{"Enterprise Admins", 519, universalGroup, protected},
	{"Group Policy Creator Owners", 520, globalGroup, ordinary},
	{"Read-only Domain Controllers", 521, globalGroup, protected},
	{"Cloneable Domain Controllers", 522, globalGroup, ordinary},
	{"Protected Users", 525, globalGroup, ordinary},
	{"RAS and IAS Servers", 553, domainLocalGroup, ordinary},
	{"Allowed RODC Password Replication Group", 571, domainLocalGroup, ordinary},
	{"Denied RODC Password Replication Group", 572, domainLocalGroup, ordinary},
}

// newUsers are the users of CN=Users. Administrator's password never expires, as on a DC set up by hand.
var newUsers = []struct {
	name, control, primaryGroup, adminCount, description string
	rid                                                  uint32
}{
	{"Administrator", "66048", "513", protected, "Built-in account for administering the computer/domain", 500},
	{"Guest", "66082", "514", ordinary, "Built-in account for guest access to the computer/domain", 501},
	{"krbtgt", "514", "513", protected, "Key Distribution Center Service Account", 502},
}

// newMembers are the memberships: a group and a member, each by its sAMAccountName; S-1-... is a foreign principal.
var newMembers = [][2]string{
	{"Administrators", "Administrator"}, {"Administrators", "Domain Admins"}, {"Administrators", "Enterprise Admins"},
	{"Users", "Domain Users"}, {"Users", "S-1-5-4"}, {"Users", "S-1-5-11"},
	{"Guests", "Domain Guests"}, {"Guests", "Guest"},
	{"Pre-Windows 2000 Compatible Access", "S-1-5-11"}, {"Windows Authorization Access Group", "S-1-5-9"}, {"IIS_IUSRS", "S-1-5-17"},
	{"Domain Admins", "Administrator"}, {"Schema Admins", "Administrator"}, {"Enterprise Admins", "Administrator"},
	{"Group Policy Creator Owners", "Administrator"},
	{"Denied RODC Password Replication Group", "krbtgt"}, {"Denied RODC Password Replication Group", "Domain Controllers"},
	{"Denied RODC Password Replication Group", "Schema Admins"}, {"Denied RODC Password Replication Group", "Enterprise Admins"},
	{"Denied RODC Password Replication Group", "Cert Publishers"}, {"Denied RODC Password Replication Group", "Domain Admins"},
	{"Denied RODC Password Replication Group", "Group Policy Creator Owners"},
	{"Denied RODC Password Replication Group", "Read-only Domain Controllers"},
}

func (s *Server) createAccounts() error {
	base := s.tree.Base()
	users := base.Child("CN", "Users")
	critical := tree.Strings("isCriticalSystemObject", "TRUE")
	for _, g := range newGroups {
		container, domain, flags := users, s.tree.DomainSID(), tree.Value{Name: "systemFlags"}
		if g.groupType == builtinGroup {
			container, domain, flags = base.Child("CN", "Builtin"), tree.MustParseSID("S-1-5-32"), tree.Strings("systemFlags", "-1946157056")
		}
		err := s.create(container.Child("CN", g.name), "group", critical, flags, tree.Strings("groupType", g.groupType),
			tree.Strings("sAMAccountName", g.name), tree.Strings("objectSid", domain.WithRID(g.rid).String()), optional("adminCount", g.adminCount))
		if err != nil {
			return err
		}
	}
	for _, u := range newUsers {
		err := s.create(users.Child("CN", u.name), "user", critical, tree.Strings("userAccountControl", u.control),
			tree.Strings("sAMAccountName", u.name), tree.Strings("objectSid", s.tree.DomainSID().WithRID(u.rid).String()),
			tree.Strings("primaryGroupID", u.primaryGroup), tree.Strings("description", u.description), optional("adminCount", u.adminCount))
		if err != nil {
			return err
		}
	}
	if err := s.createComputer(s); err != nil {
		return err
	}
	return s.createMemberships()
}

func (s *Server) createMemberships() error {
	for _, m := range newMembers {
		group, member := s.tree.BySAM(m[0]), s.tree.BySAM(m[1])
		if sid, err := tree.ParseSID(m[1]); err == nil {
			if member, err = s.foreignPrincipal(sid); err != nil {
				return err
			}
		}
		change := tree.Change{Op: tree.AddValues, Value: tree.Strings("member", member.DN().String())}
		if err := s.tree.Modify(group, []tree.Change{change}, tree.Rules{System: true}); err != nil {
			return fmt.Errorf("%s in %s: %w", m[1], m[0], err)
		}
	}
	return nil
}

// foreignPrincipal finds or makes the entry that stands for an account outside of the domain.
func (s *Server) foreignPrincipal(sid tree.SID) (*tree.Entry, error) {
	if e := s.tree.BySID(sid); e != nil {
		return e, nil
	}
	dn := s.tree.Base().Child("CN", "ForeignSecurityPrincipals").Child("CN", sid.String())
	err := s.create(dn, "foreignSecurityPrincipal", tree.Strings("objectSid", sid.String()), tree.Strings("showInAdvancedViewOnly", "TRUE"))
	return s.tree.BySID(sid), err
}

// create makes an entry of the directory's own.
func (s *Server) create(dn tree.DN, class string, values ...tree.Value) error {
	if _, err := s.tree.Add(dn, append(values, tree.Strings("objectClass", class)), tree.Rules{System: true}); err != nil {
		return fmt.Errorf("%s: %w", dn, err)
	}
	return nil
}

// optional is an attribute that is left out if it has no value.
func optional(name, value string) tree.Value {
	if value == "" {
		return tree.Value{Name: name}
	}
	return tree.Strings(name, value)
}

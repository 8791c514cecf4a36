package tree

// What the SAM adds to entries that are accounts, as far as names, types and groups go (MS-SAMR 3.1.1.8).
// What follows from passwords and userAccountControl is not the tree's.

import (
	"math/bits"
	"strconv"
	"strings"
)

// Values of sAMAccountType (MS-SAMR 2.2.1.9) that depend on groupType and userAccountControl.
const (
	typeGlobalGroup       = 0x10000000
	typeDistributionGroup = 0x10000001
	typeLocalGroup        = 0x20000000
	typeLocalDistribution = 0x20000001
	typeUser              = 0x30000000
	typeComputer          = 0x30000001
	typeTrust             = 0x30000002
)

// Bits of userAccountControl and groupType that decide on sAMAccountType.
const (
	uacInterdomainTrust = 0x0800
	uacWorkstation      = 0x1000
	uacServer           = 0x2000
	uacPartialSecrets   = 0x4000000 // a read-only domain controller
	groupBuiltin        = 0x1
	groupGlobal         = 0x2
	groupResource       = 0x4 // domain local
	groupUniversal      = 0x8
	groupSecurity       = 0x80000000
)

// ownedInGroups are the attributes of a group that only the SAM writes (MS-ADTS 3.1.1.5.3.2). Those of other accounts are
// marked in the schema.
var ownedInGroups = map[string]bool{
	"isCriticalSystemObject": true, "memberOf": true, "objectSid": true, "rid": true, "sAMAccountType": true, "userPassword": true,
}

// ofSAMObjects are attributes that nobody writes to what is no object of the SAM's (the same).
var ofSAMObjects = map[string]bool{
	"isCriticalSystemObject": true, "lmPwdHistory": true, "ntPwdHistory": true, "objectSid": true, "sAMAccountName": true, "sAMAccountType": true,
	"supplementalCredentials": true, "unicodePwd": true,
}

func (e *Entry) ownedBySAM(a *Attribute) bool {
	switch {
	case e.IsA("group"):
		return ownedInGroups[a.Name]
	case e.isAccount():
		return a.OwnedBySAM || a.NeverReadable
	default:
		return false
	}
}

// isOfSAM tells whether an entry is of a class of the SAM's (MS-ADTS 3.1.1.5.2.3).
func (e *Entry) isOfSAM() bool {
	return e.isAccount() || e.IsA("domainDNS") || e.IsA("builtinDomain") || e.IsA("samServer")
}

func (e *Entry) isAccount() bool {
	return e.IsA("securityPrincipal") || e.IsA("user") || e.IsA("group")
}

// derive takes what follows from other changes into the plan.
func (p *Plan) derive() {
	for _, source := range []string{"userAccountControl", "groupType"} {
		if !p.Changes(source) {
			continue
		}
		if n, err := strconv.ParseInt(p.First(source), 10, 64); err == nil {
			p.Set("sAMAccountType", formatInt(accountType(source, n)))
		}
	}
	switch {
	case p.adds: // a new account has left no group
	case p.Changes("primaryGroupID"):
		p.movePrimaryGroup()
	case p.Changes("userAccountControl"):
		p.followKind()
	}
	if p.Changes("userAccountControl") {
		p.followCritical()
	}
	p.followHostName()
}

// followCritical: domain controllers are critical, other computers are not, and what becomes a user stays what it was.
func (p *Plan) followCritical() {
	n, _ := parseInteger(p.First("userAccountControl"), 32)
	switch {
	case n&(uacServer|uacPartialSecrets) != 0:
		p.Set("isCriticalSystemObject", "TRUE")
	case n&uacWorkstation != 0:
		p.Set("isCriticalSystemObject", "FALSE")
	}
}

// followKind gives an account of another kind that kind's primary group, if it had its own kind's. It becomes an
// explicit member of neither.
func (p *Plan) followKind() {
	before, after := defaultPrimaryGroup(p.entry.First("userAccountControl")), defaultPrimaryGroup(p.First("userAccountControl"))
	if before != after && p.entry.First("primaryGroupID") == before {
		p.Set("primaryGroupID", after)
		p.followsKind = true
	}
}

func accountType(source string, flags int64) int64 {
	if source == "groupType" {
		security := flags&groupSecurity != 0
		switch {
		case flags&groupResource != 0 && security:
			return typeLocalGroup
		case flags&groupResource != 0:
			return typeLocalDistribution
		case security:
			return typeGlobalGroup
		default:
			return typeDistributionGroup
		}
	}
	switch {
	case flags&(uacWorkstation|uacServer) != 0:
		return typeComputer
	case flags&uacInterdomainTrust != 0:
		return typeTrust
	default:
		return typeUser
	}
}

// primaryGroup finds the group that a primaryGroupID names.
func (t *Tree) primaryGroup(id string) *Entry {
	rid, err := strconv.ParseUint(id, 10, 32)
	if err != nil {
		return nil
	}
	return t.BySID(t.sid.WithRID(uint32(rid)))
}

// PrimaryGroup is the group that e's primaryGroupID names, or nil.
func (t *Tree) PrimaryGroup(e *Entry) *Entry { return t.primaryGroup(e.First("primaryGroupID")) }

func (p *Plan) isPrimaryGroupOf(member *Entry) bool { return p.tree.PrimaryGroup(member) == p.entry }

// movePrimaryGroup makes the old primary group an ordinary one, of which the account is an explicit member, and
// ends its explicit membership in the new one. judge has the last word on whether that may be.
func (p *Plan) movePrimaryGroup() {
	t, e, member := p.tree, p.entry, mustAttribute("member")
	old := t.PrimaryGroup(e)
	p.after = append(p.after, func() {
		if old != nil {
			t.touch(old)
			t.relink(old, member, append(without(old.links[member], e), e))
		}
		if now := t.PrimaryGroup(e); now != nil {
			t.touch(now)
			t.relink(now, member, without(now.links[member], e))
		}
	})
}

// judgeGroupType: a global group becomes a domain local one only by way of a universal one, and nobody makes a
// group builtin.
func (p *Plan) judgeGroupType() error {
	before, ok := p.entry.Int("groupType")
	after, err := strconv.ParseInt(p.First("groupType"), 10, 64)
	if !ok || err != nil || !p.Changes("groupType") {
		return nil
	}
	if after&groupBuiltin != 0 && before&groupBuiltin == 0 || !isOneScope(after) || before&groupGlobal != 0 && after&groupResource != 0 || before&groupResource != 0 && after&groupGlobal != 0 {
		return errGroupType.about(mustAttribute("groupType"))
	}
	return nil
}

// judgeNewGroupType: a new group has one scope, and is not builtin.
func (p *Plan) judgeNewGroupType() error {
	if n, err := strconv.ParseInt(p.First("groupType"), 10, 64); err == nil && (n&groupBuiltin != 0 || !isOneScope(n)) {
		return errUnwilling.about(mustAttribute("groupType"))
	}
	return nil
}

func isOneScope(groupType int64) bool {
	return bits.OnesCount64(uint64(groupType&(groupGlobal|groupResource|groupUniversal))) == 1
}

// judgeNewPrimaryGroup: a new account is a member of no group but its kind's.
func (p *Plan) judgeNewPrimaryGroup() error {
	if given := p.First("primaryGroupID"); given != "" && given != defaultPrimaryGroup(p.First("userAccountControl")) {
		return errUnwilling.about(mustAttribute("primaryGroupID"))
	}
	return nil
}

// judgeKind: only a computer is a domain controller.
func (p *Plan) judgeKind() error {
	if n, _ := parseInteger(p.First("userAccountControl"), 32); n&uacServer != 0 && !p.entry.IsA("computer") {
		return errKindOfAccount.about(mustAttribute("userAccountControl"))
	}
	return nil
}

// judgeRoleOwner: a role is held by a domain controller's nTDSDSA object (MS-ADTS 3.1.1.5.3.2).
func (p *Plan) judgeRoleOwner() error {
	a := mustAttribute("fSMORoleOwner")
	for _, owner := range p.changed[a].values {
		if e, err := p.tree.Resolve(string(owner)); err != nil || !e.IsA("nTDSDSA") {
			return errUnwilling.about(a)
		}
	}
	return nil
}

// neverEmptied are attributes that an account always has (MS-SAMR 3.1.1.8), and the refusals to take them away.
var neverEmptied = map[string]Error{
	"nTSecurityDescriptor": errIllegalChange, "sAMAccountName": errIllegalChange, "groupType": errIllegalChange, "primaryGroupID": errIllegalChange,
	"userAccountControl": errIllegalChange, "accountExpires": errUnwilling, "codePage": errUnwilling, "countryCode": errUnwilling,
}

// judgeEmptied judges an attribute that the plan leaves without values.
func (p *Plan) judgeEmptied(a *Attribute) error {
	refusal, kept := neverEmptied[a.Name]
	switch {
	case !p.moves(a):
		return nil
	case kept && p.entry.isAccount():
		return refusal.about(a)
	case p.requires(a):
		return errMissingAttribute.about(a)
	default:
		return nil
	}
}

// judge looks at the entry as it will be.
func (p *Plan) judge() error {
	for a, now := range p.changed {
		if len(now.values)+len(now.links) > 0 {
			continue
		}
		if err := p.judgeEmptied(a); err != nil {
			return err
		}
	}
	for _, judge := range []func() error{p.judgeGroupType, p.judgeRoleOwner, p.judgeKind, p.judgeSettings, p.judgeHeuristics} {
		if err := judge(); err != nil {
			return err
		}
	}
	if p.Changes("primaryGroupID") && !p.followsKind {
		if group := p.tree.primaryGroup(p.First("primaryGroupID")); group == nil || !contains(p.entry.Linked("memberOf"), group) {
			return errNotAMemberOf.about(mustAttribute("primaryGroupID"))
		}
	}
	for _, name := range uniqueNames {
		if a := mustAttribute(name); p.moves(a) {
			if err := p.tree.judgeUnique(p.entry, a, p.changed[a].values); err != nil {
				return err
			}
		}
	}
	return nil
}

// uniqueNames are held by one entry only (MS-ADTS 3.1.1.5.2.2, MS-SAMR 3.1.1.8.4).
var uniqueNames = []string{"sAMAccountName", "userPrincipalName", "servicePrincipalName"}

func (t *Tree) judgeUnique(e *Entry, a *Attribute, values [][]byte) error {
	for _, v := range values {
		if a.Name == "sAMAccountName" && !validSAMName(string(v)) {
			return errAccountName.about(a)
		}
		for _, other := range t.equal(a, v) {
			if other == e {
				continue
			}
			switch a.Name {
			case "sAMAccountName":
				return errAccountExists.about(a)
			case "userPrincipalName":
				return errUPNNotUnique.about(a)
			default:
				return errSPNNotUnique.about(a)
			}
		}
	}
	return nil
}

// validSAMName refuses what MS-SAMR 3.1.1.6 refuses: some characters, and names of dots and spaces alone.
func validSAMName(name string) bool {
	return !strings.ContainsAny(name, `"/\[]:|<>+=;?,*`) && strings.Trim(name, ". ") != "" && !strings.HasSuffix(name, ".") &&
		!strings.ContainsFunc(name, func(r rune) bool { return r < ' ' })
}

func contains(list []*Entry, e *Entry) bool {
	for _, other := range list {
		if other == e {
			return true
		}
	}
	return false
}

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

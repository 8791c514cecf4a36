package fakead

// Who may do what, in a first simple form: administrators everything, an account what was delegated to it on
// ordinary users, everyone a change with the old password. Left out on purpose: security descriptors.

import (
	"strings"

	"passback/fakead/tree"
)

// Rights are what an account, or the members of a group, may do to every user of the domain whose adminCount is
// not 1 (those are AdminSDHolder's). The comments name the access rights of MS-ADTS 5.1.3.2 that they stand for.
type Rights struct {
	ResetPassword    bool   // control access right Reset Password
	ChangePassword   bool   // control access right Change Password, which everyone has already
	WritePwdLastSet  bool   // write property pwdLastSet
	WriteLockoutTime bool   // write property lockoutTime
	WriteMarker      string // write property of this attribute, by its name; empty: of none
	ReadPolicies     bool   // read property of password settings objects, which only administrators have by default
	// Unexpire is Unexpire-Password on the domain, which Authenticated Users have by default and an account
	// that rights are delegated to has only with this: without it a reset leaves pwdLastSet at 0, and -1 may
	// not be written there.
	Unexpire bool
}

var groupsOfAdministrators = map[uint32]bool{512: true, 519: true} // Domain Admins, Enterprise Admins

var (
	builtinDomain         = tree.MustParseSID("S-1-5-32")
	builtinAdministrators = builtinDomain.WithRID(544)
)

// isAdministrator: a member, however indirect, of Administrators, Domain Admins or Enterprise Admins.
func (s *Server) isAdministrator(e *tree.Entry) bool {
	for group := range s.groupsOf(e) {
		domain, rid := group.SID().RID()
		if group.SID() == builtinAdministrators || domain == s.tree.DomainSID() && groupsOfAdministrators[rid] {
			return true
		}
	}
	return false
}

// groupsOf returns e and every group it is in, directly, by another group, or by primaryGroupID.
func (s *Server) groupsOf(e *tree.Entry) map[*tree.Entry]bool {
	all := map[*tree.Entry]bool{}
	open := []*tree.Entry{e}
	for len(open) > 0 {
		e := open[len(open)-1]
		open = open[:len(open)-1]
		if e == nil || all[e] {
			continue
		}
		all[e] = true
		open = append(append(open, e.Linked("memberOf")...), s.tree.PrimaryGroup(e))
	}
	return all
}

// An access is what one caller may do to one target.
type access struct {
	administrator bool
	self          bool
	reset         bool
	unexpire      bool
	write         map[string]bool // by attribute name in lower case
}

func (s *Server) accessTo(target, caller *tree.Entry) access {
	if s.isAdministrator(caller) {
		return access{administrator: true, self: caller == target, reset: true, unexpire: true}
	}
	a := access{self: caller == target, unexpire: true, write: map[string]bool{}}
	delegated := false
	for holder := range s.groupsOf(caller) {
		r, ok := s.delegated[holder.GUID()]
		if !ok {
			continue
		}
		if !delegated {
			a.unexpire, delegated = false, true
		}
		a.unexpire = a.unexpire || r.Unexpire
		if target.First("adminCount") == "1" || !target.IsA("user") {
			continue
		}
		a.reset = a.reset || r.ResetPassword
		a.grant("pwdLastSet", r.WritePwdLastSet)
		a.grant("lockoutTime", r.WriteLockoutTime)
		a.grant(r.WriteMarker, r.WriteMarker != "")
	}
	return a
}

func (a access) grant(name string, granted bool) {
	if granted {
		a.write[strings.ToLower(name)] = true
	}
}

// writes tells whether an attribute may be written. What the SAM owns is refused for another reason.
func (a access) writes(attribute *tree.Attribute) bool {
	return a.administrator || attribute.OwnedBySAM || a.write[strings.ToLower(attribute.Name)]
}

// The groups whose members AdminSDHolder protects (MS-ADTS 3.1.1.6.1.2), by their RIDs in the domain and in Builtin.
var (
	protectedInDomain  = map[uint32]bool{512: true, 516: true, 518: true, 519: true, 521: true}
	protectedInBuiltin = map[uint32]bool{544: true, 548: true, 549: true, 550: true, 551: true, 552: true}
)

// isProtected: a member, however indirect, of a protected group.
func (s *Server) isProtected(e *tree.Entry) bool {
	for group := range s.groupsOf(e) {
		domain, rid := group.SID().RID()
		if domain == s.tree.DomainSID() && protectedInDomain[rid] || domain == builtinDomain && protectedInBuiltin[rid] {
			return true
		}
	}
	return false
}

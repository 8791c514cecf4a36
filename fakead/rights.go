package fakead

// Rights as a test gives them in one call: ACEs on the head of the domain, as "Delegate Control" writes them, and
// "User cannot change password", as the console for users writes that (MS-ADTS 5.1.3.2).

import (
	"fmt"

	"passback/fakead/security"
	"passback/fakead/tree"
)

// Rights are what an account, or the members of a group, may do to every user of the domain to whom inheritance
// reaches, which it does not to those that AdminSDHolder protects. The comments name the rights of MS-ADTS 5.1.3.2.
type Rights struct {
	ResetPassword    bool   // control access right Reset Password
	ChangePassword   bool   // control access right Change Password, which everyone has already
	WritePwdLastSet  bool   // write property pwdLastSet
	WriteLockoutTime bool   // write property lockoutTime
	WriteMarker      string // read and write property of this attribute, by its name; empty: of none
	ReadPolicies     bool   // read property of password settings objects, which only administrators have by default
	// Unexpire is Unexpire-Password on the domain, which Authenticated Users have by default and an account
	// that rights are delegated to has only with this (it is denied the right otherwise): without it a reset
	// leaves pwdLastSet at 0, and -1 may not be written there.
	Unexpire bool
}

// Delegate gives rights to an account or group, by sAMAccountName or DN. They replace what it was given so before.
func (s *Server) Delegate(name string, r Rights) error {
	s.mu.Lock()
	defer s.unlock()
	e, err := s.find(name)
	if err != nil {
		return fmt.Errorf("delegate rights: %w", err)
	}
	sid := e.SID()
	if sid == "" {
		return fmt.Errorf("delegate rights to %s: it is no account or group", name)
	}
	if r.WriteMarker != "" && tree.LookupAttribute(r.WriteMarker) == nil {
		return fmt.Errorf("delegate rights to %s: the schema has no attribute %q", name, r.WriteMarker)
	}
	head := s.head()
	before := func(a security.ACE) bool {
		return a.SID == sid && (a.InheritedBy == userClass() && a.Flags == toUsers || a.Object == rightGUID(rightUnexpire))
	}
	if err := s.protect(head, s.descriptorOf(head).Rewrite(before, r.aces(sid)...)); err != nil {
		return fmt.Errorf("delegate rights to %s: %w", name, err)
	}
	return s.delegatePolicies(sid, r.ReadPolicies)
}

func (s *Server) delegatePolicies(sid tree.SID, granted bool) error {
	container := s.settingsContainer()
	if container == nil {
		return nil
	}
	var add []security.ACE
	if granted {
		read := security.ListContents | security.ReadProperty | security.ListObject | security.ReadControl
		add = append(add, security.ACE{Type: security.Allow, Flags: security.ContainerInherit, Mask: read, SID: sid})
	}
	d := s.descriptorOf(container).Rewrite(func(a security.ACE) bool { return a.SID == sid }, add...)
	if err := s.protect(container, d); err != nil {
		return fmt.Errorf("delegate the right to read password settings: %w", err)
	}
	return nil
}

// toUsers: an ACE of the head that counts for users below it.
const toUsers = security.ContainerInherit | security.InheritOnly

func userClass() tree.GUID { return tree.LookupClass("user").GUID }

// aces are the ACEs that give the rights.
func (r Rights) aces(sid tree.SID) []security.ACE {
	var aces []security.ACE
	give := func(given bool, rights security.Mask, object tree.GUID) {
		if given {
			aces = append(aces, security.ACE{
				Type: security.AllowObject, Flags: toUsers, Mask: rights, SID: sid, Object: object, InheritedBy: userClass(),
			})
		}
	}
	give(r.ResetPassword, security.ControlAccess, rightGUID(rightResetPassword))
	give(r.ChangePassword, security.ControlAccess, rightGUID(rightChangePassword))
	give(r.WritePwdLastSet, security.WriteProperty, tree.LookupAttribute("pwdLastSet").GUID)
	give(r.WriteLockoutTime, security.WriteProperty, tree.LookupAttribute("lockoutTime").GUID)
	if marker := tree.LookupAttribute(r.WriteMarker); marker != nil {
		give(true, security.ReadProperty|security.WriteProperty, marker.GUID)
	}
	unexpire := security.ACE{Type: security.AllowObject, Mask: security.ControlAccess, SID: sid, Object: rightGUID(rightUnexpire)}
	if !r.Unexpire {
		unexpire.Type = security.DenyObject
	}
	return append(aces, unexpire)
}

// SetCannotChange sets or clears "User cannot change password".
func (s *Server) SetCannotChange(name string, cannot bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(name)
	if err != nil {
		return fmt.Errorf("set whether a password can be changed: %w", err)
	}
	if err := s.forbidChange(e, cannot); err != nil {
		return fmt.Errorf("set whether %s can change the password: %w", name, err)
	}
	return nil
}

// forbidChange denies Change Password to the account itself and to everyone, or takes that back.
func (s *Server) forbidChange(e *tree.Entry, forbidden bool) error {
	change := rightGUID(rightChangePassword)
	var denials []security.ACE
	for _, sid := range []tree.SID{security.Self, security.Everyone} {
		if forbidden {
			denials = append(denials, security.ACE{Type: security.DenyObject, Mask: security.ControlAccess, SID: sid, Object: change})
		}
	}
	before := func(a security.ACE) bool { return a.Type == security.DenyObject && a.Object == change }
	return s.protect(e, s.descriptorOf(e).Rewrite(before, denials...))
}

// mayChange tells whether an account may change its own password.
func (s *Server) mayChange(e *tree.Entry) bool {
	return s.access(s.tokenFor(e), e).right(security.ControlAccess, rightChangePassword)
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

package fakead

// Who asks, and what they may do with an entry (MS-ADTS 5.1.3).

import (
	"passback/fakead/security"
	"passback/fakead/tree"
)

// tokenFor makes the token of an account: itself and all security groups that it is in, directly or by others.
func (s *Server) tokenFor(e *tree.Entry) *security.Token {
	sids := []tree.SID{e.SID()}
	seen := map[*tree.Entry]bool{}
	open := append([]*tree.Entry{s.tree.PrimaryGroup(e)}, e.Linked("memberOf")...)
	for _, everyone := range []tree.SID{security.Everyone, security.AuthenticatedUsers} {
		if foreign := s.tree.BySID(everyone); foreign != nil {
			open = append(open, foreign.Linked("memberOf")...)
		}
	}
	for len(open) > 0 {
		group := open[len(open)-1]
		open = open[:len(open)-1]
		if group == nil || seen[group] {
			continue
		}
		seen[group] = true
		if kind, _ := group.Int("groupType"); kind&securityGroup != 0 {
			sids = append(sids, group.SID())
			open = append(open, group.Linked("memberOf")...)
		}
	}
	return security.NewToken(sids...)
}

// tokenOf is the token of a connection. As on a domain controller it holds the groups as they were at the bind.
func (s *Server) tokenOf(c *session) *security.Token {
	switch {
	case c.token != nil:
	case c.user != nil:
		c.token = s.tokenFor(c.user)
	default:
		c.token = security.AnonymousToken()
	}
	return c.token
}

// An access is what one caller may do to one entry.
type access struct {
	server *Server
	token  *security.Token
	entry  *tree.Entry
	class  tree.GUID
	grants *security.Grants
}

// accessTo is what the connection's account may do to an entry, or what anonymous callers may.
func (s *Server) accessTo(c *session, e *tree.Entry) access {
	return s.access(s.tokenOf(c), e)
}

func (s *Server) access(token *security.Token, e *tree.Entry) access {
	a := access{server: s, token: token, entry: e}
	if class := e.Class(); class != nil {
		a.class = class.GUID
	}
	sid := e.Get("objectSid")
	a.grants = token.To(s.descriptorOf(e), len(sid) == 1 && token.HasBinary(sid[0]))
	return a
}

// has tells whether rights to the entry as a whole are granted.
func (a access) has(rights security.Mask) bool { return a.grants.Has(rights, a.class) }

// property tells whether rights to an attribute are granted.
func (a access) property(rights security.Mask, attribute *tree.Attribute) bool {
	return a.grants.Has(rights, a.class, attribute.Set, attribute.GUID)
}

// right tells whether an extended right or a validated write is granted.
func (a access) right(rights security.Mask, name string) bool {
	return a.grants.Has(rights, a.class, rightGUID(name))
}

// unexpires: Unexpire-Password is a right to the domain.
func (a access) unexpires() bool {
	return a.server.access(a.token, a.server.head()).right(security.ControlAccess, rightUnexpire)
}

// reads tells whether an attribute may be read (MS-ADTS 3.1.1.4.4).
func (a access) reads(attribute *tree.Attribute) bool {
	switch {
	case attribute.NeverReadable:
		return false
	case attribute.Name == descriptorAttribute:
		return a.has(security.ReadControl)
	case attribute.Name == attributeMetadata, attribute.Name == valueMetadata:
		return a.property(security.ReadProperty, tree.LookupAttribute(propertyMetadata)) ||
			a.server.access(a.token, a.server.head()).right(security.ControlAccess, rightManageTopology)
	case attribute.Confidential:
		return a.property(security.ReadProperty|security.ControlAccess, attribute)
	default:
		return a.property(security.ReadProperty, attribute)
	}
}

// readsAll tells whether nothing that can be read at all is hidden.
func (a access) readsAll() bool {
	return a.grants.Everywhere(security.ReadProperty | security.ControlAccess | security.ReadControl)
}

// writes tells whether an attribute may be written. What the SAM owns is refused for another reason.
func (a access) writes(attribute *tree.Attribute) bool {
	return attribute.OwnedBySAM || a.property(security.WriteProperty, attribute)
}

// joins tells whether a change of member is one that its object makes of its own membership, with the validated
// write Self-Membership.
func (a access) joins(c change, caller *tree.Entry) bool {
	if len(c.values) != 1 || tree.LookupAttribute(c.name).Name != "member" {
		return false
	}
	named, err := a.server.tree.Resolve(string(c.values[0]))
	return err == nil && named == caller && a.right(security.SelfWrite, writeSelfMembership)
}

// visible tells whether the caller may know of an entry (MS-ADTS 5.1.3.3.6): by the right to list its parent, or in
// list object mode by a right to both.
func (s *Server) visible(c *session, e *tree.Entry) bool {
	if e.Parent() == nil {
		return true
	}
	above := s.accessTo(c, e.Parent())
	if above.has(security.ListContents) {
		return true
	}
	return above.has(security.ListObject) && s.heuristic(heuristicListObject) == '1' && s.accessTo(c, e).has(security.ListObject)
}

// reaches tells whether a search may begin at an entry: where that is hidden, something below it that is not lets it.
func (s *Server) reaches(c *session, base *tree.Entry, scope tree.Scope) bool {
	if s.visible(c, base) {
		return true
	}
	for e := range s.tree.Walk(base, scope) {
		if s.visible(c, e) {
			return true
		}
	}
	return false
}

// partsWritable are the parts of the descriptor that may be written, as sDRightsEffective tells.
func (a access) partsWritable() security.Parts {
	var parts security.Parts
	for _, p := range []struct {
		right security.Mask
		parts security.Parts
	}{
		{security.WriteOwner, security.PartOwner | security.PartGroup},
		{security.WriteDAC, security.PartDACL},
		{security.AccessSystem, security.PartSACL},
	} {
		if a.has(p.right) {
			parts |= p.parts
		}
	}
	return parts
}

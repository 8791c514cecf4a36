package fakead

// nTSecurityDescriptor as clients read and write it, and LDAP_SERVER_SD_FLAGS_OID (MS-ADTS 3.1.1.3.4.1.11), which
// names the parts that are meant. An attribute that is returned only when asked for by name, or beside * with the
// control.

import (
	"slices"
	"strings"

	"passback/fakead/security"
	"passback/fakead/tree"
)

const oidSDFlags = "1.2.840.113556.1.4.801"

func isDescriptor(name string) bool { return strings.EqualFold(name, descriptorAttribute) }

// sdFlags are the parts that a request means: all of them without the control, or if it names none.
func (req *request) sdFlags() security.Parts {
	c, ok := req.control(oidSDFlags)
	if !ok {
		return security.AllParts
	}
	flags, valid := hintsFlags(c.value) // the same SEQUENCE { Flags INTEGER }
	if parts := security.Parts(flags) & security.AllParts; valid && parts != 0 {
		return parts
	}
	return security.AllParts
}

// readDescriptor is the value that a caller may see: all of the parts that were asked for, or none.
func (a access) readDescriptor(parts security.Parts) [][]byte {
	rights := security.Mask(0)
	if parts&(security.PartOwner|security.PartGroup|security.PartDACL) != 0 {
		rights |= security.ReadControl
	}
	if parts&security.PartSACL != 0 {
		rights |= security.AccessSystem
	}
	if !a.has(rights) {
		return nil
	}
	value, err := a.server.descriptorOf(a.entry).Only(parts).Marshal()
	if err != nil {
		return nil
	}
	return [][]byte{value}
}

// applyDescriptor writes the parts of a descriptor that a modify means.
func (m *modification) applyDescriptor(changes []change) result {
	for _, c := range changes {
		switch {
		case c.operation == changeAdd && len(c.values) == 0:
			return atrErr(codeConstraintViolation, errorDSConstraintViolation, "03151DE4", descriptorType, descriptorAttribute)
		case c.operation == changeAdd:
			return atrErr(codeAttributeOrValue, errorDSSingleValue, "03151A5A", descriptorType, descriptorAttribute)
		case c.operation == changeDelete || len(c.values) != 1:
			return svcErr(errorDSUnwilling, "031A11F6")
		}
		given, err := security.Parse(c.values[0])
		if err != nil {
			return m.server.malformedDescriptor()
		}
		if res := m.mergeDescriptor(given); res.code != codeSuccess {
			return res
		}
	}
	return result{}
}

// mergeDescriptor replaces parts of the target's descriptor by those of given.
func (m *modification) mergeDescriptor(given *security.Descriptor) result {
	s, parts := m.server, m.parts
	class := m.target.Class()
	if given.Owner == "" {
		parts &^= security.PartOwner
	}
	if given.Group == "" {
		parts &^= security.PartGroup
	}
	if parts&security.PartOwner != 0 && !mayOwn(m.access.token, given.Owner) {
		return invalidOwner()
	}
	if given.DACL == nil {
		given = given.With(s.defaultSecurity(class), security.PartDACL)
	}
	current := s.descriptorOf(m.target)
	merged := security.New(s.parentDescriptor(m.target), current.With(given, parts), class.GUID, security.Maker{})
	p, err := s.intern(merged)
	if err != nil {
		return s.malformedDescriptor()
	}
	m.plan.Share(descriptorAttribute, p.values)
	return result{}
}

// mayOwn: an owner is oneself or a group of one's own, unless one holds SeRestorePrivilege.
func mayOwn(token *security.Token, owner tree.SID) bool { return token.Privileged || token.Has(owner) }

const descriptorType = 0x20119 // the ATTRTYP of nTSecurityDescriptor

func invalidOwner() result {
	return atrErr(codeConstraintViolation, errorInvalidOwner, "030F2312", descriptorType, descriptorAttribute)
}

func (s *Server) malformedDescriptor() result {
	return result{code: codeInvalidSyntax, text: s.text.ldapErr(errorInvalidParameter, "0C090F39", "Error in attribute conversion operation", "0")}
}

// makerOf is who owns what the connection's account makes: a group of administrators that it is in, or itself.
func (s *Server) makerOf(c *session, dn tree.DN) security.Maker {
	token := s.tokenOf(c)
	for _, group := range []tree.SID{s.administratorsOf(dn), s.tree.DomainSID().WithRID(ridDomainAdmins), security.Administrators} {
		if token.Has(group) {
			return security.Maker{Owner: group, Group: group}
		}
	}
	maker := security.Maker{Owner: c.user.SID(), Group: c.user.SID()}
	if group := s.tree.PrimaryGroup(c.user); group != nil {
		maker.Group = group.SID()
	}
	return maker
}

// protectAdded adds to the values of an Add the descriptor that the new entry will have: what its maker wrote of
// one, or else its class's, and what it inherits.
func (s *Server) protectAdded(req *request, parent *tree.Entry, class *tree.Class, dn tree.DN, values []tree.Value) ([]tree.Value, result) {
	maker := s.makerOf(req.session, dn)
	at := slices.IndexFunc(values, func(v tree.Value) bool { return isDescriptor(v.Name) && len(v.Values) > 0 })
	above := s.descriptorOf(parent)
	if at < 0 {
		p, err := s.newProtection(above, class, maker)
		if err != nil {
			return nil, s.malformedDescriptor()
		}
		return append(values, tree.Value{Name: descriptorAttribute, Values: p.values}), result{}
	}
	given, err := security.Parse(values[at].Values[0])
	if err != nil || len(values[at].Values) != 1 {
		return nil, s.malformedDescriptor()
	}
	if given.Owner != "" && !mayOwn(s.tokenOf(req.session), given.Owner) {
		return nil, invalidOwner()
	}
	if given.DACL == nil {
		given = given.With(s.defaultSecurity(class), security.PartDACL)
	}
	p, err := s.intern(security.New(above, given, class.GUID, maker))
	if err != nil {
		return nil, s.malformedDescriptor()
	}
	values = slices.Clone(values)
	values[at] = tree.Value{Name: descriptorAttribute, Values: p.values}
	return values, result{}
}

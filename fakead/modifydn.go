package fakead

// ModifyDN, RFC 4511 4.9 and MS-ADTS 3.1.1.5.4.1: renaming an entry, moving it, or both. Its account names stay. Left out
// on purpose: moves between domains (LDAP_SERVER_CROSSDOM_MOVE_TARGET_OID), since there is one domain.

import (
	"passback/fakead/security"
	"passback/fakead/tree"
)

// A modifyDNRequest is ModifyDNRequest as it came.
type modifyDNRequest struct {
	entry, newRDN string
	deleteOldRDN  bool
	newSuperior   string
	moves         bool // newSuperior is there
}

func (s *Server) modifyDN(req *request) result {
	m, ok := decodeModifyDN(req.body)
	if !ok {
		return result{code: codeProtocolError, text: s.text.undecodable()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !m.deleteOldRDN {
		return svcErr(errorInvalidParameter, "031A1202")
	}
	rdn, err := tree.ParseRDN(m.newRDN)
	if err != nil {
		return s.treeResult(err)
	}
	e, err := s.tree.Resolve(m.entry)
	if err != nil {
		return s.treeResult(err)
	}
	parent := e.Parent()
	if m.moves {
		if parent, err = s.tree.Resolve(m.newSuperior); err != nil {
			return s.treeResult(s.tree.NoParent(err))
		}
	}
	if parent != nil && !s.renames(req.session, e, parent) { // a head has none, and is refused for that
		return secErr(errorDSInsufficientAttrRights, "03152612")
	}
	moved := parent != e.Parent()
	if err := s.tree.Rename(e, rdn, parent); err != nil {
		return s.treeResult(err)
	}
	if moved {
		s.inherit(e, s.descriptorOf(parent))
	}
	s.log.Debug("modifyDN", "target", m.entry, "now", e.DN().String(), "caller", req.session.user.DN().String())
	return result{}
}

// renames holds MS-ADTS 3.1.1.5.4.1.1.
func (s *Server) renames(c *session, e, parent *tree.Entry) bool {
	own := s.accessTo(c, e)
	for _, naming := range []string{"name", e.DN()[0].Type} {
		if !own.property(security.WriteProperty, tree.LookupAttribute(naming)) {
			return false
		}
	}
	if parent == e.Parent() {
		return true
	}
	above := s.accessTo(c, parent)
	return above.grants.Has(security.CreateChild, above.class, own.class) && s.deletes(c, e, false)
}

// decodeModifyDN reads SEQUENCE { entry, newrdn, deleteoldrdn BOOLEAN, newSuperior [0] OPTIONAL }.
func decodeModifyDN(operation []byte) (m modifyDNRequest, ok bool) {
	const newSuperior = berContext // [0]
	outer := berReader{rest: operation}
	r := outer.inside(berApplication | berConstructed | byte(tagModifyDN))
	m = modifyDNRequest{entry: r.text(), newRDN: r.text(), deleteOldRDN: r.boolean()}
	if r.more() {
		m.newSuperior, m.moves = string(r.take(newSuperior)), true
	}
	return m, !r.bad && !r.more()
}

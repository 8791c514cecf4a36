package fakead

// Delete, RFC 4511 4.8 and MS-ADTS 3.1.1.5.5, and the tree-delete control (MS-ADTS 3.1.1.3.4.1.15). What is left of an
// entry is a tombstone (tree/tombstones.go). A connection that is bound as an account that is deleted stays bound, as on
// a domain controller.

import (
	"github.com/jimlambrt/gldap"

	"passback/fakead/security"
	"passback/fakead/tree"
)

const oidTreeDelete = "1.2.840.113556.1.4.805"

func (s *Server) delete(req *request, m *gldap.DeleteMessage) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.tree.Resolve(m.DN)
	if err != nil {
		return s.treeResult(err)
	}
	remove := s.tree.Delete
	_, whole := req.control(oidTreeDelete)
	if whole {
		remove = s.tree.DeleteTree
	}
	if !s.deletes(req.session, e, whole) {
		return secErr(errorAccessDenied, "0315112E")
	}
	var gone []tree.GUID
	for below := range s.tree.Walk(e, tree.WholeSubtree) {
		gone = append(gone, below.GUID())
	}
	if err := remove(e); err != nil {
		return s.treeResult(err)
	}
	for _, guid := range gone {
		s.forgetAccount(guid)
	}
	s.log.Debug("delete", "target", m.DN, "caller", req.session.user.DN().String())
	return result{}
}

// deletes tells whether the caller may delete an entry: by a right to it, or to the children of its parent.
func (s *Server) deletes(c *session, e *tree.Entry, whole bool) bool {
	own := s.accessTo(c, e)
	if whole {
		return own.has(security.DeleteTree)
	}
	if own.has(security.Delete) || e.Parent() == nil {
		return own.has(security.Delete)
	}
	above := s.accessTo(c, e.Parent())
	return above.grants.Has(security.DeleteChild, above.class, own.class)
}

// forgetAccount drops what is kept of an account outside of its entry.
func (s *Server) forgetAccount(guid tree.GUID) {
	delete(s.keyVersions, guid)
}

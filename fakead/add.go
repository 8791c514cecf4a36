package fakead

// Add, RFC 4511 4.7 and MS-ADTS 3.1.1.5.2. What an account needs beside its attributes, its password first of
// all, is judged before the entry exists (newaccount.go).

import (
	"github.com/jimlambrt/gldap"

	"passback/fakead/security"
	"passback/fakead/tree"
)

func (s *Server) add(req *request, m *gldap.AddMessage) result {
	dn, err := tree.ParseDN(m.DN)
	if err != nil {
		return s.treeResult(tree.BadName())
	}
	values := make([]tree.Value, len(m.Attributes))
	for i, a := range m.Attributes {
		values[i] = tree.Strings(a.Type, a.Vals...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	values, refused := s.authoriseAdd(req, dn, values)
	if refused.code != codeSuccess {
		return refused
	}
	account, values, refused := s.newAccountOf(req, values)
	if refused.code != codeSuccess {
		return refused
	}
	e, err := s.tree.Add(dn, values, tree.Rules{})
	if err != nil {
		return s.treeResult(err)
	}
	s.give(account, e)
	s.log.Debug("add", "target", e.DN().String(), "caller", req.session.user.DN().String())
	return result{}
}

// authoriseAdd judges whether the caller may make children of that class there, and adds the new entry's security
// descriptor to the values.
func (s *Server) authoriseAdd(req *request, dn tree.DN, values []tree.Value) ([]tree.Value, result) {
	parent := s.tree.Find(dn.Parent())
	if parent == nil || len(dn) == 0 {
		return values, result{} // the tree says so
	}
	above := s.accessTo(req.session, parent)
	class, err := tree.ClassOf(values)
	if err != nil {
		if !above.has(security.CreateChild) {
			return nil, secErr(errorAccessDenied, "03152612")
		}
		return nil, s.treeResult(err)
	}
	if !above.grants.Has(security.CreateChild, above.class, class.GUID) {
		return nil, secErr(errorAccessDenied, "03152612")
	}
	return s.protectAdded(req, parent, class, dn, values)
}

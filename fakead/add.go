package fakead

// Add, RFC 4511 4.7 and MS-ADTS 3.1.1.5.2. Only administrators add. What an account needs beside its attributes,
// its password first of all, is judged before the entry exists (newaccount.go).

import (
	"github.com/jimlambrt/gldap"

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
	if caller := req.session.user; caller == nil || !s.isAdministrator(caller) {
		return secErr(errorAccessDenied, "03152612")
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

package fakead

// What the first skeleton still lacks; each goes when its own file comes.

import (
	"github.com/jimlambrt/gldap"
)

// A PasswordFilter stands here until the password package has it.
type PasswordFilter func() bool

// fakead-tree: createDomain fills the tree (domain.go).
func (s *Server) createDomain(Options) error { return nil }

// fakead-tree: search.go, add.go, delete.go; supportsControl in rootdse.go (supportedControl's list).
func (s *Server) search(*request, *gldap.SearchMessage) result {
	return svcErr(errorDSUnwilling, "031A1202")
}
func (s *Server) add(*request, *gldap.AddMessage) result { return svcErr(errorDSUnwilling, "031A1202") }
func (s *Server) delete(*request, *gldap.DeleteMessage) result {
	return svcErr(errorDSUnwilling, "031A1202")
}
func (s *Server) supportsControl(string) bool { return true }

func (s *Server) modify(*request, *gldap.ModifyMessage) result {
	return svcErr(errorDSUnwilling, "031A1202")
}
func (s *Server) bind(req *request, m *gldap.SimpleBindMessage) result {
	return s.simpleBind(req, m.UserName, string(m.Password))
}
func (s *Server) simpleBind(req *request, name, _ string) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	req.session.user = name
	return result{}
}
func (s *Server) compare(*request) result { return svcErr(errorDSUnwilling, "031A1202") }

// To come: func (s *Server) computed(*tree.Entry, string) [][]byte, which search calls for constructed attributes.

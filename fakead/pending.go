package fakead

// What the first skeleton still lacks; each goes when its own file comes.

import (
	"github.com/jimlambrt/gldap"
)

// For add.go: n, rest, res := s.newAccountOf(req, values) before tree.Add(dn, rest), s.give(n, e) after it.
// For search.go: s.computed(e, name); rights: s.isAdministrator(req.session.user); refusals: s.treeResult(err).
// For rootdse.go: leave both policy hints OIDs out of supportedControl while s.withoutPolicyHints.
// All of these want s.mu held. fakead-tree: search.go, add.go, delete.go; supportsControl in rootdse.go (supportedControl's list).
func (s *Server) search(*request, *gldap.SearchMessage) result {
	return svcErr(errorDSUnwilling, "031A1202")
}
func (s *Server) add(*request, *gldap.AddMessage) result { return svcErr(errorDSUnwilling, "031A1202") }
func (s *Server) delete(*request, *gldap.DeleteMessage) result {
	return svcErr(errorDSUnwilling, "031A1202")
}
func (s *Server) supportsControl(string) bool { return true }

func (s *Server) compare(*request) result { return svcErr(errorDSUnwilling, "031A1202") }

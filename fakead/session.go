package fakead

import (
	"crypto/x509"
	"net"
	"sync/atomic"

	"passback/fakead/security"
	"passback/fakead/tree"
)

// A session is what a connection knows of its client.
type session struct {
	remote    net.Addr
	encrypted bool        // TLS is on
	ldaps     bool        // since it opened. Guarded by Server.mu
	fastBind  bool        // binds are judged, and bind nobody. Guarded by Server.mu
	bound     atomic.Bool // user is set

	certificate *x509.Certificate // of the client, verified; nil: none. Set by the handshake

	user  *tree.Entry     // bound as; nil: anonymous. Guarded by Server.mu, set by become
	token *security.Token // of user, once it is needed. Guarded by Server.mu
	logon uint64          // number of that logon, in the security log. Guarded by Server.mu

	resultSets []*resultSet // of paged searches that are not at their end, the oldest first. Guarded by Server.mu
}

// become is called with Server.mu held. nil makes the connection anonymous.
func (c *session) become(user *tree.Entry) {
	c.user, c.token = user, nil
	c.bound.Store(user != nil)
}

// forget makes the connection anonymous again.
func (s *Server) forget(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.become(nil)
}

// callerName is the DN that a connection is bound as, empty for an anonymous one.
func (s *Server) callerName(c *session) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.user == nil {
		return ""
	}
	return c.user.DN().String()
}

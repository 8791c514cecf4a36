package fakead

import "net"

// A session is what a connection knows of its client.
type session struct {
	remote    net.Addr
	encrypted bool   // TLS is on
	user      string // guarded by Server.mu
}

func (s *Server) opened(*session) {}

func (s *Server) isBound(c *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.user != ""
}

func (s *Server) forget(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.user = ""
}

func (s *Server) whoAmI(c *session) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.user
}

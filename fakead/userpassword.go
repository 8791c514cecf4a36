package fakead

// userPassword, MS-ADTS 3.1.1.3.1.5.2 and 6.1.1.2.4.1.2 (fUserPwdSupport): the ninth character of dSHeuristics
// makes it a password, in UTF-8 and without quotes, or leaves it a plain attribute. A write follows the character
// as it is now; whether the attribute can be read was decided when the connection opened.

import (
	"strings"

	"passback/fakead/tree"
)

const userPassword = "userPassword"

// userPasswordIsPassword reads dSHeuristics. 0 and 2 stand for false.
func (s *Server) userPasswordIsPassword() bool {
	const position = 8
	services := s.tree.ConfigurationDN().Child("CN", "Services")
	e := s.tree.Find(services.Child("CN", "Windows NT").Child("CN", "Directory Service"))
	if e == nil {
		return false
	}
	heuristics := e.First("dSHeuristics")
	return len(heuristics) > position && !strings.ContainsRune("02", rune(heuristics[position]))
}

// opened notes what holds for a connection as long as it lasts.
func (s *Server) opened(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.hidesUserPassword = s.userPasswordIsPassword()
}

// hides tells whether nobody reads an attribute on this connection.
func (c *connection) hides(a *tree.Attribute) bool {
	return a.NeverReadable || c.hidesUserPassword && a.Name == userPassword || c.lacks(a)
}

package fakead

// userPassword, MS-ADTS 3.1.1.3.1.5.2 and 6.1.1.2.4.1.2 (fUserPwdSupport): the ninth character of dSHeuristics
// makes it a password, in UTF-8 and without quotes, or leaves it a plain attribute. A write follows the character
// as it is now; whether the attribute can be read was decided when the connection opened.

import "passback/fakead/tree"

const userPassword = "userPassword"

// userPasswordIsPassword reads dSHeuristics. 0 and 2 stand for false.
func (s *Server) userPasswordIsPassword() bool {
	value := s.heuristic(heuristicUserPassword)
	return value != '0' && value != '2'
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

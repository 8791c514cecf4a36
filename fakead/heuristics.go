package fakead

// dSHeuristics, MS-ADTS 6.1.1.2.4.1.2: switches of the forest, a character each, on the entry of the directory service.

// Positions of dSHeuristics, from 1.
const (
	heuristicListObject   = 3  // fDoListObject
	heuristicAnonymous    = 7  // fLDAPBlockAnonOps: 2 lets anonymous callers do what their rights allow
	heuristicUserPassword = 9  // fUserPwdSupport
	heuristicOperators    = 16 // dwAdminSDExMask
)

// heuristic is the character at a position; 0, the default of each, where the value is shorter.
func (s *Server) heuristic(position int) byte {
	services := s.tree.ConfigurationDN().Child("CN", "Services")
	e := s.tree.Find(services.Child("CN", "Windows NT").Child("CN", "Directory Service"))
	if e == nil {
		return '0'
	}
	if value := e.First("dSHeuristics"); len(value) >= position {
		return value[position-1]
	}
	return '0'
}

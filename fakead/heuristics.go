package fakead

// dSHeuristics, MS-ADTS 6.1.1.2.4.1.2: switches of the forest, a character each, on the entry of the directory service.

import (
	"slices"

	"passback/fakead/tree"
)

// Positions of dSHeuristics, from 1.
const (
	heuristicListObject   = 3  // fDoListObject
	heuristicAnonymous    = 7  // fLDAPBlockAnonOps: 2 lets anonymous callers do what their rights allow
	heuristicUserPassword = 9  // fUserPwdSupport
	heuristicOperators    = 16 // dwAdminSDExMask
)

var directoryService = tree.DN{{Type: "CN", Value: "Directory Service"}, {Type: "CN", Value: "Windows NT"}, {Type: "CN", Value: "Services"}}

// heuristic is the character at a position; 0, the default of each, where the value is shorter.
func (s *Server) heuristic(position int) byte {
	e := s.tree.Find(slices.Concat(directoryService, s.tree.ConfigurationDN()))
	if e == nil {
		return '0'
	}
	if value := e.First("dSHeuristics"); len(value) >= position {
		return value[position-1]
	}
	return '0'
}

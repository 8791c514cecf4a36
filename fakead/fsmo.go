package fakead

// FSMO roles, MS-ADTS 3.1.1.1.11: fSMORoleOwner of an object names the NTDS Settings of the domain controller that
// holds the role. Like every attribute it is replicated, so for a while two may think that they hold one. Left out on
// purpose: refusing what only a role's owner may do, such as changes of the schema.

import (
	"fmt"

	"passback/fakead/tree"
)

// A Role is held by one domain controller of a domain, or of a forest.
type Role string

// The roles.
const (
	PDCEmulator    Role = "PDC emulator"
	RIDMaster      Role = "RID master"
	Infrastructure Role = "infrastructure master"
	SchemaMaster   Role = "schema master"
	DomainNaming   Role = "domain naming master"
)

// roleObject is where a role's owner is written.
func (s *Server) roleObject(r Role) *tree.Entry {
	base, config := s.tree.Base(), s.tree.ConfigurationDN()
	return s.tree.Find(map[Role]tree.DN{
		PDCEmulator:    base,
		RIDMaster:      base.Child("CN", "System").Child("CN", "RID Manager$"),
		Infrastructure: base.Child("CN", "Infrastructure"),
		SchemaMaster:   s.tree.SchemaDN(),
		DomainNaming:   config.Child("CN", "Partitions"),
	}[r])
}

func (s *Server) roleOwner(r Role) string {
	if e := s.roleObject(r); e != nil {
		return e.First("fSMORoleOwner")
	}
	return ""
}

func (s *Server) holds(r Role) bool { return s.roleOwner(r) == s.settingsDN() }

// Holds tells whether the domain controller holds a role, as far as it knows.
func (s *Server) Holds(r Role) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.holds(r)
}

// TakeRole makes the domain controller a role's owner: a transfer, of which the owner before learns at once if it can
// be reached, else a seizure, of which it learns by replication.
func (s *Server) TakeRole(r Role) error {
	s.mu.Lock()
	e := s.roleObject(r)
	if s.readOnly || e == nil {
		s.mu.Unlock()
		return fmt.Errorf("%s cannot be %s: it is read-only, or the directory lacks the role's object", s.HostName(), r)
	}
	former := s.roleOwner(r)
	s.tree.Set(e, "fSMORoleOwner", s.settingsDN())
	guid := e.GUID()
	s.unlock()
	for _, partner := range s.partners() {
		if partner.settingsDN() == former {
			_ = partner.pullObject(s, guid)
		}
	}
	return nil
}

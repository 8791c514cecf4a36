package fakead

// Names that replication brings into conflict (MS-DRSR 4.1.10.6): of two objects of one name the one that was named
// earlier gets CNF: and its objectGUID behind its own, and what has lost its parent goes to the LostAndFound container.
// Both are originating updates of the domain controller that notices, so that all come to agree.

import (
	"strings"

	"passback/fakead/replication"
	"passback/fakead/tree"
)

// conflictMark separates the name that an object had from the objectGUID of one that lost it.
const conflictMark = "\nCNF:"

// takeNew makes an object that is new here.
func (s *Server) takeNew(o replicatedObject, values []tree.Value) *tree.Entry {
	parent, rdn, mended := s.place(o, nil)
	e := s.tree.ReceiveNew(parent.DN().Child(rdn.Type, rdn.Value), values)
	s.replica.metadata.Accept(o.Object, replication.Key{}, o.Keys[replication.Key{}], s.tree.USN())
	if mended {
		s.tree.Move(e, rdn, parent)
	}
	return e
}

// takeName renames or moves an object as its prevailing name says.
func (s *Server) takeName(o replicatedObject, e *tree.Entry) {
	if e.Parent() == nil {
		return
	}
	parent, rdn, mended := s.place(o, e)
	if parent != e.Parent() || rdn != e.DN()[0] {
		s.tree.Move(e, rdn, parent)
		s.inherit(e, s.descriptorOf(parent))
	}
	if mended {
		s.renamed(e)
	}
}

// place finds where an object is to be, and makes room for it. mended: that is not where its source has it.
func (s *Server) place(o replicatedObject, self *tree.Entry) (parent *tree.Entry, rdn tree.RDN, mended bool) {
	parent, rdn = s.tree.ByGUID(o.parent), o.dn[0]
	if parent == nil || self != nil && parent.DN().Under(self.DN()) {
		parent, mended = s.lostAndFound(o.dn), true
	}
	other := s.tree.Find(parent.DN().Child(rdn.Type, rdn.Value))
	switch {
	case other == nil || other == self:
	case o.stamp("name").Beats(s.replica.metadata.StampOf(other.GUID(), replication.Key{Attribute: "name"})):
		s.tree.Move(other, inConflict(other.DN()[0], other.GUID()), other.Parent())
		s.renamed(other)
	default:
		rdn, mended = inConflict(rdn, o.Object), true
	}
	return parent, rdn, mended
}

// loseParent moves an object whose parent is deleted.
func (s *Server) loseParent(e *tree.Entry) {
	rdn, refuge := e.DN()[0], s.lostAndFound(e.DN())
	if s.tree.Find(refuge.DN().Child(rdn.Type, rdn.Value)) != nil {
		rdn = inConflict(rdn, e.GUID())
	}
	s.tree.Move(e, rdn, refuge)
	s.inherit(e, s.descriptorOf(refuge))
	s.renamed(e)
}

// renamed stamps a name that replication has led to. A read-only domain controller waits for others to do so.
func (s *Server) renamed(e *tree.Entry) {
	if !s.readOnly {
		journal{s}.Renamed(e)
	}
}

// lostAndFound is the container for what lies in a naming context without a parent.
func (s *Server) lostAndFound(dn tree.DN) *tree.Entry {
	if config := s.tree.ConfigurationDN(); dn.Under(config) {
		return s.tree.Find(config.Child("CN", "LostAndFoundConfig"))
	}
	return s.tree.Find(s.tree.Base().Child("CN", "LostAndFound"))
}

func inConflict(rdn tree.RDN, guid tree.GUID) tree.RDN {
	name, _, _ := strings.Cut(rdn.Value, conflictMark)
	return tree.RDN{Type: rdn.Type, Value: name + conflictMark + guid.String()}
}

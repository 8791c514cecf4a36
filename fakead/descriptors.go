package fakead

// Where security descriptors are kept: as nTSecurityDescriptor of each entry, in binary form. Entries with equal ones
// share them, so that a million users cost little more than one, and each is parsed once.

import (
	"passback/fakead/security"
	"passback/fakead/tree"
)

const (
	descriptorAttribute = "nTSecurityDescriptor"
	maxDescriptors      = 16_384 // kept parsed, and results of inheritance; all are dropped and made anew beyond that
)

// A protection is a descriptor with the value that holds it.
type protection struct {
	descriptor *security.Descriptor
	values     [][]byte
}

// A birth is what decides the descriptor of a new entry that is given none.
type birth struct {
	parent *security.Descriptor
	class  *tree.Class
	maker  security.Maker
}

// A heritage is what decides a descriptor after its parent's has changed.
type heritage struct {
	parent, child *security.Descriptor
	class         *tree.Class
}

type descriptors struct {
	classes map[*tree.Class]*security.Descriptor
	known   map[string]*protection // by the binary form
	shared  map[*byte]*protection  // by where the binary form is that entries share
	born    map[birth]*protection
	passed  map[heritage]*protection
	initial bool // a new domain is being made, whose objects have descriptors of their own
}

func newDescriptors() descriptors {
	return descriptors{
		classes: map[*tree.Class]*security.Descriptor{}, known: map[string]*protection{}, shared: map[*byte]*protection{},
		born: map[birth]*protection{}, passed: map[heritage]*protection{}, initial: true,
	}
}

// closed is the descriptor of an entry whose own cannot be read.
var closed = &security.Descriptor{DACL: &security.ACL{}}

// descriptorOf returns the security descriptor of an entry.
func (s *Server) descriptorOf(e *tree.Entry) *security.Descriptor {
	values := e.Get(descriptorAttribute)
	if len(values) != 1 {
		return closed
	}
	at := &values[0][0] // a descriptor is never of no bytes
	p := s.descriptors.shared[at]
	if p == nil {
		if p = s.descriptors.known[string(values[0])]; p == nil {
			d, err := security.Parse(values[0])
			if err != nil {
				return closed
			}
			p = s.remember(d, values[0])
		}
		if len(s.descriptors.shared) >= maxDescriptors {
			clear(s.descriptors.shared)
		}
		s.descriptors.shared[at] = p
	}
	return p.descriptor
}

// intern returns the one protection that says what d says.
func (s *Server) intern(d *security.Descriptor) (*protection, error) {
	value, err := d.Marshal()
	if err != nil {
		return nil, err
	}
	if p := s.descriptors.known[string(value)]; p != nil {
		return p, nil
	}
	return s.remember(d, value), nil
}

func (s *Server) remember(d *security.Descriptor, value []byte) *protection {
	c := &s.descriptors
	if len(c.known) >= maxDescriptors {
		clear(c.known)
		clear(c.shared)
		clear(c.born)
		clear(c.passed)
	}
	p := &protection{descriptor: d, values: [][]byte{value}}
	c.known[string(value)] = p
	return p
}

// parentDescriptor is what an entry inherits from; nil for the head of a naming context.
func (s *Server) parentDescriptor(e *tree.Entry) *security.Descriptor {
	if e.Parent() == nil {
		return nil
	}
	return s.descriptorOf(e.Parent())
}

// protectNew returns nTSecurityDescriptor of an entry that the directory itself makes, or that a client makes
// without one.
func (s *Server) protectNew(e *tree.Entry) [][]byte {
	owner := s.administratorsOf(e.DN())
	if s.descriptors.initial {
		if own := s.initialSecurity(e); own != nil {
			d := security.New(s.parentDescriptor(e), own, e.Class().GUID, security.Maker{Owner: owner, Group: owner})
			if p, err := s.intern(d); err == nil {
				return p.values
			}
		}
	}
	p, err := s.newProtection(s.parentDescriptor(e), e.Class(), security.Maker{Owner: owner, Group: owner})
	if err != nil {
		return nil // more ACEs to inherit than a descriptor holds: nobody gets at it
	}
	return p.values
}

// newProtection is what a new entry inherits and gets from its class.
func (s *Server) newProtection(parent *security.Descriptor, class *tree.Class, maker security.Maker) (*protection, error) {
	key := birth{parent, class, maker}
	if p := s.descriptors.born[key]; p != nil {
		return p, nil
	}
	p, err := s.intern(security.New(parent, s.defaultSecurity(class), class.GUID, maker))
	if err == nil {
		s.descriptors.born[key] = p
	}
	return p, err
}

// administratorsOf is the group that owns what administrators make, by naming context (MS-ADTS 6.1.3.6).
func (s *Server) administratorsOf(dn tree.DN) tree.SID {
	rid := uint32(ridDomainAdmins)
	switch {
	case dn.Under(s.tree.SchemaDN()):
		rid = ridSchemaAdmins
	case dn.Under(s.tree.ConfigurationDN()):
		rid = ridEnterpriseAdmins
	}
	return s.tree.DomainSID().WithRID(rid)
}

// protect gives an entry a descriptor and what lies below it what it inherits.
func (s *Server) protect(e *tree.Entry, d *security.Descriptor) error {
	p, err := s.intern(d)
	if err != nil {
		return err
	}
	plan := s.tree.Plan(e)
	plan.Share(descriptorAttribute, p.values)
	if err := plan.Commit(); err != nil {
		return err
	}
	s.propagate(e)
	return nil
}

// propagate works inheritance out below an entry. Every domain controller does this by itself: nothing of it is
// replicated (MS-ADTS 3.1.1.5.3.7).
func (s *Server) propagate(e *tree.Entry) {
	parent := s.descriptorOf(e)
	for child := range s.tree.Walk(e, tree.SingleLevel) {
		s.inherit(child, parent)
	}
}

// inherit works out what an entry and all below it inherit from its parent.
func (s *Server) inherit(child *tree.Entry, parent *security.Descriptor) {
	before := s.descriptorOf(child)
	key := heritage{parent, before, child.Class()}
	p := s.descriptors.passed[key]
	if p == nil {
		var err error
		if p, err = s.intern(before.Inherit(parent, key.class.GUID)); err != nil {
			return // it would hold more ACEs than it can: it stays as it is
		}
		s.descriptors.passed[key] = p
	}
	if p.descriptor != before {
		s.tree.Put(child, descriptorAttribute, p.values)
		s.propagate(child)
	}
}

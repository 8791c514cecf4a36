package fakead

// Reading back a whole domain: beside what its records say, a new domain has entries, values and memberships that
// were taken away from the one that was written. Its security descriptors count too, for its identifiers stay.

import (
	"bytes"
	"fmt"
	"slices"

	"passback/fakead/security"
	"passback/fakead/tree"
)

// writtenSecurity is the value of nTSecurityDescriptor that a record has to say: none, if an entry of that name and
// class gets the same in a new domain.
func (s *Server) writtenSecurity(e *tree.Entry) [][]byte {
	values := e.Get(descriptorAttribute)
	s.descriptors.initial = true
	given := s.protectNew(e)
	s.descriptors.initial = false
	if slices.EqualFunc(values, given, bytes.Equal) {
		return nil
	}
	return values
}

// secure gives an entry the security descriptor of its record.
func (im *ldifImport) secure(e *tree.Entry, r *ldifRecord) error {
	value := r.get(descriptorAttribute)
	if !im.whole || len(value) != 1 {
		return nil
	}
	d, err := security.Parse(value[0])
	if err != nil {
		return fmt.Errorf("%s of %s: %w", descriptorAttribute, r.dn, err)
	}
	if err := im.server.protect(e, d); err != nil {
		return fmt.Errorf("%s of %s: %w", descriptorAttribute, r.dn, err)
	}
	return nil
}

// absent are the changes that take away what an entry has and its record does not.
func absent(e *tree.Entry, r *ldifRecord) []tree.Change {
	var changes []tree.Change
	for a := range e.All() {
		if carried(a) && !keptInMerge[a.Name] && len(r.get(a.Name)) == 0 {
			changes = append(changes, tree.Change{Op: tree.ReplaceValues, Value: tree.Value{Name: a.Name}})
		}
	}
	return changes
}

// removeOthers deletes the entries that no record names, but for those that a domain cannot do without.
func (im *ldifImport) removeOthers() {
	for _, e := range slices.Backward(slices.Collect(im.server.domainEntries())) {
		if !im.named[e] {
			_ = im.server.tree.Delete(e) // refused for what must stay
		}
	}
}

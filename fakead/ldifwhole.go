package fakead

// Reading back a whole domain: beside what its records say, a new domain has entries, values and memberships that
// were taken away from the one that was written.

import (
	"slices"

	"passback/fakead/tree"
)

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
func (im *ldifImport) removeOthers(records []*ldifRecord) {
	t := im.server.tree
	named := make(map[*tree.Entry]bool, len(records))
	for _, r := range records {
		named[t.Find(r.dn)] = true
	}
	for _, e := range slices.Backward(slices.Collect(im.server.domainEntries())) {
		if !named[e] {
			_ = t.Delete(e) // refused for what must stay
		}
	}
}

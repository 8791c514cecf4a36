package fakead

// ModifyRequest on the wire, RFC 4511 4.6.

import "passback/fakead/tree"

// What a change does.
const (
	changeAdd     = 0
	changeDelete  = 1
	changeReplace = 2
)

// A modifyRequest is a decoded one.
type modifyRequest struct {
	dn      string
	changes []change
}

// A change is one clause of a modify request.
type change struct {
	operation int
	name      string
	values    [][]byte
}

// plain is the change as the tree applies it.
func (c change) plain() tree.Change {
	return tree.Change{Op: tree.Op(c.operation), Value: tree.Value{Name: c.name, Values: c.values}}
}

func decodeModify(content []byte) (*modifyRequest, error) {
	r := berReader{rest: content}
	m := &modifyRequest{dn: r.text()}
	list := r.inside(berSequence)
	for list.more() {
		c := list.inside(berSequence)
		one := change{operation: int(c.number(berEnumerated))}
		attribute := c.inside(berSequence)
		one.name = attribute.text()
		values := attribute.inside(berSet)
		for one.values = [][]byte{}; values.more(); {
			one.values = append(one.values, values.take(berOctetString))
		}
		list.bad = list.bad || c.bad || attribute.bad || values.bad
		m.changes = append(m.changes, one)
	}
	if r.bad || list.bad {
		return nil, errUndecodable
	}
	return m, nil
}

// known tells whether all changes are of a kind that RFC 4511 knows.
func (m *modifyRequest) known() bool {
	for _, c := range m.changes {
		if c.operation < changeAdd || c.operation > changeReplace {
			return false
		}
	}
	return true
}

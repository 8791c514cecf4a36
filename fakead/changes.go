package fakead

// The changes of a modify request (RFC 4511 4.6).

import (
	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/jimlambrt/gldap"

	"passback/fakead/tree"
)

// What a change does.
const (
	changeAdd     = 0
	changeDelete  = 1
	changeReplace = 2
)

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

// decodeChanges reads what gldap leaves undone: the values of a change arrive as the BER of their SET.
func decodeChanges(raw []gldap.Change) ([]change, error) {
	changes := make([]change, 0, len(raw))
	for _, r := range raw {
		if r.Operation < changeAdd || r.Operation > changeReplace || len(r.Modification.Vals) != 1 {
			return nil, errUndecodable
		}
		values, err := decodeValues([]byte(r.Modification.Vals[0]))
		if err != nil {
			return nil, err
		}
		changes = append(changes, change{int(r.Operation), r.Modification.Type, values})
	}
	return changes, nil
}

// decodeValues reads the content of a SET OF OCTET STRING.
func decodeValues(set []byte) ([][]byte, error) {
	values := [][]byte{}
	for len(set) > 0 {
		length, start, err := elementLength(set)
		if err != nil || set[0] != byte(ber.TagOctetString) || length > len(set)-start {
			return nil, errUndecodable
		}
		values = append(values, set[start:start+length])
		set = set[start+length:]
	}
	return values, nil
}

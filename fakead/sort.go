package fakead

// Server-side sorting, RFC 2891 and MS-ADTS 3.1.1.3.4.1.13: by one key, as a domain controller does. Left out on
// purpose: the order of languages; strings are in the order of their characters, whatever case, width and accent.

import (
	"bytes"
	"slices"

	"passback/fakead/tree"
)

const (
	oidSort         = "1.2.840.113556.1.4.473"
	oidSortResponse = "1.2.840.113556.1.4.474"

	// the matching rules of English, the only ones that a domain controller has if no other language is installed
	ruleEnglishUS  = "1.2.840.113556.1.4.1499"
	ruleEnglishAUS = "1.2.840.113556.1.4.1665"
)

// A sortKey is an element of SortKeyList.
type sortKey struct {
	attribute string
	rule      string
	reverse   bool
}

// A sortOrder is what the entries of an answer are sorted by.
type sortOrder struct {
	asked     bool
	attribute *tree.Attribute // nil: by nothing
	reverse   bool
	code      int // sortResult
}

// sortOrder reads the control. One that cannot be obeyed is refused if it is critical, else the answer says why it is
// not sorted.
func (s *Server) sortOrder(req *request) (sortOrder, result) {
	c, ok := req.control(oidSort)
	if !ok {
		return sortOrder{}, result{}
	}
	keys, ok := decodeSortKeys(c.value)
	switch {
	case !ok && c.critical:
		return sortOrder{}, s.failedControl()
	case !ok:
		return sortOrder{}, result{}
	}
	order := orderBy(req, keys)
	if order.code != codeSuccess && c.critical {
		refusal := s.failedControl()
		refusal.controls = order.response()
		return order, refusal
	}
	return order, result{}
}

// failedControl is the refusal of a critical control that is known and that cannot be obeyed.
func (s *Server) failedControl() result {
	return result{code: codeCriticalUnavailable, text: s.text.ldapErr(errorInvalidParameter, "0C090B16", "Error processing control", "0")}
}

func orderBy(req *request, keys []sortKey) sortOrder {
	order := sortOrder{asked: true}
	a := tree.LookupAttribute(keys[0].attribute)
	switch rule := keys[0].rule; {
	case len(keys) > 1:
		order.code = codeUnwillingToPerform
	case a == nil:
		order.code = codeNoSuchAttribute
	case a.Constructed || a.NeverReadable || req.conn.hides(a) || rule != "" && rule != ruleEnglishUS && rule != ruleEnglishAUS:
		order.code = codeInappropriateMatching
	default:
		order.attribute, order.reverse = a, keys[0].reverse
	}
	return order
}

// sorted puts entries in order: by the least value of each; who has none, or none that the caller may read, comes last.
func (o sortOrder) sorted(entries []*tree.Entry, value func(*tree.Entry) []byte) []*tree.Entry {
	if o.attribute == nil {
		return entries
	}
	type keyed struct {
		entry *tree.Entry
		value []byte
	}
	list := make([]keyed, len(entries))
	for i, e := range entries {
		list[i] = keyed{e, value(e)}
	}
	slices.SortStableFunc(list, func(a, b keyed) int {
		order := o.compare(a.value, b.value)
		if o.reverse {
			return -order
		}
		return order
	})
	sorted := make([]*tree.Entry, len(list))
	for i, k := range list {
		sorted[i] = k.entry
	}
	return sorted
}

// compare orders values; nil, which is none, is the greatest.
func (o sortOrder) compare(a, b []byte) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	default:
		return o.attribute.Compare(a, b)
	}
}

// sortValue returns what an entry is sorted by.
func (s *Server) sortValue(c *session, o sortOrder) func(*tree.Entry) []byte {
	return func(e *tree.Entry) []byte {
		values := e.Get(o.attribute.Name)
		if len(values) == 0 || !s.accessTo(c, e).reads(o.attribute) {
			return nil
		}
		return slices.MinFunc(values, o.attribute.Compare)
	}
}

// response is the control of the answer: SEQUENCE { sortResult ENUMERATED }.
func (o sortOrder) response() []control {
	if !o.asked {
		return nil
	}
	return []control{{oid: oidSortResponse, value: enumerated(o.code)}}
}

// enumerated writes SEQUENCE { ENUMERATED }.
func enumerated(code int) []byte {
	var w berWriter
	sequence := w.open(berSequence)
	w.number(berEnumerated, int64(code))
	w.close(sequence)
	return w.out
}

// decodeSortKeys reads SEQUENCE OF SEQUENCE { attributeType, orderingRule [0] OPTIONAL, reverseOrder [1] DEFAULT FALSE }.
func decodeSortKeys(value []byte) ([]sortKey, bool) {
	const orderingRule, reverseOrder = berContext, berContext | 1
	outer := berReader{rest: value}
	list := outer.inside(berSequence)
	var keys []sortKey
	for list.more() {
		r := list.inside(berSequence)
		key := sortKey{attribute: r.text()}
		if r.follows(orderingRule) {
			key.rule = string(r.take(orderingRule))
		}
		if r.follows(reverseOrder) {
			key.reverse = !bytes.Equal(r.take(reverseOrder), []byte{0})
		}
		if r.bad || r.more() {
			return nil, false
		}
		keys = append(keys, key)
	}
	return keys, len(keys) > 0 && !list.bad && !outer.more()
}

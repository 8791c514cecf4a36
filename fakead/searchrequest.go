package fakead

// SearchRequest, SearchResultEntry and SearchResultReference on the wire, RFC 4511 4.5.1 and 4.5.2.

import "passback/fakead/tree"

// A searchRequest is a decoded one. The filter is as it came: searchfilter.go reads it.
type searchRequest struct {
	base       string
	scope      tree.Scope
	sizeLimit  int64 // entries
	timeLimit  int64 // seconds
	typesOnly  bool
	filter     []byte
	attributes []string
}

// decodeSearch reads a request. What follows the attributes is of some later version and ignored (RFC 4511 4).
func decodeSearch(content []byte) (*searchRequest, error) {
	r := berReader{rest: content}
	m := &searchRequest{base: r.text(), scope: tree.Scope(r.number(berEnumerated))}
	r.number(berEnumerated) // derefAliases: a domain controller has none
	m.sizeLimit, m.timeLimit = r.number(berInteger), r.number(berInteger)
	m.typesOnly = r.boolean()
	whole := r.rest
	r.next()
	m.filter = whole[:len(whole)-len(r.rest)]
	if r.more() { // a client that leaves the list out asks for all
		list := r.inside(berSequence)
		for list.more() {
			m.attributes = append(m.attributes, list.text())
		}
		r.bad = r.bad || list.bad
	}
	if r.bad {
		return nil, errUndecodable
	}
	return m, nil
}

// isRootDSE: an empty base with base scope.
func (m *searchRequest) isRootDSE() bool { return m.base == "" && m.scope == tree.BaseObject }

// An entryWriter writes one SearchResultEntry.
type entryWriter struct {
	*berWriter
	message, operation, attributes int
}

func (w *berWriter) beginEntry(id int64, dn string) entryWriter {
	e := entryWriter{berWriter: w, message: w.open(berSequence)}
	w.number(berInteger, id)
	e.operation = w.open(berApplication | berConstructed | byte(tagSearchEntry))
	w.text(berOctetString, dn)
	e.attributes = w.open(berSequence)
	return e
}

// attribute writes a PartialAttribute. The values are raw bytes.
func (e entryWriter) attribute(name string, values [][]byte) {
	sequence := e.open(berSequence)
	e.text(berOctetString, name)
	set := e.open(berSet)
	for _, v := range values {
		e.octets(berOctetString, v)
	}
	e.close(set)
	e.close(sequence)
}

func (e entryWriter) end() {
	e.close(e.attributes)
	e.close(e.operation)
	e.close(e.message)
}

// reference writes one search continuation reference.
func (w *berWriter) reference(id int64, url string) {
	w.message(id, tagSearchReference, nil, func() { w.text(berOctetString, url) })
}

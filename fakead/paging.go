package fakead

// Paged results, RFC 2696 and MS-ADTS 3.1.1.3.4.1.7. A cookie names a set of entries, found when the first page was
// asked for, and how many of them were sent; it is good on its own connection, also a second time.

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"strings"

	"passback/fakead/tree"
)

const (
	oidPagedResults      = "1.2.840.113556.1.4.319"
	maxResultSetsPerConn = 10 // MaxResultSetsPerConn: the oldest makes room
	resultSetIDLength    = 16
)

// A resultSet is what a paged search found.
type resultSet struct {
	id      string
	request string // what was asked, which the next pages have to repeat
	entries []*tree.Entry
}

// A resultPage is the part of a result set that a request asks for.
type resultPage struct {
	resultSet
	size    int
	offset  int
	resumed bool                   // entries are those of an earlier request
	keep    func(*tree.Entry) bool // of those of an earlier request, what is found still; nil: all
}

// openPage reads the control. Without it the page is the whole.
func (s *Server) openPage(req *request, m *searchRequest) (page *resultPage, paged bool, refusal result) {
	c, ok := req.control(oidPagedResults)
	if !ok {
		return &resultPage{}, false, result{}
	}
	refusal = result{code: codeCriticalUnavailable, text: s.text.controlError()}
	size, cookie, ok := decodePagedResults(c.value)
	switch {
	case !ok && !c.critical:
		return &resultPage{}, false, result{} // it is ignored, MS-ADTS 3.1.1.3.4.1
	case !ok || size < 0:
		return nil, false, refusal
	}
	page = &resultPage{size: size, resultSet: resultSet{request: searchKey(req, m)}}
	if len(cookie) == 0 {
		return page, true, result{}
	}
	refusal.text = s.text.ldapErr(errorInvalidParameter, "0C090B01", "Error processing control", "0")
	if len(cookie) != resultSetIDLength+4 {
		return nil, false, refusal
	}
	i := slices.IndexFunc(req.session.resultSets, func(r *resultSet) bool { return r.id == cookie[:resultSetIDLength] })
	page.offset = int(binary.BigEndian.Uint32([]byte(cookie[resultSetIDLength:])))
	if i < 0 || req.session.resultSets[i].request != page.request || page.offset > len(req.session.resultSets[i].entries) {
		return nil, false, refusal
	}
	page.resultSet, page.resumed = *req.session.resultSets[i], true
	if size == 0 { // the client gives up
		req.session.resultSets = slices.Delete(req.session.resultSets, i, i+1)
		page.entries, page.offset = nil, 0
	}
	return page, true, result{}
}

// closePage keeps what is left and makes the control of the answer.
func (s *Server) closePage(req *request, page *resultPage, sent int) control {
	end := page.offset + sent
	if end >= len(page.entries) {
		return encodePagedResults("")
	}
	if !page.resumed {
		page.id = randomBytes(resultSetIDLength)
		kept := page.resultSet
		req.session.resultSets = append(req.session.resultSets, &kept)
		if len(req.session.resultSets) > maxResultSetsPerConn {
			req.session.resultSets = req.session.resultSets[1:]
		}
	}
	return encodePagedResults(page.id + string(binary.BigEndian.AppendUint32(nil, uint32(end))))
}

func randomBytes(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, by its documentation
	return string(b)
}

// searchKey is equal for searches that ask for the same entries and attributes, and with the same other controls.
func searchKey(req *request, m *searchRequest) string {
	key := []string{m.base, string(rune('0' + m.scope)), string(m.filter)}
	for _, name := range m.attributes {
		key = append(key, strings.ToLower(name))
	}
	for _, c := range req.controls {
		if c.oid != oidPagedResults {
			key = append(key, c.oid, string(c.value))
		}
	}
	return strings.Join(key, "\x00")
}

// decodePagedResults reads SEQUENCE { size INTEGER, cookie OCTET STRING }.
func decodePagedResults(value []byte) (size int, cookie string, ok bool) {
	outer := berReader{rest: value}
	sequence := outer.inside(berSequence)
	size, cookie = int(sequence.number(berInteger)), sequence.text()
	return size, cookie, !sequence.bad && !sequence.more() && !outer.more()
}

func encodePagedResults(cookie string) control {
	var w berWriter
	sequence := w.open(berSequence)
	w.number(berInteger, 0)
	w.text(berOctetString, cookie)
	w.close(sequence)
	return control{oid: oidPagedResults, value: w.out}
}

package fakead

// Paged results, RFC 2696 and MS-ADTS 3.1.1.3.4.1.7. A cookie names a set of entries, found when the first page was
// asked for, and how many of them were sent; it is good on its own connection, also a second time.

import (
	"crypto/rand"
	"encoding/binary"
	"slices"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/jimlambrt/gldap"

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
	resumed bool // entries are those of an earlier request
}

// openPage reads the control. Without it the page is the whole.
func (s *Server) openPage(req *request, m *gldap.SearchMessage) (page *resultPage, paged bool, refusal result) {
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

// searchKey is equal for searches that ask for the same entries.
func searchKey(req *request, m *gldap.SearchMessage) string {
	return m.BaseDN + "\x00" + string(rune('0'+m.Scope)) + "\x00" + string(req.message.Children[filterPosition].Bytes())
}

// decodePagedResults reads SEQUENCE { size INTEGER, cookie OCTET STRING }.
func decodePagedResults(value []byte) (size int, cookie string, ok bool) {
	p, err := ber.DecodePacketErr(value)
	if err != nil || !isUniversal(p, ber.TagSequence) || len(p.Children) != 2 ||
		!isUniversal(p.Children[0], ber.TagInteger) || !isUniversal(p.Children[1], ber.TagOctetString) {
		return 0, "", false
	}
	n, ok := p.Children[0].Value.(int64)
	return int(n), p.Children[1].Data.String(), ok
}

func encodePagedResults(cookie string) control {
	p := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 0, ""))
	p.AppendChild(octetString(cookie))
	return control{oid: oidPagedResults, value: p.Bytes()}
}

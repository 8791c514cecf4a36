package fakead

// Search, RFC 4511 4.5 and MS-ADTS 3.1.1.3.1.3. Everything is read, and written into the answer, while the directory is
// locked and sent when it no longer is, so that a client that does not read holds up nobody. The controls that change
// what is found have files of their own: sort.go, listview.go, paging.go, attributescope.go, extendeddn.go, dirsync.go.

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"passback/clock"
	"passback/fakead/tree"
)

const (
	maxPageSize = 1000 // MaxPageSize: entries of one answer
)

// OIDs of the controls that change what a search returns.
const (
	oidShowDeleted   = "1.2.840.113556.1.4.417"
	oidShowRecycled  = "1.2.840.113556.1.4.2064"
	oidDomainScope   = "1.2.840.113556.1.4.1339"
	oidSearchOptions = "1.2.840.113556.1.4.1340"
)

// Flags of LDAP_SERVER_SEARCH_OPTIONS_OID.
const (
	domainScopeFlag = 1
	phantomRootFlag = 2
)

const (
	codeTimeLimitExceeded = 3
	formatReferral        = "0000202B: RefErr: DSID-03100835, data 0, 1 access points\n\tref 1: '%s'\n\x00"
)

func (s *Server) search(req *request) result {
	m := req.search
	filter, err := decodeFilter(m.filter)
	if err != nil {
		return result{code: codeProtocolError, text: s.text.undecodable()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	options, ok := searchOptions(req)
	options.phantomRoot = options.phantomRoot || req.conn.catalog
	if !ok {
		return result{code: codeCriticalUnavailable, text: s.text.controlError()}
	}
	if m.isRootDSE() {
		return s.searchRootDSE(req, m)
	}
	var refusal result
	if req.names, refusal = s.nameForm(req); refusal.code != codeSuccess {
		return refusal
	}
	bases, refusal := s.searchBases(req, m, options)
	if refusal.code != codeSuccess {
		return refusal
	}
	sync, refusal := s.dirSync(req, bases[0])
	switch {
	case refusal.code != codeSuccess:
		return refusal
	case sync != nil:
		return s.sync(req, m, sync, bases[0], filter)
	}
	scoped, response, refusal := s.attributeScope(req, m, bases)
	if refusal.code != codeSuccess {
		return refusal
	}
	res, complete := s.searchPage(req, m, scoped, filter)
	res.controls = append(res.controls, response...)
	if complete && options.references() {
		for _, url := range s.continuations(bases[0], m.scope) {
			req.answer.reference(req.id, url)
		}
	}
	return res
}

// searchPage finds and orders the entries below the bases, and answers a part of them.
func (s *Server) searchPage(req *request, m *searchRequest, bases []*tree.Entry, filter *tree.Filter) (res result, complete bool) {
	order, refusal := s.sortOrder(req)
	if refusal.code != codeSuccess {
		return refusal, false
	}
	view, viewed, refusal := s.listView(req, order)
	if refusal.code != codeSuccess {
		return refusal, false
	}
	page, paged, refusal := s.openPage(req, m)
	if refusal.code != codeSuccess {
		return refusal, false
	}
	if paged && viewed.asked {
		return s.failedControl(), false // as Windows: two ways to ask for a part exclude each other
	}
	if !page.resumed {
		var timedOut bool
		if page.entries, timedOut = s.matching(req, m, bases, filter); timedOut {
			return result{code: codeTimeLimitExceeded}, false
		}
		page.entries = order.sorted(page.entries, s.sortValue(req.session, order))
	}
	if view != nil {
		page.entries, viewed = view.cut(page.entries, order, s.sortValue(req.session, order))
	}
	if page.resumed {
		page.keep = s.stillFound(req, m, filter)
	}
	res, complete = s.answerPage(req, m, page, paged)
	res.controls = slices.Concat(res.controls, order.response(), viewed.response())
	return res, complete
}

// matching evaluates the filter over all bases.
func (s *Server) matching(req *request, m *searchRequest, bases []*tree.Entry, filter *tree.Filter) (found []*tree.Entry, timedOut bool) {
	limit := maxQueryDuration
	if asked := time.Duration(m.timeLimit) * time.Second; asked > 0 && asked < limit {
		limit = asked
	}
	deadline := clock.Real().Now().Add(limit)
	query := s.query(req, m, filter)
	for _, base := range bases {
		query.Base = base
		for e := range s.tree.Search(query) {
			if len(found)%1024 == 1023 && clock.Real().Now().After(deadline) {
				return nil, true
			}
			if s.shows(req, e) {
				found = append(found, e)
			}
		}
	}
	return found, false
}

func (s *Server) query(req *request, m *searchRequest, filter *tree.Filter) tree.Query {
	return tree.Query{
		Scope: m.scope, Filter: filter, Deleted: req.showsDeleted(), Hidden: req.conn.hides,
		Unreadable: func(e *tree.Entry, a *tree.Attribute) bool { return !s.accessTo(req.session, e).reads(a) },
	}
}

// shows tells whether what a filter has found is for the caller's eyes.
func (s *Server) shows(req *request, e *tree.Entry) bool {
	return (e.First("isDeleted") != "TRUE" || req.showsDeleted()) && s.visible(req.session, e)
}

// stillFound tells, of what an earlier page left, what would be found now.
func (s *Server) stillFound(req *request, m *searchRequest, filter *tree.Filter) func(*tree.Entry) bool {
	match := s.tree.Matcher(s.query(req, m, filter))
	return func(e *tree.Entry) bool { return s.tree.Keeps(e) && s.shows(req, e) && match(e) }
}

// showsDeleted tells whether a search finds what is deleted: by a control for that, or by DirSync.
func (r *request) showsDeleted() bool {
	for _, oid := range []string{oidShowDeleted, oidShowRecycled, oidDirSync} {
		if _, asked := r.control(oid); asked {
			return true
		}
	}
	return false
}

// answerPage renders as many entries as the client and the server allow, and says what became of the rest.
func (s *Server) answerPage(req *request, m *searchRequest, page *resultPage, paged bool) (res result, complete bool) {
	limit := maxPageSize
	if paged && page.size < limit {
		limit = page.size
	}
	sizeLimit := int(min(m.sizeLimit, maxPageSize))
	if sizeLimit > 0 && sizeLimit < limit {
		limit, paged = sizeLimit, false
	}
	rest := page.entries[page.offset:]
	now := rest[:min(limit, len(rest))]
	complete = len(now) == len(rest)
	selected := req.conn.selectAttributes(m.attributes)
	for _, e := range now {
		if page.keep == nil || page.keep(e) {
			s.render(req, m, e, selected)
		}
	}
	switch {
	case paged:
		res.controls = []control{s.closePage(req, page, len(now))}
	case !complete:
		res.code = codeSizeLimitExceeded
	}
	return res, complete
}

// options are the flags of the controls that widen or narrow a search.
type options struct{ domainScope, phantomRoot bool }

func (o options) references() bool { return !o.domainScope && !o.phantomRoot }

func searchOptions(req *request) (options, bool) {
	var o options
	if c, ok := req.control(oidSearchOptions); ok {
		flags, valid := hintsFlags(c.value) // the same SEQUENCE { Flags INTEGER }
		if !valid {
			return o, false
		}
		o.domainScope, o.phantomRoot = flags&domainScopeFlag != 0, flags&phantomRootFlag != 0
	}
	if _, ok := req.control(oidDomainScope); ok {
		o.domainScope = true
	}
	return o, true
}

// searchBases finds where a search begins: one entry, or with the phantom root the naming contexts below too.
func (s *Server) searchBases(req *request, m *searchRequest, o options) ([]*tree.Entry, result) {
	name := m.base
	if o.phantomRoot && name == "" {
		return s.tree.Heads(), result{}
	}
	resolve, deleted := s.tree.Resolve, req.showsDeleted()
	if deleted {
		resolve = s.tree.ResolveDeleted
	}
	base, err := resolve(name)
	if tree.NoSuchObject(err) {
		if referral, ok := s.referElsewhere(name); ok {
			return nil, referral
		}
	}
	switch {
	case err != nil:
	case !s.reaches(req.session, base, m.scope):
		err = s.tree.Missing(base.DN())
	case !deleted && base.First("isDeleted") == "TRUE":
		err = s.tree.Buried(base)
	}
	if err != nil {
		return nil, s.treeResult(err)
	}
	bases := []*tree.Entry{base}
	if o.phantomRoot {
		for _, head := range s.tree.Heads() {
			if head != base && head.DN().Under(base.DN()) {
				bases = append(bases, head)
			}
		}
	}
	return bases, result{}
}

// referElsewhere answers for a name that lies in no naming context of this server but in some domain's.
func (s *Server) referElsewhere(name string) (result, bool) {
	dn, err := tree.ParseDN(name)
	if err != nil || s.tree.Holds(dn) {
		return result{}, false
	}
	var labels []string
	for _, rdn := range dn {
		if strings.EqualFold(rdn.Type, "DC") {
			labels = append(labels, rdn.Value)
		}
	}
	if len(labels) == 0 {
		return result{}, false
	}
	return referral(strings.Join(labels, "."), dn), true
}

// referral sends a client to another server.
func referral(host string, dn tree.DN) result {
	return result{
		code:      codeReferral,
		text:      fmt.Sprintf(formatReferral, host),
		referrals: []string{"ldap://" + host + "/" + urlDN(dn)},
	}
}

// continuations are the references to naming contexts below the base of a search.
func (s *Server) continuations(base *tree.Entry, scope tree.Scope) []string {
	var urls []string
	if scope == tree.BaseObject {
		return nil
	}
	for _, head := range s.tree.Subordinates(base) {
		url := "ldap://" + s.domain + "/" + urlDN(head.DN())
		if scope == tree.SingleLevel {
			url += "??base"
		}
		urls = append(urls, url)
	}
	return urls
}

// urlDN escapes what may not stand in an LDAP URL (RFC 4516).
func urlDN(dn tree.DN) string { return urlEscapes.Replace(dn.String()) }

var urlEscapes = strings.NewReplacer("%", "%25", " ", "%20", "?", "%3F", "#", "%23", `"`, "%22", `\`, "%5C")

package fakead

// Which handler serves an operation, and what holds for every operation before its handler sees it. The front
// decodes itself what has to be quick, bind, search and modify, and what gldap cannot route: compare, modifyDN and
// extended operations. Left out on purpose: Sicily (NTLM).

import ber "github.com/go-asn1-ber/asn1-ber"

// An operation is one of RFC 4511's.
type operation struct {
	tag    ber.Tag
	handle func(*Server, *request) result // nil: gldap routes it
	feature
}

var operations = []operation{
	{tagSearch, (*Server).search, feature{"Search", yes, "derefAliases and size limits above MaxPageSize have no effect, as on Windows"}},
	{tagBind, (*Server).bind, feature{"Bind", partly, "simple, versions 2 and 3, with all forms of names; EXTERNAL after StartTLS, and by the handshake of LDAPS, with a client certificate that is mapped by its UPN or by altSecurityIdentities (weak mappings too, SHA1-PUKEY not); GSSAPI, GSS-SPNEGO and DIGEST-MD5, though rootDSE lists them, and Sicily (NTLM) are refused (7 / 00002027)"}},
	{tagModify, (*Server).modify, feature{"Modify", yes, ""}},
	{tagAdd, nil, feature{"Add", yes, ""}},
	{tagDelete, nil, feature{"Delete", yes, "leaves a tombstone for 180 days; no Recycle Bin, which is off in a new forest; no undelete"}},
	{tagModifyDN, (*Server).modifyDN, feature{"ModifyDN", yes, "within the domain"}},
	{tagCompare, (*Server).compare, feature{"Compare", yes, ""}},
	{tagExtended, (*Server).extended, feature{"Extended", yes, "the operations below; any other is 2 / 0000203D, Password Modify too"}},
	{tagAbandon, nil, feature{"Abandon", yes, "what it names has been answered by then: a connection's requests are served in order"}},
	{tagUnbind, nil, feature{"Unbind", yes, ""}},
}

// ownHandler returns how the server answers a request past gldap; nil leaves it to gldap.
func (s *Server) ownHandler(req *request) handler {
	if !s.supportsCriticalControls(req) {
		return fails(result{code: codeCriticalUnavailable, text: s.text.controlError()})
	}
	if isWrite(req.operation) && req.conn.catalog {
		return fails(result{code: codeUnwillingToPerform, text: s.text.catalogWrite()})
	}
	if needsBind(req) && !req.session.bound.Load() && !s.allowsAnonymous(req) {
		return fails(result{code: codeOperationsError, text: s.text.notBound()})
	}
	if s.readOnly && isWrite(req.operation) {
		return s.referWrite
	}
	for _, o := range operations {
		switch {
		case o.tag != req.operation:
		case o.handle == nil:
			return nil
		default:
			return func(req *request) result { return o.handle(s, req) }
		}
	}
	return fails(result{code: codeProtocolError, text: s.text.undecodable()})
}

func fails(res result) handler { return func(*request) result { return res } }

func (s *Server) supportsCriticalControls(req *request) bool {
	for _, c := range req.controls {
		if c.critical && !s.supportsControl(c.oid) {
			return false
		}
	}
	return true
}

// allowsAnonymous: dSHeuristics may let those read who have not bound, what their rights let them read. Left out on
// purpose: writes of anonymous callers, which stay refused.
func (s *Server) allowsAnonymous(req *request) bool {
	if req.operation != tagSearch && req.operation != tagCompare {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heuristic(heuristicAnonymous) == '2'
}

// needsBind: only rootDSE, binds and extended operations are for everyone (MS-ADTS 5.1.1.1).
func needsBind(req *request) bool {
	switch req.operation {
	case tagBind, tagExtended:
		return false
	case tagSearch:
		return !req.search.isRootDSE()
	default:
		return true
	}
}

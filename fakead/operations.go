package fakead

// Which handler serves an operation, and what holds for every operation before its handler sees it. The front
// decodes itself what has to be quick, bind, search and modify, and what gldap cannot route: compare, modifyDN and
// extended operations. Left out on purpose: SASL, Sicily (NTLM).

// ownHandler returns how the server answers a request past gldap; nil leaves it to gldap.
func (s *Server) ownHandler(req *request) handler {
	if !s.supportsCriticalControls(req) {
		return fails(result{code: codeCriticalUnavailable, text: s.text.controlError()})
	}
	if needsBind(req) && !req.session.bound.Load() {
		return fails(result{code: codeOperationsError, text: s.text.notBound()})
	}
	switch req.operation {
	case tagBind:
		return s.bind
	case tagSearch:
		return s.search
	case tagModify:
		return s.modify
	case tagExtended:
		return s.extended
	case tagCompare:
		return s.compare
	case tagModifyDN:
		return s.modifyDN
	case tagAdd, tagDelete:
		return nil
	default:
		return fails(result{code: codeProtocolError, text: s.text.undecodable()})
	}
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

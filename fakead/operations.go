package fakead

// The operations that gldap cannot route, which a domain controller answers all the same: binds of another
// kind than simple version 3, compare, modifyDN and extended operations; and what holds for every operation
// before its handler sees it. Left out on purpose: SASL, Sicily (NTLM).

import (
	ber "github.com/go-asn1-ber/asn1-ber"
)

// ownHandler returns how the server answers a request past gldap; nil leaves it to gldap.
func (s *Server) ownHandler(req *request) handler {
	if !s.supportsCriticalControls(req) {
		return fails(result{code: codeCriticalUnavailable, text: s.text.controlError()})
	}
	if needsBind(req) && !s.isBound(req.session) {
		return fails(result{code: codeOperationsError, text: s.text.notBound()})
	}
	switch req.operation {
	case tagBind:
		return s.bindHandler(req)
	case tagExtended:
		return s.extended
	case tagCompare:
		return s.compare
	case tagModifyDN:
		return s.modifyDN
	case tagSearch, tagModify, tagAdd, tagDelete:
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
		return !isRootDSE(req.message)
	default:
		return true
	}
}

// isRootDSE: an empty base with base scope.
func isRootDSE(search *ber.Packet) bool {
	return len(search.Children) > 1 && search.Children[0].Data.Len() == 0 && search.Children[1].Value == int64(0)
}

// bindHandler leaves the simple bind of version 3 to gldap, which drops the connection for any other.
func (s *Server) bindHandler(req *request) handler {
	parts := req.message.Children
	if len(parts) != 3 || !isUniversal(parts[0], ber.TagInteger) || !isUniversal(parts[1], ber.TagOctetString) || parts[2].ClassType != ber.ClassContext {
		return fails(result{code: codeProtocolError, text: s.text.undecodable()})
	}
	if parts[2].Tag != 0 {
		return func(req *request) result {
			s.forget(req.session)
			return result{code: codeAuthMethodUnsupported, text: s.text.authMethod()}
		}
	}
	switch parts[0].Value {
	case int64(3):
		return nil
	case int64(2):
		return func(req *request) result {
			return s.simpleBind(req, parts[1].Data.String(), parts[2].Data.String())
		}
	default:
		return fails(result{code: codeProtocolError, text: s.text.undecodable()})
	}
}

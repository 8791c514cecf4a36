package fakead

// Extended operations (RFC 4511 4.12, MS-ADTS 3.1.1.3.4.2): StartTLS (RFC 4511 4.14), Who am I? (RFC 4532), fast bind, and
// the refresh of dynamic objects (RFC 2589), of which there are none. Password Modify (RFC 3062) is unknown to a domain
// controller and answered so.

import (
	ber "github.com/go-asn1-ber/asn1-ber"

	"passback/fakead/tree"
)

const (
	oidStartTLS     = "1.3.6.1.4.1.1466.20037"
	oidRefresh      = "1.3.6.1.4.1.1466.101.119.1"
	oidFastBind     = microsoftLDAP + "1781"
	oidWhoAmI       = "1.3.6.1.4.1.4203.1.11.3"
	oidBatchRequest = microsoftLDAP + "2212"
)

// An extendedOperation is one that rootDSE lists.
type extendedOperation struct {
	oid    string
	handle func(*Server, *request, []byte) result // with the requestValue
	feature
}

var extendedOperations = []extendedOperation{
	{oidStartTLS, (*Server).startTLS, feature{"LDAP_SERVER_START_TLS_OID", yes, ""}},
	{oidRefresh, (*Server).refresh, feature{"LDAP_TTL_REFRESH_OID", partly, "there are no dynamic objects: 65 for any other, as RFC 2589 says"}},
	{oidFastBind, (*Server).fastBind, feature{"LDAP_SERVER_FAST_BIND_OID", yes, ""}},
	{oidWhoAmI, (*Server).whoAmI, feature{"LDAP_SERVER_WHO_AM_I_OID", yes, ""}},
	{oidBatchRequest, (*Server).batch, feature{"LDAP_SERVER_BATCH_REQUEST_OID", no, "answered with 53"}},
}

func extensionOIDs() []string {
	var oids []string
	for _, o := range extendedOperations {
		oids = append(oids, o.oid)
	}
	return oids
}

func (s *Server) extended(req *request) result {
	parts := req.message.Children
	if len(parts) == 0 || parts[0].ClassType != ber.ClassContext || parts[0].Tag != 0 {
		return result{code: codeProtocolError, text: s.text.undecodable()}
	}
	var value []byte
	if len(parts) > 1 {
		value = parts[1].Data.Bytes()
	}
	for _, o := range extendedOperations {
		if o.oid == parts[0].Data.String() {
			return o.handle(s, req, value)
		}
	}
	return result{code: codeProtocolError, text: s.text.unknownExtended()}
}

func (s *Server) startTLS(req *request, _ []byte) result {
	if req.session.encrypted {
		return result{code: codeOperationsError, text: s.text.alreadySecured(), name: oidStartTLS}
	}
	req.upgrade = s.tls
	return result{name: oidStartTLS}
}

// whoAmI is the authorization identity of RFC 4532, as a domain controller writes it.
func (s *Server) whoAmI(req *request, _ []byte) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.session.user == nil {
		return result{}
	}
	return result{value: []byte("u:" + s.netbios + `\` + req.session.user.First("sAMAccountName"))}
}

// fastBind makes the connection one that only judges names and passwords: whoever binds is not bound afterwards.
func (s *Server) fastBind(req *request, _ []byte) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.session.user != nil {
		return svcErr(errorDSUnwilling, "0C090E16")
	}
	req.session.fastBind = true
	return result{name: oidFastBind}
}

// refresh reads SEQUENCE { entryName [0] LDAPDN, requestTtl [1] INTEGER }.
func (s *Server) refresh(req *request, value []byte) result {
	const entryName, requestTTL = berContext, berContext | 1
	outer := berReader{rest: value}
	r := outer.inside(berSequence)
	name := string(r.take(entryName))
	r.number(requestTTL)
	if r.bad {
		return result{code: codeProtocolError, text: s.text.undecodable()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.tree.Resolve(name); err != nil {
		return s.treeResult(err)
	}
	return s.treeResult(tree.NotDynamic())
}

func (s *Server) batch(*request, []byte) result { return svcErr(errorDSUnwilling, "0C090E16") }

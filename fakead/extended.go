package fakead

// Extended operations: StartTLS (RFC 4511 4.14) and Who am I? (RFC 4532). Password Modify (RFC 3062) is
// unknown to a domain controller and answered so. Left out on purpose: fast bind, the refresh of dynamic
// entries, batch requests.

import ber "github.com/go-asn1-ber/asn1-ber"

const (
	oidStartTLS = "1.3.6.1.4.1.1466.20037"
	oidWhoAmI   = "1.3.6.1.4.1.4203.1.11.3"
)

func (s *Server) extended(req *request) result {
	parts := req.message.Children
	if len(parts) == 0 || parts[0].ClassType != ber.ClassContext || parts[0].Tag != 0 {
		return result{code: codeProtocolError, text: s.text.undecodable()}
	}
	switch parts[0].Data.String() {
	case oidStartTLS:
		return s.startTLS(req)
	case oidWhoAmI:
		return result{value: []byte(s.whoAmI(req.session))}
	default:
		return result{code: codeProtocolError, text: s.text.unknownExtended()}
	}
}

func (s *Server) startTLS(req *request) result {
	if req.session.encrypted {
		return result{code: codeOperationsError, text: s.text.alreadySecured(), name: oidStartTLS}
	}
	req.upgrade = s.tls
	return result{name: oidStartTLS}
}

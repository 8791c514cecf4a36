package fakead

// SASL binds, MS-ADTS 5.1.1.1.2 and 5.1.1.2: EXTERNAL, which binds as the account that a client's certificate is mapped
// to. Over LDAPS the handshake itself binds, and EXTERNAL is refused; after StartTLS it takes EXTERNAL. A certificate that
// does not verify, or is of nobody who may log on, is as none. Left out on purpose: GSSAPI, GSS-SPNEGO and DIGEST-MD5,
// which rootDSE lists as every domain controller does, and which are refused as a mechanism that is not there.

import (
	"crypto/tls"
	"crypto/x509"
	"strings"

	"passback/clock"
	"passback/fakead/password"
	"passback/fakead/tree"
)

const mechanismExternal = "EXTERNAL"

// saslBind ends with the connection anonymous, or bound as its certificate says.
func (s *Server) saslBind(req *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	session := req.session
	session.become(nil)
	if !strings.EqualFold(req.bind.mechanism, mechanismExternal) || session.fastBind || session.ldaps && session.certificate != nil {
		return result{code: codeAuthMethodUnsupported, text: s.text.authMethod()}
	}
	user := s.accountOfCertificate(session.certificate)
	if user == nil || !s.authorizes(req.bind.authorization, user) || !s.logonByCertificate(session, user) {
		return result{code: codeInvalidCredentials, text: s.text.noTLSCredentials()}
	}
	return result{}
}

// authorizes judges an authzId, which may only say once more who the certificate is of, as a DN: the dnAuthzId of
// RFC 4513 5.2.1.8.
func (s *Server) authorizes(id string, user *tree.Entry) bool {
	dn, isDN := strings.CutPrefix(id, "dn:")
	return id == "" || isDN && s.byDN(dn) == user
}

// bindByHandshake binds an LDAPS connection as its certificate says, if it says anything.
func (s *Server) bindByHandshake(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ldaps = true
	if user := s.accountOfCertificate(c.certificate); user != nil {
		s.logonByCertificate(c, user)
	}
}

func (s *Server) logonByCertificate(c *session, user *tree.Entry) bool {
	account := loadAccount(user)
	account.ElsewhereOnly = s.elsewhereOnly(user.First("userWorkstations"))
	before := *account
	admission := account.LogonByCertificate(s.policyFor(user), s.clock.Now())
	saveAccount(s.setter(user), &before, account)
	if admission != password.Admitted {
		return false
	}
	s.loggedOn(c, user)
	return true
}

// clientCertificate is the one that a handshake brought, if it is for client authentication and of an authority that
// is trusted; else nil. Its time is the wire's, as all of TLS.
func (s *Server) clientCertificate(state tls.ConnectionState) *x509.Certificate {
	if len(state.PeerCertificates) == 0 {
		return nil
	}
	leaf, intermediates := state.PeerCertificates[0], x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		intermediates.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: s.clientCAs, Intermediates: intermediates, CurrentTime: clock.Real().Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		s.log.Debug("a client's certificate is not trusted", "error", err)
		return nil
	}
	return leaf
}

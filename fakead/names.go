package fakead

import (
	"net"
	"strings"

	"passback/clock"
	"passback/localca"
)

// LDAPURL is where LDAP and StartTLS are served, empty if no port was opened.
func (s *Server) LDAPURL() string { return urlOf("ldap", s.ldap) }

// LDAPSURL is where LDAPS is served, empty if no port was opened.
func (s *Server) LDAPSURL() string { return urlOf("ldaps", s.ldaps) }

func urlOf(scheme string, l net.Listener) string {
	if l == nil {
		return ""
	}
	return scheme + "://" + l.Addr().String()
}

// CA signed the server's certificate.
func (s *Server) CA() *localca.Authority { return s.ca }

// Clock is the domain's time.
func (s *Server) Clock() clock.Clock { return s.clock }

// Domain is the DNS name of the domain.
func (s *Server) Domain() string { return s.domain }

// NetBIOS is the domain's short name.
func (s *Server) NetBIOS() string { return s.netbios }

const dcName = "DC1" // NetBIOS name of the domain controller

// HostName is the DNS name of the domain controller.
func (s *Server) HostName() string { return "dc1." + s.domain }

// BaseDN is the distinguished name of the domain's head.
func (s *Server) BaseDN() string { return "DC=" + strings.ReplaceAll(s.domain, ".", ",DC=") }

// AdminDN is the distinguished name of Administrator.
func (s *Server) AdminDN() string { return "CN=Administrator,CN=Users," + s.BaseDN() }

// AdminPassword is Administrator's as it was at start.
func (s *Server) AdminPassword() string { return s.adminPassword }

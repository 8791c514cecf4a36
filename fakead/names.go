package fakead

import (
	"fmt"
	"io"
	"net"
	"strings"

	"passback/clock"
	"passback/localca"
)

// LDAPURL is where LDAP and StartTLS are served, empty if no port was opened.
func (s *Server) LDAPURL() string { return urlOf("ldap", s.ldap) }

// LDAPSURL is where LDAPS is served, empty if no port was opened.
func (s *Server) LDAPSURL() string { return urlOf("ldaps", s.ldaps) }

// GCURL is where the global catalog is served, with StartTLS too, empty if no port was opened.
func (s *Server) GCURL() string { return urlOf("ldap", s.gc) }

// GCSURL is where the global catalog is served with TLS, empty if no port was opened.
func (s *Server) GCSURL() string { return urlOf("ldaps", s.gcs) }

func urlOf(scheme string, l net.Listener) string {
	if l == nil {
		return ""
	}
	return scheme + "://" + l.Addr().String()
}

// Format keeps what a domain controller knows out of logs, whatever the verb.
func (s *Server) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.HostName()) }

// CA signed the server's certificate.
func (s *Server) CA() *localca.Authority { return s.ca }

// Clock is the domain's time.
func (s *Server) Clock() clock.Clock { return s.clock }

// Domain is the DNS name of the domain.
func (s *Server) Domain() string { return s.domain }

// NetBIOS is the domain's short name.
func (s *Server) NetBIOS() string { return s.netbios }

// HostName is the DNS name of the domain controller.
func (s *Server) HostName() string { return s.host + "." + s.domain }

// Forest is what the domain controller belongs to: the way to its DNS, and to others of its domain.
func (s *Server) Forest() *Forest { return s.forest }

// Site is the name of the site that the domain controller is in.
func (s *Server) Site() string { return s.site }

// computerName is the NetBIOS name of the domain controller.
func (s *Server) computerName() string { return strings.ToUpper(s.host) }

// computerDN is the name of the domain controller's account.
func (s *Server) computerDN() string {
	return "CN=" + s.computerName() + ",OU=Domain Controllers," + s.BaseDN()
}

// serverDN is the name of the domain controller's object in its site.
func (s *Server) serverDN() string {
	return "CN=" + s.computerName() + ",CN=Servers,CN=" + s.site + ",CN=Sites,CN=Configuration," + s.BaseDN()
}

// settingsDN is the name of the DSA's object, by which roles and partners name it.
func (s *Server) settingsDN() string { return "CN=NTDS Settings," + s.serverDN() }

// BaseDN is the distinguished name of the domain's head.
func (s *Server) BaseDN() string { return "DC=" + strings.ReplaceAll(s.domain, ".", ",DC=") }

// AdminDN is the distinguished name of Administrator.
func (s *Server) AdminDN() string { return "CN=Administrator,CN=Users," + s.BaseDN() }

// AdminPassword is Administrator's as it was at start.
func (s *Server) AdminPassword() string { return s.adminPassword }

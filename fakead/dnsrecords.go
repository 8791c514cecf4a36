package fakead

// The DNS records by which a domain controller is found: MS-ADTS 6.3.2 (DNS record registrations), by the names of
// 6.3.1.10. A read-only one has those of its own site and the alias of its DSA (MS-NRPC 3.5.4.3.11). The records of
// Kerberos are there as in life, though nobody serves those ports.
//
// Left out on purpose: sites that have no domain controller and are covered by another's.

import (
	"cmp"
	"net"
	"strings"

	"github.com/miekg/dns"
)

const (
	recordTTL     = 600 // seconds: Netlogon's DnsTtl
	defaultWeight = 100 // Netlogon's LdapSrvWeight

	kerberosPort = 88
	kpasswdPort  = 464
)

// A registration is an SRV record that every domain controller has.
type registration struct {
	owner string               // with {domain}, which is the forest too, {site} and {guid}, the domain's
	port  func(*Server) uint16 // 0: it is not served
	pdc   bool                 // only the PDC emulator has it
}

var registrations = []registration{
	{owner: "_ldap._tcp.{domain}", port: (*Server).ldapPort},
	{owner: "_ldap._tcp.{site}._sites.{domain}", port: (*Server).ldapPort},
	{owner: "_ldap._tcp.pdc._msdcs.{domain}", port: (*Server).ldapPort, pdc: true},
	{owner: "_ldap._tcp.{guid}.domains._msdcs.{domain}", port: (*Server).ldapPort},
	{owner: "_ldap._tcp.dc._msdcs.{domain}", port: (*Server).ldapPort},
	{owner: "_ldap._tcp.{site}._sites.dc._msdcs.{domain}", port: (*Server).ldapPort},
	{owner: "_ldap._tcp.gc._msdcs.{domain}", port: (*Server).gcPort},
	{owner: "_ldap._tcp.{site}._sites.gc._msdcs.{domain}", port: (*Server).gcPort},
	{owner: "_gc._tcp.{domain}", port: (*Server).gcPort},
	{owner: "_gc._tcp.{site}._sites.{domain}", port: (*Server).gcPort},
	{owner: "_kerberos._tcp.dc._msdcs.{domain}", port: always(kerberosPort)},
	{owner: "_kerberos._tcp.{site}._sites.dc._msdcs.{domain}", port: always(kerberosPort)},
	{owner: "_kerberos._tcp.{domain}", port: always(kerberosPort)},
	{owner: "_kerberos._tcp.{site}._sites.{domain}", port: always(kerberosPort)},
	{owner: "_kerberos._udp.{domain}", port: always(kerberosPort)},
	{owner: "_kpasswd._tcp.{domain}", port: always(kpasswdPort)},
	{owner: "_kpasswd._udp.{domain}", port: always(kpasswdPort)},
}

func always(port uint16) func(*Server) uint16 { return func(*Server) uint16 { return port } }

func (s *Server) ldapPort() uint16 { return portOf(s.ldap) }

func (s *Server) gcPort() uint16 { return portOf(s.gc) }

func portOf(l net.Listener) uint16 {
	if l == nil {
		return 0
	}
	address, _ := l.Addr().(*net.TCPAddr)
	return uint16(address.Port)
}

// SetRegistered takes the domain controller's records out of DNS, as Netlogon does when it is stopped in good order, or
// puts them back. Its host's addresses stay, and Stop leaves all, as a power failure does.
func (s *Server) SetRegistered(registered bool) { s.unregistered.Store(!registered) }

// records are those of the domain controller and of its host. Which of them has the PDC emulator's is told by what each
// knows: after a seizure the former one keeps its own until it has heard of that.
func (s *Server) records() []dns.RR {
	records := s.addressRecords(s.HostName())
	if s.unregistered.Load() {
		return records
	}
	s.mu.Lock()
	isPDC, domain, dsa := s.isPDC(), s.tree.Find(s.tree.Base()), s.byDN(s.settingsDN())
	s.mu.Unlock()
	names := strings.NewReplacer("{domain}", s.domain, "{site}", strings.ToLower(s.site), "{guid}", domain.GUID().String())
	for _, r := range registrations {
		port := r.port(s)
		if port == 0 || r.pdc && !isPDC || s.readOnly && !strings.Contains(r.owner, "{site}") {
			continue
		}
		records = append(records, &dns.SRV{
			Hdr: header(names.Replace(r.owner), dns.TypeSRV), Priority: s.priority, Weight: s.weight, Port: port, Target: dns.Fqdn(s.HostName()),
		})
	}
	if dsa != nil {
		alias := dsa.GUID().String() + "._msdcs." + s.domain
		records = append(records, &dns.CNAME{Hdr: header(alias, dns.TypeCNAME), Target: dns.Fqdn(s.HostName())})
	}
	if !s.readOnly {
		records = append(records, s.addressRecords(s.domain)...)
	}
	if !s.readOnly && s.gcPort() != 0 {
		records = append(records, s.addressRecords("gc._msdcs."+s.domain)...)
	}
	return records
}

func (s *Server) addressRecords(owner string) (records []dns.RR) {
	for _, ip := range reachableAt(net.ParseIP(s.forest.options.Listen)) {
		if v4 := ip.To4(); v4 != nil {
			records = append(records, &dns.A{Hdr: header(owner, dns.TypeA), A: v4})
		} else {
			records = append(records, &dns.AAAA{Hdr: header(owner, dns.TypeAAAA), AAAA: ip})
		}
	}
	return records
}

// reachableAt are the addresses of who listens at ip: of all adapters, where that is 0.0.0.0 or ::.
func reachableAt(ip net.IP) (all []net.IP) {
	if !ip.IsUnspecified() {
		return []net.IP{ip}
	}
	adapters, _ := net.InterfaceAddrs() // none can be told: no records
	for _, a := range adapters {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			all = append(all, n.IP)
		}
	}
	return all
}

func header(owner string, kind uint16) dns.RR_Header {
	return dns.RR_Header{Name: dns.Fqdn(owner), Rrtype: kind, Class: dns.ClassINET, Ttl: recordTTL}
}

// setLocation sets how clients that find the domain controller by DNS weigh it (RFC 2782).
func (s *Server) setLocation(dc DC) {
	s.priority, s.weight = dc.Priority, cmp.Or(dc.Weight, defaultWeight)
}

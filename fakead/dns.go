package fakead

// DNS for a forest, RFC 1034 and 1035: one zone with the records of its domain controllers (dnsrecords.go), as Windows'
// DNS server answers for it on a domain controller. It forwards nothing, so that no other name exists.
//
// Left out on purpose: dynamic updates, zone transfers, a zone of its own for _msdcs, DNSSEC.

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/miekg/dns"
	"golang.org/x/net/netutil"
)

const (
	maxDNSConnections = 100 // over TCP, at once
	maxUDPAnswer      = 4096
	portAttempts      = 10 // to find a port that is free for TCP and for UDP
)

// Resolver asks the forest's DNS, in this process and without a socket: for code that finds domain controllers by DNS.
func (f *Forest) Resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go f.answerPipe(server)
		return client, nil
	}}
}

// answerPipe answers what comes as over TCP.
func (f *Forest) answerPipe(server net.Conn) {
	defer server.Close()
	for conn := (&dns.Conn{Conn: server}); ; {
		query, err := conn.ReadMsg()
		if err != nil || len(query.Question) != 1 || conn.WriteMsg(f.answerDNS(query)) != nil {
			return
		}
	}
}

// ListenDNS serves the forest's DNS to other processes too, on UDP and TCP, at Options.Listen and a port, of which 0
// picks a free one, until the last domain controller is closed. The address is where.
func (f *Forest) ListenDNS(port int) (address string, err error) {
	stream, packets, err := listenBoth(f.options.Listen, port)
	if err != nil {
		return "", fmt.Errorf("listen for DNS on %s port %d: %w (port 0 picks a free one)", f.options.Listen, port, err)
	}
	address = stream.Addr().String()
	for _, server := range []*dns.Server{{Listener: netutil.LimitListener(stream, maxDNSConnections)}, {PacketConn: packets}} {
		var started sync.WaitGroup
		started.Add(1)
		server.Handler, server.NotifyStartedFunc = dns.HandlerFunc(f.serveDNS), started.Done
		go func() {
			if err := server.ActivateAndServe(); err != nil {
				f.options.Logger.Error("DNS failed", "address", address, "error", err)
			}
		}()
		started.Wait()
		f.mu.Lock()
		f.dns = append(f.dns, server)
		f.mu.Unlock()
	}
	return address, nil
}

// listenBoth takes the same port for TCP and for UDP.
func listenBoth(ip string, port int) (stream net.Listener, packets net.PacketConn, err error) {
	for range portAttempts {
		if stream, err = net.Listen("tcp", net.JoinHostPort(ip, strconv.Itoa(port))); err != nil {
			return nil, nil, err //nolint:wrapcheck // the caller says what for
		}
		if packets, err = net.ListenPacket("udp", stream.Addr().String()); err == nil {
			return stream, packets, nil
		}
		_ = stream.Close()
		if port != 0 {
			break
		}
	}
	return nil, nil, err //nolint:wrapcheck // the caller says what for
}

// closeDNS ends what ListenDNS began, once no domain controller is left.
func (f *Forest) closeDNS() {
	for _, s := range f.DCs() {
		if !s.isClosing() {
			return
		}
	}
	f.mu.Lock()
	servers := f.dns
	f.dns = nil
	f.mu.Unlock()
	for _, server := range servers {
		_ = server.Shutdown()
	}
}

// serveDNS answers over UDP and TCP. The library has refused by then what is no query of one question.
func (f *Forest) serveDNS(w dns.ResponseWriter, query *dns.Msg) {
	m := f.answerDNS(query)
	if option := query.IsEdns0(); option != nil {
		m.SetEdns0(maxUDPAnswer, false)
	}
	if w.LocalAddr().Network() == "udp" {
		m.Truncate(udpLimit(query))
	}
	if err := w.WriteMsg(m); err != nil {
		f.options.Logger.Debug("a DNS answer could not be sent", "remote", w.RemoteAddr(), "error", err)
	}
}

func udpLimit(query *dns.Msg) int {
	if option := query.IsEdns0(); option != nil {
		return min(int(option.UDPSize()), maxUDPAnswer)
	}
	return dns.MinMsgSize
}

// answerDNS answers a query of one question.
func (f *Forest) answerDNS(query *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(query)
	question := query.Question[0]
	switch {
	case query.Opcode != dns.OpcodeQuery:
		return m.SetRcode(query, dns.RcodeNotImplemented)
	case question.Qclass != dns.ClassINET || question.Qtype == dns.TypeAXFR || question.Qtype == dns.TypeIXFR:
		return m.SetRcode(query, dns.RcodeRefused)
	}
	m.Compress = true
	z := f.zone()
	m.Authoritative = dns.IsSubDomain(z.apex, question.Name)
	var exists bool
	m.Answer, exists = z.lookup(question.Name, question.Qtype)
	switch {
	case !exists:
		m.Rcode = dns.RcodeNameError
		fallthrough
	case len(m.Answer) == 0:
		if m.Authoritative {
			m.Ns = []dns.RR{z.authority()}
		}
	}
	for _, record := range m.Answer {
		if srv, ok := record.(*dns.SRV); ok {
			m.Extra = append(m.Extra, z.addresses(srv.Target)...)
		}
	}
	m.Extra = dns.Dedup(m.Extra, nil)
	return m
}

// A zone is what DNS holds of the forest.
type zone struct {
	apex    string
	primary string // host of the first domain controller
	records []dns.RR
}

func (f *Forest) zone() *zone {
	dcs := f.DCs()
	z := &zone{apex: dns.Fqdn(f.options.Domain), primary: dns.Fqdn(dcs[0].HostName())}
	for _, s := range dcs {
		z.records = append(z.records, s.records()...)
		if !s.readOnly { // which registers no name server
			z.records = append(z.records, &dns.NS{Hdr: header(f.options.Domain, dns.TypeNS), Ns: dns.Fqdn(s.HostName())})
		}
	}
	z.records = append(z.records, z.authority())
	return z
}

// authority is the zone's SOA record, with the times of a new zone of Windows' DNS server.
func (z *zone) authority() dns.RR {
	return &dns.SOA{
		Hdr: header(z.apex, dns.TypeSOA), Ns: z.primary, Mbox: "hostmaster." + z.apex,
		Serial: 1, Refresh: 900, Retry: 600, Expire: 86400, Minttl: 3600,
	}
}

// lookup finds the records of a name and what an alias leads to. A name exists too if there is one below it.
func (z *zone) lookup(name string, kind uint16) (found []dns.RR, exists bool) {
	for _, record := range z.records {
		owner := record.Header().Name
		exists = exists || dns.IsSubDomain(name, owner)
		if !strings.EqualFold(owner, name) {
			continue
		}
		is := record.Header().Rrtype
		if is != kind && is != dns.TypeCNAME && kind != dns.TypeANY {
			continue
		}
		found = append(found, record)
		if alias, ok := record.(*dns.CNAME); ok && kind != is {
			target, _ := z.lookup(alias.Target, kind)
			found = append(found, target...)
		}
	}
	return dns.Dedup(found, nil), exists
}

func (z *zone) addresses(host string) []dns.RR {
	v4, _ := z.lookup(host, dns.TypeA)
	v6, _ := z.lookup(host, dns.TypeAAAA)
	return append(v4, v6...)
}

package directory_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"passback/writeback/directory"
)

// A zone is a DNS server's records by name, and what it was asked.
type zone struct {
	records map[string][]string // in the form of a zone file, without the name
	asked   chan string
}

// resolver serves the zone over UDP on this host.
func (z *zone) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	z.asked = make(chan string, 100)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: conn, Handler: z}
	go func() { _ = server.ActivateAndServe() }()
	t.Cleanup(func() { _ = server.Shutdown() })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (z *zone) ServeDNS(w dns.ResponseWriter, m *dns.Msg) {
	name := strings.ToLower(m.Question[0].Name)
	z.asked <- name
	answer := new(dns.Msg).SetReply(m)
	for _, text := range z.records[name] {
		record, err := dns.NewRR(name + " 60 IN " + text)
		if err != nil {
			panic(err)
		}
		answer.Answer = append(answer.Answer, record)
	}
	if len(answer.Answer) == 0 {
		answer.Rcode = dns.RcodeNameError
	}
	_ = w.WriteMsg(answer)
}

func TestFindsControllersByDNS(t *testing.T) {
	l := newLab(t)
	all, site := "_ldap._tcp.dc._msdcs."+l.domain+".", "_ldap._tcp.branch._sites.dc._msdcs."+l.domain+"."
	for _, tt := range []struct {
		what    string
		site    string
		tls     bool // StartTLS
		records map[string][]string
		want    []string // hosts, as they are looked for
	}{
		{"by priority", "", false, map[string][]string{all: {"SRV 20 0 389 far." + l.domain + ".", "SRV 10 0 389 NEAR." + l.domain + "."}}, []string{"near", "far"}},
		{"no weight is drawn among many", "", false, map[string][]string{all: {"SRV 0 0 389 b." + l.domain + ".", "SRV 0 65535 389 a." + l.domain + "."}}, []string{"a", "b"}},
		{"none, which a dot says", "", false, map[string][]string{all: {"SRV 0 0 0 ."}}, nil},
		{"those of the site first", "branch", false, map[string][]string{
			all:  {"SRV 0 100 389 head." + l.domain + ".", "SRV 50 100 389 branch." + l.domain + "."},
			site: {"SRV 50 100 389 branch." + l.domain + "."},
		}, []string{"branch", "head"}},
		{"a site that DNS does not know", "branch", false, map[string][]string{all: {"SRV 0 100 389 head." + l.domain + "."}}, []string{"head"}},
		{"for StartTLS", "branch", true, map[string][]string{all: {"SRV 0 100 389 head." + l.domain + "."}}, []string{"head"}},
	} {
		z := &zone{records: tt.records}
		g := &gate{lead: "127.0.0.1:1"} // nobody is there
		d := l.open(func(o *directory.Options) {
			o.Servers, o.Dial, o.LookupSRV, o.Site, o.StartTLS = nil, g.dial, z.resolver(t).LookupSRV, tt.site, tt.tls
		})
		addresses, err := d.Addresses(t.Context())
		l.must(err)
		port := ":636"
		if tt.tls {
			port = ":389"
		}
		var want []string
		for _, host := range tt.want {
			want = append(want, host+"."+l.domain+port)
		}
		if !slices.Equal(addresses, want) {
			t.Errorf("%s: %v, want %v", tt.what, addresses, want)
		}
	}
}

func TestWritesToAControllerOfDNS(t *testing.T) {
	l := newLab(t)
	all := "_ldap._tcp.dc._msdcs." + l.domain + "."
	z := &zone{records: map[string][]string{all: {"SRV 0 100 389 " + l.host + "."}}}
	g := &gate{lead: l.address}
	d := l.open(func(o *directory.Options) { o.Servers, o.Dial, o.LookupSRV = nil, g.dial, z.resolver(t).LookupSRV })
	dc, err := d.WriteTo(t.Context())
	l.must(err)
	if dc != l.host || !slices.Equal(g.dials(), []string{l.host + ":636"}) {
		t.Errorf("write to %q, want %q; dialled %v", dc, l.host, g.dials())
	}
	var asked []string
	for len(z.asked) > 0 {
		asked = append(asked, <-z.asked)
	}
	want := []string{all}
	if l.fake == nil { // which answers an LDAP ping
		want = append(want, "_ldap._tcp.default-first-site-name._sites.dc._msdcs."+l.domain+".")
	}
	if !slices.Equal(asked, want) {
		t.Errorf("DNS was asked for %v, want %v", asked, want)
	}
}

// A domain has more controllers than DNS answers, or than are tried: the PDC emulator is found by its name.
func TestThePDCEmulatorThatDNSDoesNotList(t *testing.T) {
	l := newLab(t)
	z := &zone{records: map[string][]string{"_ldap._tcp.dc._msdcs." + l.domain + ".": {"SRV 0 100 389 other." + l.domain + "."}}}
	g := &gate{lead: l.address}
	d := l.open(func(o *directory.Options) { o.Servers, o.Dial, o.LookupSRV = nil, g.dial, z.resolver(t).LookupSRV })
	_, err := d.Open(t.Context(), l.host)
	l.must(err)
	if want := l.host + ":636"; !slices.Contains(g.dials(), want) {
		t.Errorf("dialled %v, want %s among them", g.dials(), want)
	}
	if _, err := d.Open(t.Context(), "dc1.elsewhere.example"); directory.KindOf(err) != directory.Unreachable || slices.Contains(g.dials(), "dc1.elsewhere.example:636") {
		t.Errorf("a controller of another domain's name: %v, dialled %v", err, g.dials())
	}
}

func TestAnAddressWhereNobodyAnsweredIsTriedLast(t *testing.T) {
	l := newLab(t)
	d := l.open(func(o *directory.Options) {
		o.Servers = []string{"127.0.0.1:1", "127.0.0.1:2", l.address, "127.0.0.1:3"}
	})
	if dc, err := d.WriteTo(t.Context()); err != nil || dc != l.host {
		t.Fatalf("write to %q, want %q (%v)", dc, l.host, err)
	}
	addresses, err := d.Addresses(t.Context())
	l.must(err)
	if want := []string{l.address, "127.0.0.1:3", "127.0.0.1:1", "127.0.0.1:2"}; !slices.Equal(addresses, want) {
		t.Errorf("they are tried in the order %v, want %v", addresses, want)
	}
}

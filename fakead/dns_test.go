package fakead_test

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/miekg/dns"

	"passback/fakead"
)

// threeSites starts dc1, which is PDC emulator, dc2 in another site, and a read-only one in a third.
func threeSites(t *testing.T) *fakead.Forest {
	t.Helper()
	return fakead.RunForestT(t, fakead.ForestOptions{DCs: []fakead.DC{
		{}, {Site: "Head-Office", Priority: 10, Weight: 50}, {Host: "branch", Site: "Branch", ReadOnly: true},
	}})
}

func portOf(t *testing.T, address string) uint16 {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return uint16(port)
}

// hostsOf asks for an SRV record and returns the first labels of the targets, in order; the port must be that of LDAP.
func hostsOf(t *testing.T, forest *fakead.Forest, service, proto, name string) []string {
	t.Helper()
	_, records, err := forest.Resolver().LookupSRV(t.Context(), service, proto, name)
	if failure := new(net.DNSError); err != nil && (!errors.As(err, &failure) || !failure.IsNotFound) {
		t.Fatalf("%s: %v", name, err)
	}
	var hosts []string
	for _, r := range records {
		host, _, _ := strings.Cut(r.Target, ".")
		hosts = append(hosts, host)
		if want := portOf(t, forest.DC(host).LDAPURL()); service == "ldap" && r.Port != want {
			t.Errorf("%s: %s is at port %d, want %d", name, host, r.Port, want)
		}
	}
	return hosts
}

func TestDomainControllersAreFoundByDNS(t *testing.T) {
	forest := threeSites(t)
	for _, tt := range []struct {
		service, name string
		want          []string
	}{
		{"ldap", "corp.example", []string{"dc1", "dc2"}},
		{"ldap", "dc._msdcs.corp.example", []string{"dc1", "dc2"}}, // by priority
		{"ldap", "DC._MSDCS.Corp.Example", []string{"dc1", "dc2"}},
		{"ldap", "Head-Office._sites.dc._msdcs.corp.example", []string{"dc2"}},
		{"ldap", "head-office._sites.corp.example", []string{"dc2"}},
		{"ldap", "Branch._sites.dc._msdcs.corp.example", []string{"branch"}}, // the read-only one, which only its site knows
		{"ldap", "pdc._msdcs.corp.example", []string{"dc1"}},
		{"kerberos", "dc._msdcs.corp.example", []string{"dc1", "dc2"}},
		{"kerberos", "branch._sites.corp.example", []string{"branch"}},
		{"ldap", "Nowhere._sites.dc._msdcs.corp.example", nil},
		{"ldap", "dc._msdcs.elsewhere.example", nil},
	} {
		if got := hostsOf(t, forest, tt.service, "tcp", tt.name); !slices.Equal(got, tt.want) {
			t.Errorf("_%s._tcp.%s: %v, want %v", tt.service, tt.name, got, tt.want)
		}
	}
	addresses, err := forest.Resolver().LookupHost(t.Context(), "branch.corp.example")
	if err != nil || !slices.Equal(addresses, []string{"127.0.0.1"}) {
		t.Errorf("branch.corp.example: %v, %v", addresses, err)
	}
}

func TestThePDCRecordFollowsTheRole(t *testing.T) {
	forest, dc1, dc2 := twoDCs(t)
	const pdc = "pdc._msdcs.corp.example"
	if err := dc2.TakeRole(fakead.PDCEmulator); err != nil {
		t.Fatal(err)
	}
	if got := hostsOf(t, forest, "ldap", "tcp", pdc); !slices.Equal(got, []string{"dc2"}) {
		t.Errorf("after a transfer: %v", got)
	}
	dc2.Stop()
	if err := dc1.TakeRole(fakead.PDCEmulator); err != nil {
		t.Fatal(err)
	}
	got := hostsOf(t, forest, "ldap", "tcp", pdc)
	if slices.Sort(got); !slices.Equal(got, []string{"dc1", "dc2"}) {
		t.Errorf("after a seizure, of which the dead one knows nothing: %v", got)
	}
	if err := dc2.Start(); err != nil {
		t.Fatal(err)
	}
	if got := hostsOf(t, forest, "ldap", "tcp", pdc); !slices.Equal(got, []string{"dc1"}) {
		t.Errorf("once it has heard of it: %v", got)
	}
}

func TestRecordsOfADeadDCStay(t *testing.T) {
	forest, _, dc2 := twoDCs(t)
	const all = "dc._msdcs.corp.example"
	dc2.Stop()
	if got := hostsOf(t, forest, "ldap", "tcp", all); len(got) != 2 {
		t.Errorf("while dc2 is down: %v, want both", got)
	}
	dc2.SetRegistered(false)
	if got := hostsOf(t, forest, "ldap", "tcp", all); !slices.Equal(got, []string{"dc1"}) {
		t.Errorf("when its records are gone: %v, want dc1", got)
	}
	if _, err := forest.Resolver().LookupHost(t.Context(), "dc2.corp.example"); err != nil {
		t.Errorf("its host: %v", err)
	}
	dc2.SetRegistered(true)
	if got := hostsOf(t, forest, "ldap", "tcp", all); len(got) != 2 {
		t.Errorf("when they are back: %v, want both", got)
	}
}

// guidOf reads an objectGUID, in its dashed form.
func guidOf(t *testing.T, c *ldap.Conn, dn string) string {
	t.Helper()
	found, err := c.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"objectGUID"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	return guidString(found.Entries[0].GetAttributeValue("objectGUID"))
}

// askDNS asks a DNS server that listens.
func askDNS(t *testing.T, network, address, name string, kind uint16, change ...func(*dns.Msg)) *dns.Msg {
	t.Helper()
	query := new(dns.Msg).SetQuestion(name, kind)
	for _, c := range change {
		c(query)
	}
	answer, _, err := (&dns.Client{Net: network}).Exchange(query, address)
	if err != nil {
		t.Fatalf("%s over %s: %v", name, network, err)
	}
	return answer
}

func TestDNSAnswersOnTheWire(t *testing.T) {
	dc := fakead.RunT(t)
	address, err := dc.Forest().ListenDNS(0)
	if err != nil {
		t.Fatal(err)
	}
	admin := asAdministrator(t, dc)
	settings := "CN=NTDS Settings,CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,DC=corp,DC=example"
	alias := guidOf(t, admin, settings) + "._msdcs.corp.example."
	byGUID := "_ldap._tcp." + guidOf(t, admin, "DC=corp,DC=example") + ".domains._msdcs.corp.example."
	update := func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }
	for _, tt := range []struct {
		name          string
		kind          uint16
		rcode         int
		answers, also int // in the answer and in the additional section
		authority     bool
		change        []func(*dns.Msg)
	}{
		{name: "_ldap._tcp.dc._msdcs.corp.example.", kind: dns.TypeSRV, answers: 1, also: 1},
		{name: byGUID, kind: dns.TypeSRV, answers: 1, also: 1},
		{name: alias, kind: dns.TypeCNAME, answers: 1},
		{name: alias, kind: dns.TypeA, answers: 2}, // with where the alias leads to
		{name: "corp.example.", kind: dns.TypeA, answers: 1},
		{name: "corp.example.", kind: dns.TypeSOA, answers: 1},
		{name: "corp.example.", kind: dns.TypeNS, answers: 1},
		{name: "dc1.corp.example.", kind: dns.TypeAAAA, authority: true}, // the name exists
		{name: "_tcp.corp.example.", kind: dns.TypeSRV, authority: true}, // as those below it do
		{name: "dc9.corp.example.", kind: dns.TypeA, rcode: dns.RcodeNameError, authority: true},
		{name: "elsewhere.example.", kind: dns.TypeA, rcode: dns.RcodeNameError},
		{name: "corp.example.", kind: dns.TypeAXFR, rcode: dns.RcodeRefused},
		{name: "corp.example.", kind: dns.TypeSOA, rcode: dns.RcodeNotImplemented, change: []func(*dns.Msg){update}},
	} {
		for _, network := range []string{"udp", "tcp"} {
			got := askDNS(t, network, address, tt.name, tt.kind, tt.change...)
			if got.Rcode != tt.rcode || len(got.Answer) != tt.answers || len(got.Extra) != tt.also || (len(got.Ns) > 0) != tt.authority {
				t.Errorf("%s %s over %s: %v", tt.name, dns.TypeToString[tt.kind], network, got)
			}
		}
	}
	if err := dc.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("DNS outlives the last domain controller")
	}
}

func TestWhatDoesNotFitInADatagramIsTruncated(t *testing.T) {
	forest := fakead.RunForestT(t, fakead.ForestOptions{DCs: slices.Repeat([]fakead.DC{{}}, 16)})
	address, err := forest.ListenDNS(0)
	if err != nil {
		t.Fatal(err)
	}
	const name = "_ldap._tcp.dc._msdcs.corp.example."
	large := func(m *dns.Msg) { m.SetEdns0(4096, false) }
	for _, tt := range []struct {
		network   string
		change    []func(*dns.Msg)
		truncated bool
	}{
		{"udp", nil, true},
		{"udp", []func(*dns.Msg){large}, false},
		{"tcp", nil, false},
	} {
		got := askDNS(t, tt.network, address, name, dns.TypeSRV, tt.change...)
		if got.Truncated != tt.truncated || (len(got.Answer) < 16) != tt.truncated {
			t.Errorf("over %s: %d of 16 answers, truncated %t, want %t", tt.network, len(got.Answer), got.Truncated, tt.truncated)
		}
		if (got.IsEdns0() != nil) != (tt.change != nil) {
			t.Errorf("over %s: EDNS0 %v", tt.network, got.IsEdns0())
		}
	}
	_, records, err := forest.Resolver().LookupSRV(t.Context(), "ldap", "tcp", "dc._msdcs.corp.example")
	if err != nil || len(records) != 16 {
		t.Errorf("in the process: %d records, %v", len(records), err)
	}
}

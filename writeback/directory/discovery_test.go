package directory_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"passback/fakead"
	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// wellKnown dials the well-known LDAPS port of a domain controller of the forest where it is served in truth.
func wellKnown(forest *fakead.Forest) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		dc := forest.DC(host)
		if err != nil || dc == nil || port != "636" {
			return nil, fmt.Errorf("%s is no domain controller's LDAPS port", address)
		}
		return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(dc.LDAPSURL(), "ldaps://"))
	}
}

// The agent finds a forest's domain controllers by the forest's own DNS: those of its site first, a read-only one too,
// which it never writes to.
func TestDiscoversAForestByItsDNS(t *testing.T) {
	forest := fakead.RunForestT(t, fakead.ForestOptions{DCs: []fakead.DC{{}, {Priority: 10}, {Host: "branch", Site: "Branch", ReadOnly: true}, {Host: "near", Site: "Branch", Priority: 20}}})
	pdc := forest.DC("dc1")
	d, err := directory.New(directory.Options{
		Domain: pdc.Domain(), Site: "Branch", LookupSRV: forest.Resolver().LookupSRV, Dial: wellKnown(forest),
		Roots: pdc.CA().Pool(), User: pdc.AdminDN(), Password: protocol.NewSecret(pdc.AdminPassword()),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	want := func(what string, hosts ...string) {
		t.Helper()
		addresses, err := d.Addresses(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range hosts {
			hosts[i] += ".corp.example:636"
		}
		if !slices.Equal(addresses, hosts) {
			t.Errorf("%s they are tried in the order %v, want %v", what, addresses, hosts)
		}
	}
	writesTo := func(what, host string) {
		t.Helper()
		if got, err := d.WriteTo(t.Context()); err != nil || got != host+".corp.example" {
			t.Errorf("%s it writes to %q, want %s (%v)", what, got, host, err)
		}
	}
	want("with all there", "branch", "near", "dc1", "dc2")
	writesTo("with all there", "dc1") // the PDC emulator
	pdc.Stop()
	writesTo("with the PDC emulator down", "near") // not the read-only one
	pdc.SetRegistered(false)
	want("with the PDC emulator out of DNS", "branch", "near", "dc2")
	if err := forest.DC("dc2").TakeRole(fakead.PDCEmulator); err != nil {
		t.Fatal(err)
	}
	forest.Replicate()
	writesTo("with another PDC emulator", "dc2")
}

package writeback

import (
	"context"
	"net"
	"strings"
	"testing"

	"passback/fakead"
	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// Capabilities of rootDSE (MS-ADTS 3.1.1.3.4.3): of Windows 8, and of a read-only controller.
var readOnly = [2]string{"1.2.840.113556.1.4.2237", "1.2.840.113556.1.4.1920"}

func TestAReadOnlyControllerIsPassedOver(t *testing.T) {
	b := newBench(t)
	b.addUser(fakead.User{SAM: "alice"})
	read, write := standIn{exchanged: [][2]string{readOnly}}.serve(t, b.dc), strings.TrimPrefix(b.dc.LDAPSURL(), "ldaps://")
	both := b.agent(func(o *directory.Options) { o.Servers = []string{read, write} })
	if now, err := both.domains[0].WriteTo(t.Context()); err != nil || now != firstHost {
		t.Errorf("it writes to %q, want %q (%v)", now, firstHost, err)
	}
	alone := b.agent(func(o *directory.Options) { o.Servers = []string{read} })
	if now, err := alone.domains[0].WriteTo(t.Context()); directory.KindOf(err) != directory.Unreachable || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("it writes to %q (%v), want to none", now, err)
	}
	job := b.request("alice", protocol.Reset)
	job.request.DC = secondHost
	b.want(both.apply(t.Context(), job), protocol.DirectoryUnavailable, completeThenAnswer)
	if _, all := b.writes("alice"); all != 0 {
		t.Error("a password was sent to a read-only controller")
	}
}

// A controller that refers elsewhere was the wrong one to ask: the other may hold another decision.
func TestAReferralIsNotFollowed(t *testing.T) {
	b := newBench(t)
	b.addUser(fakead.User{SAM: "alice"})
	refers := standIn{refers: true}.serve(t, b.dc)
	a := b.agent(func(o *directory.Options) {
		o.Servers = []string{refers, strings.TrimPrefix(b.dc.LDAPSURL(), "ldaps://")}
	})
	job := b.request("alice", protocol.Reset)
	job.request.DC = secondHost
	d := a.apply(t.Context(), job)
	b.want(d, protocol.DirectoryUnavailable, completeThenAnswer)
	if !strings.Contains(d.detail, "refers to another") {
		t.Errorf("it is told as %q", d.detail)
	}
	job.delivery.count = 2
	b.want(a.apply(t.Context(), job), protocol.Unknown, answerThenComplete)
	if _, all := b.writes("alice"); all != 0 {
		t.Error("the password was sent where the referral led")
	}
}

// DNS gives the records in another order each time. While the PDC emulator is away, that is no reason to write to
// another controller.
func TestTheStandInOfThePDCEmulatorStaysTheSame(t *testing.T) {
	b := newBench(t)
	second, first := standIn{}.serve(t, b.dc), strings.TrimPrefix(b.dc.LDAPSURL(), "ldaps://")
	b.must(b.dc.SetAttribute("CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,"+b.dc.BaseDN(), "dNSHostName", "pdc.corp.example"))
	order := []*net.SRV{{Target: firstHost + "."}, {Target: secondHost + "."}}
	addresses := map[string]string{firstHost + ":636": first, secondHost + ":636": second}
	a := b.agent(func(o *directory.Options) {
		o.Servers = nil
		o.LookupSRV = func(context.Context, string, string, string) (string, []*net.SRV, error) { return "", order, nil }
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, addresses[address]) // none: nobody is there
		}
	})
	for range 3 {
		if now, err := a.domains[0].WriteTo(t.Context()); err != nil || now != firstHost {
			t.Errorf("it writes to %q, want %q still (%v)", now, firstHost, err)
		}
		order[0], order[1] = order[1], order[0]
	}
}

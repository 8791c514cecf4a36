package writeback

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"passback/fakead"
	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// The PDC role moves to a controller whose replication is behind: a redelivery is a matter of the controller that the
// request names, and of no other.

const (
	firstHost  = "dc1.corp.example"
	secondHost = "dc2.corp.example" // as long as the first, so that one can stand for the other on the wire
)

// asSecond serves dc on another address, under the name of a second controller. It returns that address.
func asSecond(t *testing.T, dc *fakead.Server) string {
	t.Helper()
	config, err := dc.CA().ServerConfig()
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go rename(client, dc)
		}
	}()
	return l.Addr().String()
}

// rename passes a connection on, and names the controller anew in both directions.
func rename(client net.Conn, dc *fakead.Server) {
	defer client.Close()
	server, err := tls.Dial("tcp", strings.TrimPrefix(dc.LDAPSURL(), "ldaps://"), &tls.Config{RootCAs: dc.CA().Pool()})
	if err != nil {
		return
	}
	defer server.Close()
	go replacing(server, client, secondHost, firstHost)
	replacing(client, server, firstHost, secondHost)
}

// replacing copies until one side ends. Each read is a TLS record, which holds whole LDAP messages of this size.
func replacing(to, from net.Conn, old, by string) {
	defer to.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if _, err := to.Write(bytes.ReplaceAll(buffer[:n], []byte(old), []byte(by))); err != nil {
			return
		}
	}
}

func TestRedeliveryAfterThePDCRoleMoved(t *testing.T) {
	first, behind := newBench(t), newBench(t)
	anchor := map[string][]string{"mS-DS-ConsistencyGuid": {"0123456789abcdef"}}
	for _, b := range []*bench{first, behind} {
		b.addUser(fakead.User{SAM: "alice", Attributes: anchor})
	}
	pool := first.dc.CA().Pool()
	pool.AppendCertsFromPEM(behind.dc.CA().PEM())
	second, old := asSecond(t, behind.dc), strings.TrimPrefix(first.dc.LDAPSURL(), "ldaps://")

	job := first.request("alice", protocol.Reset)
	job.request.SourceAnchor = "MDEyMzQ1Njc4OWFiY2RlZg=="
	first.want(first.agent().apply(t.Context(), job), protocol.Success, answerThenComplete) // and crashes, unheard

	job.delivery.count = 2
	for _, tt := range []struct {
		what    string
		servers []string
		want    protocol.Outcome
	}{
		{"the old one is there still", []string{second, old}, protocol.Success},
		{"the old one is gone", []string{second, "127.0.0.1:1"}, protocol.Unknown},
	} {
		other := first.agent(func(o *directory.Options) { o.Servers, o.Roots = tt.servers, pool })
		if now, err := other.domains[0].WriteTo(context.Background()); err != nil || now != secondHost {
			t.Fatalf("%s: the agent writes to %q, want %q: the role has not moved (%v)", tt.what, now, secondHost, err)
		}
		first.want(other.apply(t.Context(), job), tt.want, answerThenComplete)
	}
	if taken, all := first.writes("alice"); taken != 1 || all != 1 {
		t.Errorf("%d of %d writes taken where the request belongs, want one", taken, all)
	}
	if _, all := behind.writes("alice"); all != 0 || len(behind.markers("alice")) != 0 {
		t.Error("the request reached a controller that it does not name")
	}
}

func TestWithoutTheRightToTheMarker(t *testing.T) {
	b := newBench(t)
	b.addUser(fakead.User{SAM: "alice"})
	rights := serviceRights
	rights.WriteMarker = ""
	b.must(b.dc.Delegate(service, rights))
	job := b.request("alice", protocol.Reset)
	b.want(b.agent().apply(t.Context(), job), protocol.AccessDenied, completeThenAnswer)
	job.delivery.count = 2
	b.want(b.agent().apply(t.Context(), job), protocol.Unknown, answerThenComplete)
	if taken, _ := b.writes("alice"); taken != 0 || !b.state("alice").PasswordIs(firstPassword) {
		t.Error("a password was written without its marker")
	}
}

package writeback

import (
	"context"
	"strings"
	"testing"

	"passback/fakead"
	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// The PDC role moves to a controller whose replication is behind: a redelivery is a matter of the controller that the
// request names, and of no other.

func TestRedeliveryAfterThePDCRoleMoved(t *testing.T) {
	first, behind := newBench(t), newBench(t)
	anchor := map[string][]string{"mS-DS-ConsistencyGuid": {"0123456789abcdef"}}
	for _, b := range []*bench{first, behind} {
		b.addUser(fakead.User{SAM: "alice", Attributes: anchor})
	}
	pool := first.dc.CA().Pool()
	pool.AppendCertsFromPEM(behind.dc.CA().PEM())
	second, old := standIn{}.serve(t, behind.dc), strings.TrimPrefix(first.dc.LDAPSURL(), "ldaps://")

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

package writeback

import (
	"fmt"
	"testing"

	"passback/fakead"
	"passback/writeback/protocol"
)

// Somebody who asked very often within the hour, and was refused or lost the answers, has more markers than one search
// of a controller tells (1500). What became of each request can be told all the same.
func TestBesideMoreMarkersThanOneSearchTells(t *testing.T) {
	b := newBench(t)
	policy := b.dc.Policy()
	policy.MinAge = 0
	b.dc.SetPolicy(policy)
	b.addUser(fakead.User{SAM: "alice"})
	var many []string
	for i := range 2000 {
		many = append(many, fmt.Sprintf("of a request before, %d", i))
	}
	b.must(b.dc.SetAttribute("alice", protocol.DefaultMarkerAttribute, many...))
	older := b.request("alice", protocol.Reset)
	newer := b.newer("alice", older)
	b.want(b.agent().apply(t.Context(), older), protocol.Success, answerThenComplete)
	older.delivery.count = 2
	b.want(b.agent().apply(t.Context(), older), protocol.Success, answerThenComplete)
	b.want(b.agent().apply(t.Context(), newer), protocol.Success, answerThenComplete)
	older.delivery.count = 3
	b.want(b.agent().apply(t.Context(), older), protocol.Success, answerThenComplete)
	if taken, _ := b.writes("alice"); taken != 2 || !b.state("alice").PasswordIs(newerPassword) {
		t.Errorf("%d passwords written, want the older and then the newer", taken)
	}
}

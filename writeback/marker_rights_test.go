package writeback

import (
	"testing"

	"passback/fakead"
	"passback/fakead/security"
	"passback/writeback/protocol"
)

func TestWithoutTheRightToWriteTheMarker(t *testing.T) {
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

// An agent that may write the marker and not read it applies a request once, and says that it cannot tell what a
// redelivery finds.
func TestWithoutTheRightToReadTheMarker(t *testing.T) {
	b := newBench(t)
	for _, sam := range []string{"alice", "bob"} {
		b.addUser(fakead.User{SAM: sam})
		extensionName := "bf967972-0de6-11d0-a285-00aa003049e2"
		d, err := security.ParseSDDL("D:PAI(OD;;RP;"+extensionName+";;AU)(A;;GA;;;AU)", "")
		b.must(err)
		raw, err := d.Marshal()
		b.must(err)
		b.must(b.dc.SetAttribute(sam, "nTSecurityDescriptor", string(raw)))
	}
	a := b.agent()
	for _, tt := range []struct {
		sam, password string
		first         protocol.Outcome
		writes        int // tried
		taken         int
	}{
		{"alice", newPassword, protocol.Success, 2, 1},
		{"bob", "short", protocol.PolicyViolation, 2, 0},
	} {
		job := b.request(tt.sam, protocol.Reset)
		job.secrets.New = protocol.NewSecret(tt.password)
		b.want(a.apply(t.Context(), job), tt.first, answerThenComplete)
		job.delivery.count = 2
		d := a.apply(t.Context(), job)
		b.want(d, protocol.Unknown, answerThenComplete)
		if d.engine == "" {
			t.Errorf("%s: event 6329 says nothing", tt.sam)
		}
		if taken, all := b.writes(tt.sam); taken != tt.taken || all != tt.writes {
			t.Errorf("%s: %d of %d writes taken, want %d of %d", tt.sam, taken, all, tt.taken, tt.writes)
		}
	}
}

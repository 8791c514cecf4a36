package sim_test

import (
	"testing"

	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

func TestResetReachesTheDirectory(t *testing.T) {
	w := sim.RunT(t)
	alice := w.People()[0].UPN
	fresh := protocol.NewSecret("Nine-Green-Kites-41")
	result := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.PortalReset, User: alice, New: fresh})
	if result.Outcome != protocol.Success {
		t.Fatalf("outcome %s: %s %s", result.Outcome, result.AdminText, result.Detail)
	}
	state, err := w.Directory.User(alice)
	if err != nil || !state.PasswordIs(fresh.Reveal()) {
		t.Errorf("the directory does not hold the new password (%v)", err)
	}
}

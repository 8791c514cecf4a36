package sim_test

import (
	"testing"

	"passback/fakerelay"
	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// A relay that rejects a request because it is busy has certainly not taken it: it is asked again, then the next relay,
// and who asked is never told that the outcome is unknown.
func TestBusyRelay(t *testing.T) {
	for name, c := range map[string]struct {
		relays  int
		times   int
		outcome protocol.Outcome
		sent    bool
	}{
		"for a moment":              {relays: 1, times: 2, outcome: protocol.Success, sent: true},
		"for long":                  {relays: 1, times: 100, outcome: protocol.WritebackUnavailable},
		"for long, another is free": {relays: 2, times: 100, outcome: protocol.Success, sent: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := sim.RunT(t, sim.Options{SecondRelay: c.relays == 2})
			_, err := w.Relay.AddFault(fakerelay.Fault{
				Effect: fakerelay.EffectThrottle, Operation: fakerelay.Enqueue, Entity: protocol.QueueRequests, Times: c.times,
			})
			if err != nil {
				t.Fatal(err)
			}
			ask := cloud.Ask{Way: cloud.PortalReset, User: w.People()[0].UPN, New: protocol.NewSecret("Nine-Green-Kites-41")}
			r := w.Cloud.Perform(t.Context(), ask)
			if r.Outcome != c.outcome || r.Sent != c.sent {
				t.Errorf("told %s (%s), sent %t; want %s, %t", r.Outcome, r.Detail, r.Sent, c.outcome, c.sent)
			}
			if c.sent {
				return
			}
			w.Relay.ClearFaults()
			if r = w.Cloud.Perform(t.Context(), ask); r.Outcome != protocol.Success {
				t.Errorf("afterwards: told %s (%s)", r.Outcome, r.Detail)
			}
		})
	}
}

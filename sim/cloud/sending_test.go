package cloud_test

import (
	"sync/atomic"
	"testing"

	"passback/fakerelay"
	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

const fresh = "Nine-Green-Kites-41"

func reset(t *testing.T, w *sim.World) cloud.Result {
	t.Helper()
	return w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.PortalReset, User: person, New: protocol.NewSecret(fresh)})
}

// onRequests is a fault of the requests' queue.
func onRequests(t *testing.T, n *fakerelay.Namespace, f fakerelay.Fault) {
	t.Helper()
	f.Operation, f.Entity = fakerelay.Enqueue, protocol.QueueRequests
	if _, err := n.AddFault(f); err != nil {
		t.Fatal(err)
	}
}

// A relay that is busy has not taken the request: it is offered again, on the connection that stands.
func TestBusyRelayIsAskedAgain(t *testing.T) {
	w := sim.RunT(t)
	var attached atomic.Int64
	w.Relay.Hook(func(e fakerelay.Event) fakerelay.Action {
		if e.Kind == fakerelay.Attach && e.Entity == protocol.QueueRequests {
			attached.Add(1)
		}
		return fakerelay.Pass
	})
	onRequests(t, w.Relay, fakerelay.Fault{Effect: fakerelay.EffectThrottle})
	if r := reset(t, w); r.Outcome != protocol.Success || !r.Sent {
		t.Errorf("told %s (%s), sent: %t", r.Outcome, r.Detail, r.Sent)
	}
	if n := attached.Load(); n != 0 {
		t.Errorf("%d links were opened anew for a refusal", n)
	}
}

// A busy relay that stays so refuses for certain: nobody is left in doubt.
func TestRelayThatStaysBusyIsNoDoubt(t *testing.T) {
	w := sim.RunT(t)
	onRequests(t, w.Relay, fakerelay.Fault{Effect: fakerelay.EffectThrottle, Times: 3})
	if r := reset(t, w); r.Outcome != protocol.WritebackUnavailable || r.Sent {
		t.Errorf("told %s, sent: %t", r.Outcome, r.Sent)
	}
	if r := reset(t, w); r.Outcome != protocol.Success {
		t.Errorf("then: told %s (%s)", r.Outcome, r.Detail)
	}
}

func TestOtherRelayTakesWhatABusyOneRefuses(t *testing.T) {
	w := sim.RunT(t, sim.Options{SecondRelay: true})
	onRequests(t, w.Relays[0], fakerelay.Fault{Effect: fakerelay.EffectThrottle})
	var second atomic.Int64
	w.Relays[1].Hook(func(e fakerelay.Event) fakerelay.Action {
		if e.Kind == fakerelay.Enqueue && !e.Done && e.Entity == protocol.QueueRequests {
			second.Add(1)
		}
		return fakerelay.Pass
	})
	if r := reset(t, w); r.Outcome != protocol.Success {
		t.Errorf("told %s (%s)", r.Outcome, r.Detail)
	}
	if second.Load() != 1 {
		t.Errorf("the second relay was given %d requests, want 1", second.Load())
	}
}

// The SDK sends again by itself when a link was detached. Whatever that second attempt meets, the first may have been
// stored: it counts as sent.
func TestStoredBeforeTheLinkWasLostIsNeverCalledUnsent(t *testing.T) {
	for name, then := range map[string]fakerelay.Fault{
		"then busy":       {Effect: fakerelay.EffectThrottle, Operation: fakerelay.Enqueue, Entity: protocol.QueueRequests},
		"then not let in": {Effect: fakerelay.EffectRefuse, Operation: fakerelay.PutToken, Entity: protocol.QueueRequests, Times: 20},
		"then no queue":   {Effect: fakerelay.EffectRefuse, Operation: fakerelay.Attach, Entity: protocol.QueueRequests, Role: "sender", Condition: "amqp:not-found", Times: 20},
	} {
		t.Run(name, func(t *testing.T) {
			w := sim.RunT(t)
			detach := fakerelay.Fault{Effect: fakerelay.EffectDetach, After: true}
			detach.Struck = func(fakerelay.Event) {
				if _, err := w.Relay.AddFault(then); err != nil {
					t.Error(err)
				}
			}
			onRequests(t, w.Relay, detach)
			if r := reset(t, w); r.Outcome != protocol.Success || !r.Sent {
				t.Errorf("told %s (%s), sent: %t; the directory has the password", r.Outcome, r.Detail, r.Sent)
			}
		})
	}
}

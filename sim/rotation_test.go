package sim_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"passback/fakerelay"
	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// A crowd are people who reset their passwords without a pause. Each reset must succeed.
type crowd struct {
	t    *testing.T
	done atomic.Int64
	stop context.CancelFunc
	all  sync.WaitGroup
}

const abreast = 8

func newCrowd(t *testing.T, w *sim.World) *crowd {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	c := &crowd{t: t, stop: stop}
	for i, person := range benchCompany(t, w, abreast) {
		c.all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				fresh := protocol.NewSecret(fmt.Sprintf("Nine-Green-Kites-%d-%d", i, n))
				if r := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.PortalReset, User: person, New: fresh}); r.Outcome != protocol.Success {
					t.Errorf("%s, reset %d: %s (%s; %s), sent: %t", person, n, r.Outcome, r.Gate, r.Detail, r.Sent)
				}
				c.done.Add(1)
			}
		})
	}
	t.Cleanup(func() {
		stop()
		c.all.Wait()
	})
	return c
}

// goesOn waits until everybody can have had another turn.
func (c *crowd) goesOn() {
	c.t.Helper()
	before := c.done.Load()
	eventually(c.t, func() bool { return c.done.Load() >= before+5*abreast })
}

func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come about")
		}
	}
}

// rotating reports whether a former key still serves.
func rotating(w *sim.World) bool {
	for _, k := range w.Cloud.RelayKeys() {
		if k.Rotating {
			return true
		}
	}
	return false
}

// Both keys of every rule, the agents' and the cloud's, are replaced twice under people who reset their passwords
// without a pause. Nobody notices.
func TestNoResetIsLostWhileRelayKeysAreReplaced(t *testing.T) {
	for name, o := range map[string]struct {
		agents    int
		immediate bool
	}{
		"once nothing uses them":                {1, false},
		"once nothing uses them, of two agents": {2, false},
		"at once":                               {1, true},
		"at once, of two agents":                {2, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := sim.RunT(t, sim.Options{EmptyCompany: true, FirstBeatDelay: time.Millisecond})
			for range o.agents - 1 {
				_, err := w.StartAgent(t.Context())
				must(t, err)
			}
			var again atomic.Int64
			w.Relay.Hook(func(e fakerelay.Event) fakerelay.Action {
				if e.Kind == fakerelay.Deliver && e.Entity == protocol.QueueRequests && e.DeliveryCount > 1 && !e.Done {
					again.Add(1)
				}
				return fakerelay.Pass
			})
			c := newCrowd(t, w)
			c.goesOn()
			for range 2 {
				must(t, w.Cloud.RotateRelayKeys(t.Context(), cloud.Rotation{Immediate: o.immediate}))
				if !o.immediate {
					must(t, w.Advance(t.Context(), protocol.RenewInterval)) // agents renew
				}
				eventually(t, func() bool { return !rotating(w) })
				c.goesOn()
			}
			if n := again.Load(); n > 0 && !o.immediate {
				t.Errorf("%d requests were locked and had to come again", n)
			}
			t.Logf("%d resets", c.done.Load())
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

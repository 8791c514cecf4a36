package ordeal_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"passback/clock"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// The first of two requests of one person is answered and comes again after the second was applied, because the agent
// died before it could complete it: the older password must not come back.
func TestOlderRequestComesAgain(t *testing.T) {
	t.Parallel()
	w, err := newWorld(t, buildAgent(t), 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for i, sam := range w.people {
		ask, err := w.prepare(sam, ordinary, cloud.PortalReset)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.overtake(sam, ask, fmt.Sprint("Newer-Blue-Trams-", i)); err != nil {
			t.Errorf("%v\n%s", err, w.agent.lately())
		}
	}
}

func (w *world) overtake(sam string, first cloud.Ask, newer string) error {
	trap := w.trap(completing, lost)
	defer trap.end()
	answer := w.begin(sam, first)
	if err := w.await(trap.caught, answer); err != nil {
		return err
	}
	if err := w.agent.kill(); err != nil {
		return err
	}
	if err := trap.let(); err != nil {
		return err
	}
	if told := <-answer; told.result.Outcome != protocol.Success {
		return fmt.Errorf("the first was answered %s", told.result.Outcome)
	}
	if err := w.agent.start(); err != nil {
		return err
	}
	second := w.sim.Cloud.Perform(context.Background(), cloud.Ask{Way: cloud.PortalReset, User: first.User, New: protocol.NewSecret(newer)})
	if second.Outcome != protocol.Success {
		return fmt.Errorf("the second was answered %s (%s)", second.Outcome, second.Detail)
	}
	return w.emptied(sam, newer)
}

// emptied waits until the relay has no request left, so that every delivery has been decided, and looks at the person.
func (w *world) emptied(sam, password string) error {
	queue, err := w.sim.Relay.Queue(protocol.QueueRequests)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for queue.Count() > 0 {
		if err := clock.Sleep(ctx, clock.Real(), 10*time.Millisecond); err != nil {
			return fmt.Errorf("%d requests are left in the queue", queue.Count())
		}
	}
	state, err := w.sim.Directory.User(sam)
	if err != nil {
		return err
	}
	if taken := w.taken(state.DN); len(taken) != 2 || !state.PasswordIs(password) {
		return fmt.Errorf("%s: want each of two passwords written once, the newer last: %v", sam, taken)
	}
	return nil
}

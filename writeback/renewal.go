package writeback

// Renewal: at start, daily, and when a relay refuses the agent's keys or a key is not known, the agent asks the cloud for
// its enrolment anew. What changed takes effect in a new term; keys of the relays, while the term runs.

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"passback/clock"
	"passback/writeback/protocol"
	"passback/writeback/relay"
)

// minRenewInterval bounds how often a refusal or an unknown key may ask the cloud.
const minRenewInterval = 5 * time.Second

// errUnenrolled means that the cloud does not know the agent any more.
var errUnenrolled = errors.New("the cloud has unenrolled this agent; enrol it again with a new token")

// renew asks the cloud for the enrolment anew, unless that was tried a moment ago. What changed takes effect in a
// new term; an old enrolment serves on while the cloud is out of reach.
func (a *Agent) renew(ctx context.Context) error {
	a.renewing.Lock()
	defer a.renewing.Unlock()
	if wireNow().Sub(a.renewed) < minRenewInterval {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, enrolTimeout)
	defer cancel()
	asked := wireNow()
	r, skew, err := a.enroller.call(ctx, protocol.Secret{}, a.current().AgentID)
	a.renewed = wireNow()
	if refused, ok := errors.AsType[*protocol.EnrolError](err); ok && refused.Code == protocol.EnrolUnknownAgent {
		return fmt.Errorf("%w: %w", errUnenrolled, err)
	}
	a.record.renewed(err)
	if err != nil {
		a.log.event(eventServiceError, "The enrolment could not be renewed; the last one serves on.", "error", err)
		return err
	}
	a.asked = asked
	a.clockIsOff(theCloud, skew)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !sameEnrolment(a.enrolment, r):
		a.log.event(eventRenewed, "The enrolment has changed.", "mode", r.Mode, "reason", r.Reason, "relays", len(r.Relays))
		notify(a.replaced)
	case !reflect.DeepEqual(a.enrolment.Relays, r.Relays):
		a.log.event(eventRenewed, "The relay keys were replaced.", "relays", len(r.Relays))
		notify(a.rekeyed)
	}
	a.enrolment = r
	return nil
}

// newerThan reports whether the enrolment in force was asked for after at.
func (a *Agent) newerThan(at time.Time) bool {
	a.renewing.Lock()
	defer a.renewing.Unlock()
	return a.asked.After(at)
}

// keyRolled has the cloud told of a new key by a beat at once, which a new term begins with.
func (a *Agent) keyRolled() {
	a.log.event(eventKeyPairCreated, "The agent's key has rolled over.", "key", a.keys.signer().Thumbprint())
	notify(a.replaced)
}

// sameEnrolment compares what a term depends on. Keys of relays are none of it: they are replaced while it runs.
func sameEnrolment(a, b protocol.EnrolResponse) bool {
	for _, r := range []*protocol.EnrolResponse{&a, &b} {
		r.InReplyTo, r.IssuedAt, r.OnlyActive = "", time.Time{}, false
		r.Relays = slices.Clone(r.Relays)
		for i := range r.Relays {
			of := &r.Relays[i]
			of.Requests.Key, of.Answers.Key, of.Status.Key = protocol.Secret{}, protocol.Secret{}, protocol.Secret{}
		}
	}
	return reflect.DeepEqual(a, b)
}

// renewals renews daily by domain time, and when asked to; what is asked for too soon is not forgotten. It returns when
// the term must end.
func (t *term) renewals(ctx context.Context) error {
	var rekeying sync.WaitGroup
	defer rekeying.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for {
		daily := t.config.Clock.AfterFunc(protocol.RenewInterval, func() { notify(t.renewNow) })
		over, err := t.nextRenewal(ctx, &rekeying)
		daily.Stop()
		if over || err != nil {
			return err
		}
	}
}

// nextRenewal waits for one and does it; over means that the term is.
func (t *term) nextRenewal(ctx context.Context, rekeying *sync.WaitGroup) (over bool, err error) {
	select {
	case <-t.renewNow:
	case <-t.rekeyed:
		rekeying.Go(func() { t.rekey(ctx) })
		return false, nil
	case <-t.replaced:
		return true, nil
	case <-ctx.Done():
		return true, nil
	}
	if rest := t.restBeforeRenewal(); rest > 0 {
		clock.Real().AfterFunc(rest, func() { notify(t.renewNow) })
		return false, nil
	}
	if err := t.renew(ctx); errors.Is(err, errUnenrolled) {
		return true, err
	}
	t.worsened()
	return false, nil
}

// restBeforeRenewal is how long the next one has to wait.
func (a *Agent) restBeforeRenewal() time.Duration {
	a.renewing.Lock()
	defer a.renewing.Unlock()
	return minRenewInterval - wireNow().Sub(a.renewed)
}

// rekey has the relays' clients change over to the keys of the enrolment in force, and the cloud told when they have.
func (t *term) rekey(ctx context.Context) {
	var changing sync.WaitGroup
	for _, keys := range t.current().Relays {
		i := slices.IndexFunc(t.relays, func(r *relay.Client) bool { return r.Host() == keys.Host })
		if i < 0 {
			continue // of the next term
		}
		changing.Go(func() {
			if err := t.relays[i].Renew(ctx, keys); err != nil && ctx.Err() == nil {
				t.log.Warn("the relay was not reached by its new keys yet", "relay", keys.Host, "error", err)
			}
			t.relayChanged()
		})
	}
	changing.Wait()
}

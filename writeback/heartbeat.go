package writeback

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/google/uuid"

	"passback/clock"
	"passback/writeback/protocol"
	"passback/writeback/relay"
)

// beats sends a heartbeat at start, once it is known how the directories and the relays are; every five minutes; and at
// once when something that it tells has changed.
func (t *term) beats(ctx context.Context) {
	known := []chan struct{}{t.firstLook}
	if shut, _ := t.gate.state(); shut == "" { // as after a reload: else no relay is listened on yet
		known = append(known, t.firstWord)
	}
	for _, is := range known {
		select {
		case <-is:
		case <-ctx.Done():
			return
		}
	}
	for ctx.Err() == nil {
		wait := protocol.HeartbeatInterval
		if !t.sendBeat(ctx, false) {
			wait = beatAgainAfter
		}
		due := clock.Real().AfterFunc(wait, func() { notify(t.beat) })
		select {
		case <-t.beat:
		case <-ctx.Done():
		}
		due.Stop()
	}
}

// sendBeat sends one to each relay and reports whether any took it.
func (t *term) sendBeat(ctx context.Context, goodbye bool) bool {
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	took := make([]*protocol.Heartbeat, len(t.relays))
	var sending sync.WaitGroup
	for i, r := range t.relays {
		sending.Go(func() { took[i] = t.beatTo(ctx, r, goodbye) })
	}
	sending.Wait()
	for _, h := range took {
		if h != nil {
			t.beaten(*h)
			return true
		}
	}
	return false
}

// beatTo returns what the relay took, or nil. It is made as it is sent: while keys change over, what was true before is
// not any more.
func (t *term) beatTo(ctx context.Context, r *relay.Client, goodbye bool) *protocol.Heartbeat {
	var h protocol.Heartbeat
	err := r.Beat(ctx, func() (protocol.Message, error) {
		h = t.heartbeat(goodbye)
		return protocol.SealHeartbeat(t.sealingKey(), h)
	})
	shut, _ := t.gate.state()
	t.record.beatTo(r.Host(), err, shut != "")
	if err != nil {
		t.log.event(eventHealthError, "The heartbeat was not taken.", "relay", r.Host(), "error", err)
		if errors.Is(err, relay.ErrUnauthorized) {
			notify(t.renewNow)
		}
		return nil
	}
	t.telemetry.beaten(ctx)
	t.log.event(eventHeartbeat, "HeartBeat for Namespace: "+r.Host()+", Endpoint: wss://"+r.Host()+"/$servicebus/websocket")
	return &h
}

// beaten follows a heartbeat that was taken: the first as active starts the wait before the first request.
func (t *term) beaten(h protocol.Heartbeat) {
	if h.Goodbye {
		return
	}
	t.record.beaten()
	defer t.changed()
	if len(h.Keys) > 1 {
		t.config.Clock.AfterFunc(oldKeyGrace, t.retireKey)
	}
	if h.Mode == protocol.Active {
		t.beatOnce.Do(t.warmUp)
	} else {
		t.forgetActive()
	}
	if h.Mode == protocol.Staging || h.Ready {
		t.readyOnce.Do(func() { close(t.ready) })
	}
}

// retireKey destroys the old key, once nothing that was sealed to it can arrive. Each beat that shows it asks for
// that; the first is as good as all.
func (t *term) retireKey() {
	retired, err := t.keys.retire()
	if err != nil {
		t.log.event(eventCryptoError, "The old key could not be removed.", "error", err)
	}
	if retired {
		t.log.Info("the old key is destroyed")
		notify(t.beat)
	}
}

// goodbye tells the cloud to count on this agent no more.
func (t *term) goodbye(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, goodbyeTimeout)
	defer cancel()
	t.sendBeat(ctx, true)
}

func (t *term) heartbeat(goodbye bool) protocol.Heartbeat {
	h := protocol.Heartbeat{
		ID: uuid.NewString(), Tenant: t.enrolment.Tenant, AgentID: t.enrolment.AgentID, AgentName: hostname(), Version: version(),
		Mode: t.enrolment.Mode, Keys: t.keys.shown(), Goodbye: goodbye, IssuedAt: clock.Real().Now().UTC(),
	}
	h.Reason, _ = t.gate.state()
	for _, r := range t.relays {
		listening := r.Listening()
		h.Relays = append(h.Relays, protocol.RelayState{Host: r.Host(), Listening: listening, Keys: r.Keys()})
		h.Ready = h.Ready || listening && !goodbye && h.Reason == ""
	}
	h.Health, h.Domains = t.warnings(), t.domainStates()
	shorten(h.Domains)
	return h
}

// domainStates tells which controller each domain is written to, or why none.
func (t *term) domainStates() (all []protocol.DomainState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range t.domains {
		all = append(all, protocol.DomainState{Domain: d.Name(), DC: d.Current(), Detail: t.found[d.Name()].Detail})
	}
	return all
}

// sealingKey is the newest package key; the cloud lists it first.
func (t *term) sealingKey() protocol.PackageKey { return t.current().PackageKeys[0] }

// shorten lets many domains share what a heartbeat has room for.
func shorten(domains []protocol.DomainState) {
	for i := range domains {
		domains[i].Detail = shortened(domains[i].Detail, maxDetails/len(domains))
	}
}

// maxDetails bounds the bytes of all domains' details together, so that a heartbeat fits into a message.
const maxDetails = protocol.MaxText

// limit cuts a text to what a message may hold.
func limit(text string) string { return shortened(text, protocol.MaxText) }

func shortened(text string, bytes int) string {
	if len(text) > bytes {
		text = strings.ToValidUTF8(text[:bytes], "")
	}
	return text
}

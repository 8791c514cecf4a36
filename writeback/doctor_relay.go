package writeback

// doctor's group relay: each Service Bus namespace, by the way and with the rules that the agent uses. Nothing is
// taken from a queue.

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"passback/writeback/protocol"
	"passback/writeback/relay"
)

type relayView struct {
	client *relay.Client
	skew   atomic.Pointer[time.Duration] // nil: the relay dates nothing
}

var relayChecks = []check[*relayView]{
	{name: "reachable", vital: true, look: (*relayView).reachable},
	{name: "credentials", look: (*relayView).credentials},
	{name: "clock", look: (*relayView).clock},
}

func (x *examination) examineRelays(ctx context.Context) {
	for _, r := range x.enrolled.Relays {
		x.examineRelay(ctx, r)
	}
}

func (x *examination) examineRelay(ctx context.Context, r protocol.Relay) {
	v := &relayView{}
	var err error
	v.client, err = relay.New(relay.Options{
		Relay: r, Proxy: x.cloud.proxy, RootCAs: x.cloud.roots, Dial: x.config.DialRelay,
		Skew: func(d time.Duration) { v.skew.Store(&d) },
	})
	if err != nil {
		x.findings = append(x.findings, Finding{"relay", r.Host, "reachable", Failure, err.Error(), "Correct the relay in the cloud's settings, then enrol again."})
		return
	}
	defer v.client.Close()
	examine(ctx, x, "relay", r.Host, v, relayChecks)
}

func (v *relayView) reachable(ctx context.Context) finding {
	if err := v.client.Measure(ctx); err != nil {
		return failure(err.Error(), "Let "+v.client.Host()+" through, directly or by the proxy. Where a firewall opens TLS, exempt this host or name its authority in cloud_ca_file.")
	}
	return fine("TLS stands")
}

func (v *relayView) credentials(ctx context.Context) finding {
	err := v.client.Check(ctx)
	switch {
	case err == nil:
		return fine("AMQP over WebSocket stands, and every queue's rule is taken")
	case errors.Is(err, relay.ErrUnauthorized):
		return failure(err.Error(), "A running agent renews its rules by itself; if this stays, see in the namespace whether its rules are there, and this host's clock.")
	}
	return failure(err.Error(), "The way is open but AMQP over WebSocket is not: see that proxies between let WebSockets pass and that the three queues exist.")
}

func (v *relayView) clock(context.Context) finding {
	skew := v.skew.Load()
	if skew == nil {
		return skipped("the relay dates no answer")
	}
	return skewFinding(*skew)
}

package cloud

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"

	"passback/writeback/protocol"
)

// A Relay is a Service Bus namespace with the three queues of the protocol, which exist already. Any namespace can
// stand behind it: the cloud reaches it with the stock SDK, and manages its rules through the two functions.
type Relay struct {
	Host     string         // as agents are told it: of wss://Host/$servicebus/websocket
	Endpoint string         // host:port of AMQP over TLS, for the cloud itself; default: Host
	RootCAs  *x509.CertPool // default: the system's

	// Dial replaces TCP and TLS for the cloud's own connections: AMQP begins at once. Default: none.
	Dial func(ctx context.Context) (net.Conn, error)

	// SetRule makes or replaces a shared access rule of a queue; DeleteRule removes one, and is content if there is
	// none.
	SetRule    func(ctx context.Context, queue string, r Rule) error
	DeleteRule func(ctx context.Context, queue, name string) error
}

// A Rule is a shared access rule on one queue, with least rights. Either key allows what it says.
type Rule struct {
	Name               string
	Primary, Secondary protocol.Secret
	Send, Listen       bool
}

// Unenrol deletes an agent's rules, forgets it, and makes a new package key: the old one serves 5 min more.
func (t *Tenant) Unenrol(ctx context.Context, agentID string) error {
	t.enrolling.Lock()
	defer t.enrolling.Unlock()
	return t.unenrol(ctx, agentID)
}

// unenrol needs t.enrolling. The agent is known until its rules are gone, so that what failed can be repeated.
func (t *Tenant) unenrol(ctx context.Context, agentID string) error {
	t.mu.Lock()
	a := t.agents[agentID]
	t.mu.Unlock()
	if a == nil {
		return fmt.Errorf("agent %.60q: no such agent is enrolled", agentID)
	}
	for _, relay := range t.relays {
		for _, queue := range queues {
			if err := relay.DeleteRule(ctx, queue, a.access.rule); err != nil {
				return fmt.Errorf("delete the agent's rule on %s of %s: %w", queue, relay.Host, err)
			}
		}
	}
	t.mu.Lock()
	delete(t.agents, agentID)
	t.mu.Unlock()
	t.log.Info("agent unenrolled", "agent", a.id, "name", a.name)
	return t.RollPackageKey()
}

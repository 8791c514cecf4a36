package cloud

import (
	"context"
	"crypto/rand"
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

// A Rule is a shared access key on one queue, with least rights.
type Rule struct {
	Name         string
	Key          protocol.Secret
	Send, Listen bool
}

var queues = []string{protocol.QueueRequests, protocol.QueueAnswers, protocol.QueueStatus}

// agentRule is what an agent may do: listen on requests, send on the others.
func agentRule(queue string, r protocol.SASRule) Rule {
	requests := queue == protocol.QueueRequests
	return Rule{Name: r.Name, Key: r.Key, Listen: requests, Send: !requests}
}

// cloudRule is the reverse; besides, the cloud listens on requests, to empty the dead-letter queue.
func cloudRule(queue string) Rule {
	return Rule{Name: "cloud", Key: newKey(), Listen: true, Send: queue == protocol.QueueRequests}
}

func newKey() protocol.Secret { return protocol.NewSecret(rand.Text() + rand.Text()) }

// setRules gives the agent its rules on every relay; what it has already it keeps, and is set again, since a
// namespace may have been made anew.
func (t *Tenant) setRules(ctx context.Context, a *agent) error {
	for i, relay := range t.relays {
		if len(a.relays) <= i {
			name := "agent-" + a.id
			a.relays = append(a.relays, protocol.Relay{
				Host:     relay.Host,
				Requests: protocol.SASRule{Name: name, Key: newKey()},
				Answers:  protocol.SASRule{Name: name, Key: newKey()},
				Status:   protocol.SASRule{Name: name, Key: newKey()},
			})
		}
		for queue, has := range map[string]protocol.SASRule{
			protocol.QueueRequests: a.relays[i].Requests, protocol.QueueAnswers: a.relays[i].Answers, protocol.QueueStatus: a.relays[i].Status,
		} {
			if err := relay.SetRule(ctx, queue, agentRule(queue, has)); err != nil {
				t.log.Error("a relay did not take an agent's rule", "relay", relay.Host, "queue", queue, "agent", a.id, "error", err)
				return fmt.Errorf("set the rule %s on %s: %w", has.Name, queue, err)
			}
		}
	}
	return nil
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
			if err := relay.DeleteRule(ctx, queue, "agent-"+a.id); err != nil {
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

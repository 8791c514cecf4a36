package fakerelay

import (
	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

// textRestarting is ours: what the service says of itself when it closes all connections is not documented.
const textRestarting = "The namespace is restarting. Please reconnect."

func (n *Namespace) broker() *broker.Broker { return n.live.Load() }

// freshBroker has the entities that there were at the start, and nothing else.
func (n *Namespace) freshBroker() (*broker.Broker, error) {
	b := broker.New(broker.Options{
		Clock: n.clock, MaxMessageSize: n.tier.MaxMessageSize(), MaxEntities: n.maxEntities, Codec: codec(), Deleted: func(path string) { _ = n.dropped(nil, path) },
	})
	if err := createAll(b, n.startEntities); err != nil {
		b.Close()
		return b, err
	}
	return b, nil
}

// Reset puts entities and keys back to what they were at the start: messages, sessions and whatever was made since are
// gone, and so are the faults. Clients stay connected; their links are detached, as when an entity is deleted, and the
// SDKs open them again. Hooks and traces stay.
func (n *Namespace) Reset() error {
	fresh, err := n.freshBroker()
	if err != nil {
		return err
	}
	n.ClearFaults()
	old := n.live.Swap(fresh)
	err = n.keys.reset(n.startKeys)
	for _, c := range n.connections() {
		c.detachFrom(func(string) bool { return true })
	}
	old.Close()
	return err
}

// Restart closes every connection with amqp:connection:forced, as the service does when it is updated or moved. Entities,
// messages and locks stay; sessions are free, since their links have ended.
func (n *Namespace) Restart() {
	for _, c := range n.connections() {
		c.amqp.Close(amqp.Errorf(amqp.CondConnectionForced, "%s%s", textRestarting, tracking("NoSystemTracker")))
	}
}

package targets

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"passback/clock"
	"passback/fakerelay"
	"passback/scenarios"
	"passback/writeback/protocol"
)

// What passes through the world's relays, seen by a hook: each message when it has been stored, and again when it is
// handed out, since it may be gone before one has looked.

// A tap keeps every message that a relay stored.
type tap struct {
	removes []func()

	mu   sync.Mutex
	seen map[seenKey]bool
	all  []scenarios.Carried
}

type seenKey struct {
	relay    int
	queue    string
	sequence int64
}

func tapInto(relays []*fakerelay.Namespace) *tap {
	t := &tap{seen: map[seenKey]bool{}}
	for i, n := range relays {
		t.removes = append(t.removes, n.Hook(func(e fakerelay.Event) fakerelay.Action {
			if e.Kind == fakerelay.Enqueue && e.Done || e.Kind == fakerelay.Deliver && !e.Done {
				t.look(i, n, e.Entity)
			}
			return fakerelay.Pass
		}))
	}
	return t
}

func (t *tap) look(relay int, n *fakerelay.Namespace, queue string) {
	q, err := n.Queue(queue)
	if err != nil {
		return // deleted meanwhile
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range q.Messages() {
		key := seenKey{relay, queue, m.SequenceNumber}
		if !t.seen[key] {
			t.seen[key] = true
			t.all = append(t.all, carried(queue, m))
		}
	}
}

func (t *tap) close() {
	for _, remove := range t.removes {
		remove()
	}
}

// carried reads a stored message with the stock codec. One that it cannot read is kept as bytes alone.
func carried(queue string, m fakerelay.StoredMessage) scenarios.Carried {
	c := scenarios.Carried{Queue: queue, Raw: slices.Clone(m.Body)}
	var decoded amqp.Message
	if err := decoded.UnmarshalBinary(slices.Clone(m.Body)); err != nil {
		return c
	}
	c.Message.Body = decoded.GetData()
	if p := decoded.Properties; p != nil {
		text := func(v any) string {
			switch v := v.(type) {
			case string:
				return v
			case *string:
				if v != nil {
					return *v
				}
			}
			return ""
		}
		c.Message.ID, c.Message.CorrelationID = text(p.MessageID), text(p.CorrelationID)
		c.Message.SessionID, c.Message.ReplySession = text(p.GroupID), text(p.ReplyToGroupID)
	}
	if decoded.Header != nil {
		c.Message.TTL = decoded.Header.TTL
	}
	return c
}

// Traffic implements scenarios.Target.
func (t *target) Traffic(context.Context) ([]scenarios.Carried, error) {
	t.tap.mu.Lock()
	defer t.tap.mu.Unlock()
	return slices.Clone(t.tap.all), nil
}

// Inject implements scenarios.Target, with the stock client and a key that may do everything.
func (t *target) Inject(ctx context.Context, queue string, m protocol.Message) error {
	relay := t.world.Relays[len(t.world.Relays)-1]
	client, err := azservicebus.NewClientFromConnectionString(relay.TLSConnectionString(), &azservicebus.ClientOptions{
		TLSConfig: &tls.Config{RootCAs: relay.CA().Pool(), MinVersion: tls.VersionTLS12},
	})
	if err != nil {
		return fmt.Errorf("reach the relay: %w", err)
	}
	defer func() { _ = client.Close(ctx) }()
	sender, err := client.NewSender(queue, nil)
	if err != nil {
		return fmt.Errorf("send to %s: %w", queue, err)
	}
	contentType := protocol.ContentType
	out := &azservicebus.Message{Body: m.Body, ContentType: &contentType, MessageID: set(m.ID), CorrelationID: set(m.CorrelationID),
		SessionID: set(m.SessionID), ReplyToSessionID: set(m.ReplySession)}
	if m.TTL > 0 {
		out.TimeToLive = &m.TTL
	}
	if err := sender.SendMessage(ctx, out, nil); err != nil {
		return fmt.Errorf("send to %s: %w", queue, err)
	}
	return nil
}

func set(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Settled implements scenarios.Target.
func (t *target) Settled(ctx context.Context, queue string) error {
	const every = 10 * time.Millisecond
	for {
		left := 0
		for _, n := range t.world.Relays {
			q, err := n.Queue(queue)
			if err != nil {
				return fmt.Errorf("look into %s: %w", queue, err)
			}
			left += q.Count()
		}
		if left == 0 {
			return nil
		}
		if err := clock.Sleep(ctx, clock.Real(), every); err != nil {
			return fmt.Errorf("%d message(s) are still in %s: %w", left, queue, err)
		}
	}
}

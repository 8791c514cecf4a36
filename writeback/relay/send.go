package relay

import (
	"context"
	"fmt"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/writeback/protocol"
)

// An outlet is the sender of one queue. The SDK's own never recovers from a link that was detached for good, as
// when its key is replaced, so a failed one is made anew.
type outlet struct {
	queue   string
	connect func(protocol.SASRule) (*azservicebus.Client, error)

	mu     sync.Mutex
	rule   protocol.SASRule
	client *azservicebus.Client
	sender *azservicebus.Sender
}

func (c *Client) outlet(rule protocol.SASRule, queue string) (*outlet, error) {
	o := &outlet{queue: queue, connect: c.connect, rule: rule}
	_, err := o.current()
	return o, err
}

// current returns the sender in use, making one if there is none.
func (o *outlet) current() (*azservicebus.Sender, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sender != nil {
		return o.sender, nil
	}
	client, err := o.connect(o.rule)
	if err != nil {
		return nil, err
	}
	sender, err := client.NewSender(o.queue, nil)
	if err != nil {
		return nil, fmt.Errorf("send to %s: %w", o.queue, err)
	}
	o.client, o.sender = client, sender
	return sender, nil
}

// discard closes a sender that failed, unless another call did so already.
func (o *outlet) discard(failed *azservicebus.Sender) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sender == failed {
		o.close()
	}
}

// close ends the connection; mu is held.
func (o *outlet) close() {
	if o.client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = o.client.Close(ctx) // it may well have ended already
	o.client, o.sender = nil, nil
}

// use runs f with a sender, and once more with a new one if that fails: the first may have been detached long ago.
func (o *outlet) use(ctx context.Context, f func(*azservicebus.Sender) error) error {
	for again := false; ; again = true {
		sender, err := o.current()
		if err != nil {
			return err
		}
		if err = f(sender); err == nil || ctx.Err() != nil {
			return err
		}
		o.discard(sender)
		if again {
			return err
		}
	}
}

// open makes the link stand, and sends nothing: a batch must know the link's largest message.
func (o *outlet) open(ctx context.Context) error {
	return o.use(ctx, func(s *azservicebus.Sender) error {
		_, err := s.NewMessageBatch(ctx, nil)
		return err //nolint:wrapcheck // the caller classifies it
	})
}

// Answer sends an answer into the session that it names.
func (c *Client) Answer(ctx context.Context, m protocol.Message) error {
	return c.send(ctx, c.answers, m, "answer request "+m.CorrelationID)
}

// Beat makes a heartbeat and sends it. Keys change over before it is made or after it is sent, so that it does not bring
// news of the connections that they end.
func (c *Client) Beat(ctx context.Context, seal func() (protocol.Message, error)) error {
	c.renewing.RLock()
	defer c.renewing.RUnlock()
	m, err := seal()
	if err != nil {
		return err
	}
	return c.send(ctx, c.status, m, "send a heartbeat")
}

// send gives up on a relay that says nothing: the SDK would wait as long as the connection stands, and whoever waits
// with it is lost to other requests. The message may be stored twice; its receiver minds its id.
func (c *Client) send(ctx context.Context, o *outlet, m protocol.Message, what string) error {
	contentType := protocol.ContentType
	out := &azservicebus.Message{Body: m.Body, ContentType: &contentType, TimeToLive: &m.TTL}
	for field, value := range map[**string]string{&out.MessageID: m.ID, &out.CorrelationID: m.CorrelationID, &out.SessionID: m.SessionID} {
		if value != "" {
			*field = &value
		}
	}
	err := o.use(ctx, func(s *azservicebus.Sender) error {
		ctx, cancel := context.WithTimeout(ctx, settleTimeout)
		defer cancel()
		return s.SendMessage(ctx, out, nil)
	})
	if err != nil {
		return c.classify(what, err)
	}
	return nil
}

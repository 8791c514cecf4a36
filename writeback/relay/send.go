package relay

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/writeback/protocol"
)

// An outlet is the sender of one queue.
type outlet struct {
	client *azservicebus.Client
	sender *azservicebus.Sender
}

func (c *Client) outlet(rule protocol.SASRule, queue string) (*outlet, error) {
	client, err := c.connect(rule)
	if err != nil {
		return nil, err
	}
	sender, err := client.NewSender(queue, nil)
	if err != nil {
		return nil, fmt.Errorf("relay %s: send to %s: %w", c.Host(), queue, err)
	}
	return &outlet{client: client, sender: sender}, nil
}

// open makes the link stand, and sends nothing: a batch must know the link's largest message.
func (o *outlet) open(ctx context.Context) error {
	if _, err := o.sender.NewMessageBatch(ctx, nil); err != nil {
		return fmt.Errorf("open a sender: %w", err)
	}
	return nil
}

// Answer sends an answer into the session that it names.
func (c *Client) Answer(ctx context.Context, m protocol.Message) error {
	return c.send(ctx, c.answers, m, "answer request "+m.CorrelationID)
}

// Beat sends a heartbeat.
func (c *Client) Beat(ctx context.Context, m protocol.Message) error {
	return c.send(ctx, c.status, m, "send a heartbeat")
}

func (c *Client) send(ctx context.Context, o *outlet, m protocol.Message, what string) error {
	contentType := protocol.ContentType
	out := &azservicebus.Message{Body: m.Body, ContentType: &contentType, TimeToLive: &m.TTL}
	for field, value := range map[**string]string{&out.MessageID: m.ID, &out.CorrelationID: m.CorrelationID, &out.SessionID: m.SessionID} {
		if value != "" {
			*field = &value
		}
	}
	if err := o.sender.SendMessage(ctx, out, nil); err != nil {
		return c.classify(what, err)
	}
	return nil
}

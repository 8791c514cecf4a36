package relay

import (
	"context"
	"errors"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/writeback/protocol"
)

// Keys are replaced while the agent works: what is in hand is finished by the connection that brought it, as long as its
// key is good; what comes from then on comes by the new one, and answers go by it.

// An intake is the receiver of requests under one key.
type intake struct {
	keys     string // thumbprint of those of the whole relay
	client   *azservicebus.Client
	receiver *azservicebus.Receiver
	inUse    sync.WaitGroup  // by who receives, and by what is in hand
	over     context.Context // ends when another took its place
	end      context.CancelFunc
	closed   chan struct{} // as are those before it
}

func (c *Client) newIntake(r protocol.Relay) (*intake, error) {
	in := &intake{keys: r.Thumbprint(), closed: make(chan struct{})}
	in.over, in.end = context.WithCancel(context.Background())
	var err error
	if in.client, err = c.connect(r.Requests); err != nil {
		return nil, err
	}
	if in.receiver, err = in.client.NewReceiverForQueue(protocol.QueueRequests, nil); err != nil {
		return nil, c.classify("receive from "+protocol.QueueRequests, err)
	}
	return in, nil
}

// current is the intake to receive by.
func (c *Client) current() *intake {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.in
}

// use is current, for somebody who says when it is used no more.
func (c *Client) use() *intake {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in.inUse.Add(1)
	return c.in
}

// Renew changes over to other keys of the same rules. What was received before may still be settled and answered. It
// returns when nothing uses the former keys any more, which may take as long as what is in hand.
func (c *Client) Renew(ctx context.Context, r protocol.Relay) error {
	in, old, err := c.changeOver(ctx, r)
	if old == nil {
		return err
	}
	select {
	case <-old.closed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in == in {
		c.keys = in.keys
	}
	return err
}

// changeOver puts a new intake in the place of the old one, which is nil if its keys are the same. The error is the first
// try's to connect by the new keys; Receive tries again.
func (c *Client) changeOver(ctx context.Context, r protocol.Relay) (in, old *intake, err error) {
	c.renewing.Lock()
	defer c.renewing.Unlock()
	if in = c.current(); in.keys == r.Thumbprint() {
		return in, nil, nil
	}
	if in, err = c.newIntake(r); err != nil {
		return nil, nil, err
	}
	c.answers.renew(r.Answers)
	err = c.openWithin(ctx, in)
	c.mu.Lock()
	c.in, old = in, c.in
	c.listening = c.receiving && err == nil // before the next heartbeat, which goes by what is renewed next
	before := c.retired
	c.retired = old.closed
	c.mu.Unlock()
	c.status.renew(r.Status)
	old.end()
	go old.close(before)
	return in, old, err
}

// Keys is the thumbprint of the keys that are in use; while Renew is not through, of the former.
func (c *Client) Keys() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keys
}

// close ends the connection when everything that it brought is settled; before is closed when the one before it is, nil
// for the first.
func (in *intake) close(before <-chan struct{}) {
	in.inUse.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = in.client.Close(ctx) // it may well have ended already
	if before != nil {
		<-before
	}
	close(in.closed)
}

// settle acts on a delivery by the connection that brought it, and where that fails, by the one that took its place.
func (d *Delivery) settle(ctx context.Context, what string, act func(context.Context, *azservicebus.Receiver) error) error {
	err := d.try(ctx, d.in, what, act)
	if now := d.client.current(); err != nil && now != d.in && ctx.Err() == nil && !errors.Is(err, ErrLockLost) {
		err = d.try(ctx, now, what, act)
	}
	return err
}

// try has a limit, because the SDK opens links anew under a lock that everybody who settles waits for.
func (d *Delivery) try(ctx context.Context, in *intake, what string, act func(context.Context, *azservicebus.Receiver) error) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	if err := act(ctx, in.receiver); err != nil {
		return d.client.classify(what+" request "+d.message.MessageID, err)
	}
	return nil
}

// renew makes the outlet anew with another key when it is used next.
func (o *outlet) renew(rule protocol.SASRule) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rule = rule
	o.close()
}

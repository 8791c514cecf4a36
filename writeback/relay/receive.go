package relay

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/cenkalti/backoff/v5"

	"passback/clock"
	"passback/writeback/protocol"
)

// A Delivery is one receipt of a request, locked for this agent until it is settled. The lock is renewed for as
// long as the handler works.
type Delivery struct {
	Message  protocol.Message
	Count    int       // 1: the first; the last is protocol.MaxDeliveryCount
	Enqueued time.Time // by the relay's clock

	client  *Client
	in      *intake
	message *azservicebus.ReceivedMessage
}

// Host is that of the relay that it came from.
func (d *Delivery) Host() string { return d.client.Host() }

// Complete removes the request from the queue.
func (d *Delivery) Complete(ctx context.Context) error {
	return d.settle(ctx, "complete", func(ctx context.Context, r *azservicebus.Receiver) error {
		return r.CompleteMessage(ctx, d.message, nil)
	})
}

// Abandon gives the request back, for another agent or another time.
func (d *Delivery) Abandon(ctx context.Context) error {
	return d.settle(ctx, "abandon", func(ctx context.Context, r *azservicebus.Receiver) error {
		return r.AbandonMessage(ctx, d.message, nil)
	})
}

// Receive takes requests until ctx ends, and returns when every handler has. Options.Concurrency are handled at a time. The
// handler settles what it is given; what it leaves comes again when its lock lapses.
func (c *Client) Receive(ctx context.Context, handle func(*Delivery)) {
	var working sync.WaitGroup
	defer working.Wait()
	c.setReceiving(true)
	defer func() {
		if c.setReceiving(false) {
			working.Go(linger)
		}
	}()
	free, taken := make(chan struct{}, c.o.Concurrency), make(chan *Delivery)
	defer close(taken)
	for range c.o.Concurrency { // goroutines that stay: a new one's stack would grow anew with each request
		working.Go(func() {
			for d := range taken {
				d.work(handle)
				d.in.inUse.Done()
				<-free
			}
		})
	}
	var takers sync.WaitGroup
	defer takers.Wait()
	wait := newBackOff()
	for ctx.Err() == nil {
		in := c.use()
		err := c.attach(ctx, in)
		if err == nil {
			wait.Reset()
			err = c.takeBy(ctx, in, &takers, free, taken)
		} else {
			in.inUse.Done()
		}
		if ctx.Err() != nil || in.over.Err() != nil {
			continue // where it is over, by the intake that took its place
		}
		c.o.Observe(err)
		pause, stop := until(ctx, in.over)
		_ = clock.Sleep(pause, clock.Real(), wait.NextBackOff())
		stop()
	}
}

// takeBy takes requests by one intake until its connection is lost, or another takes its place: then what is on its way
// to it is still taken, while the other one works.
func (c *Client) takeBy(ctx context.Context, in *intake, takers *sync.WaitGroup, free chan struct{}, taken chan<- *Delivery) error {
	ended := make(chan error, 1)
	takers.Go(func() {
		defer in.inUse.Done()
		ended <- c.take(ctx, in, free, taken)
	})
	select {
	case err := <-ended:
		return err
	case <-in.over.Done():
		return nil
	}
}

// until ends with either of two.
func until(ctx, over context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(over, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// linger keeps the link that nothing more is taken from: its credit is with the relay still, and what comes for it the
// SDK gives back at once. What comes to a link that is being closed waits until its lock lapses, and so does a person.
func linger() { _ = clock.Sleep(context.Background(), clock.Real(), lingering) }

const lingering = 250 * time.Millisecond

// newBackOff waits from 0.2 s to 5 s, jittered: when a relay comes back, the next request must succeed within
// seconds.
func newBackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 200*time.Millisecond, 5*time.Second
	return b
}

// attach makes sure that the links stand, and tells. A link that was lost counts as standing until one could not be had
// again: mostly that takes a moment, for which requests wait in the queue, where their senders would be told that
// nobody is there.
func (c *Client) attach(ctx context.Context, in *intake) error {
	ctx, cancel := until(ctx, in.over)
	defer cancel()
	if err := c.openWithin(ctx, in); err != nil {
		c.setListening(in, false)
		return err
	}
	c.setListening(in, true)
	c.o.Observe(nil)
	return nil
}

// Check opens every link that an agent needs, and takes and sends nothing.
func (c *Client) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := c.open(ctx, c.current()); err != nil {
		return err
	}
	if err := c.status.open(ctx); err != nil {
		return c.classify("open "+protocol.QueueStatus, err)
	}
	return nil
}

// open makes the link for requests stand, by a peek, which locks nothing, and that for answers, so that nothing is
// taken that could not be answered.
func (c *Client) open(ctx context.Context, in *intake) error {
	if err := c.answers.open(ctx); err != nil {
		return c.classify("open "+protocol.QueueAnswers, err)
	}
	if _, err := in.receiver.PeekMessages(ctx, 1, nil); err != nil {
		return c.classify("open "+protocol.QueueRequests, err)
	}
	return nil
}

var errLinkLost = errors.New("the connection was lost")

// take receives one message at a time, and only while a worker is free: credit that is open while nobody
// receives would let the SDK take messages and hand them back.
func (c *Client) take(ctx context.Context, in *intake, free chan struct{}, taken chan<- *Delivery) error {
	for in.over.Err() == nil {
		select {
		case free <- struct{}{}:
		case <-in.over.Done():
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		messages, err := in.receive(ctx)
		if len(messages) == 0 {
			<-free
			if errors.Is(err, errQuiet) && in.over.Err() == nil {
				if err = c.openWithin(ctx, in); err == nil { // a quiet relay still answers
					continue
				}
			}
			if err == nil { // what the SDK returns for a link that it will replace
				err = errLinkLost
			}
			return c.classify("receive from "+protocol.QueueRequests, err)
		}
		in.inUse.Add(1)
		taken <- c.delivery(in, messages[0])
	}
	return nil
}

// receiveTimeout is how long one call may bring nothing: in it the SDK opens lost links by itself, and waits without
// an end for a relay that does not answer.
const receiveTimeout = time.Minute

// lastCall is how long an intake whose place was taken waits for the one request that may be on its way to it: it would
// stay locked where the connection is closed before.
const lastCall = 2 * time.Second

// errQuiet says that nothing came in that time, and nothing failed.
var errQuiet = errors.New("no request came")

func (in *intake) receive(ctx context.Context) ([]*azservicebus.ReceivedMessage, error) {
	limited, cancel := context.WithTimeout(ctx, receiveTimeout)
	defer cancel()
	defer context.AfterFunc(in.over, func() { clock.Real().AfterFunc(lastCall, cancel) })()
	messages, err := in.receiver.ReceiveMessages(limited, 1, nil)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = errQuiet
	}
	return messages, err
}

func (c *Client) openWithin(ctx context.Context, in *intake) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return c.open(ctx, in)
}

func (c *Client) delivery(in *intake, m *azservicebus.ReceivedMessage) *Delivery {
	d := &Delivery{client: c, in: in, message: m, Count: int(m.DeliveryCount)}
	d.Message = protocol.Message{Body: m.Body, ID: m.MessageID}
	if m.ReplyToSessionID != nil {
		d.Message.ReplySession = *m.ReplyToSessionID
	}
	if m.EnqueuedTime != nil {
		d.Enqueued = *m.EnqueuedTime
	}
	return d
}

// work runs the handler and renews the lock meanwhile.
func (d *Delivery) work(handle func(*Delivery)) {
	ctx, stop := context.WithCancel(context.Background())
	var renewing sync.WaitGroup
	renewing.Go(func() { d.renew(ctx) })
	defer renewing.Wait()
	defer stop()
	handle(d)
}

func (d *Delivery) renew(ctx context.Context) {
	for clock.Sleep(ctx, clock.Real(), protocol.LockDuration/2) == nil {
		if err := d.renewOnce(ctx); err != nil && ctx.Err() == nil {
			d.client.o.Logger.Warn("a request's lock was not renewed: another agent may take it", "relay", d.client.Host(), "tracking_id", d.Message.ID, "error", err)
		}
	}
}

func (d *Delivery) renewOnce(ctx context.Context) error {
	return d.settle(ctx, "renew the lock on", func(ctx context.Context, r *azservicebus.Receiver) error {
		return r.RenewMessageLock(ctx, d.message, nil)
	})
}

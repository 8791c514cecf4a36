package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	goamqp "github.com/Azure/go-amqp"
)

const (
	bodySize   = 1024
	maxBacklog = 400 // messages on their way: RabbitMQ 3.10 stalls when the client's session window of 5,000 is near
)

// A workload runs on a broker until ctx ends, and counts what it has done.
type workload struct {
	name string
	run  func(ctx context.Context, b *broker, done *atomic.Int64) error
}

var workloads = []workload{
	{"round trips, 1 at once", roundTrips(1)},
	{"round trips, 16 at once", roundTrips(16)},
	{"round trips, 64 at once", roundTrips(64)},
	{"one way, acknowledged, 64 senders", oneWayMessages(64, false)},
	{"one way, pre-settled, 4 senders", oneWayMessages(4, true)},
}

// first is the receivers' settle mode that all brokers have: the receiver settles at once.
var first = goamqp.ReceiverSettleModeFirst

// a party is a client's connection with a link out and a link in, either of which may be missing.
type party struct {
	conn *goamqp.Conn
	out  *goamqp.Sender
	in   *goamqp.Receiver
}

func join(ctx context.Context, b *broker, out, in string, settled bool) (*party, error) {
	c, err := b.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", b.name, err)
	}
	p := &party{conn: c}
	session, err := c.NewSession(ctx, nil)
	if err == nil && out != "" {
		o := &goamqp.SenderOptions{}
		if settled {
			o.SettlementMode = goamqp.SenderSettleModeSettled.Ptr()
		}
		p.out, err = session.NewSender(ctx, b.prefix+out, o)
	}
	if err == nil && in != "" {
		o := &goamqp.ReceiverOptions{Credit: maxBacklog, SettlementMode: &first}
		if settled {
			o.RequestedSenderSettleMode = goamqp.SenderSettleModeSettled.Ptr()
		}
		p.in, err = session.NewReceiver(ctx, b.prefix+in, o)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open links to %s: %w", b.name, err), c.Close())
	}
	return p, nil
}

// receive takes and accepts messages until the connection is closed.
func (p *party) receive(take func(*goamqp.Message) error) error {
	for {
		m, err := p.in.Receive(context.Background(), nil)
		if err == nil {
			err = p.in.AcceptMessage(context.Background(), m)
		}
		if err == nil {
			err = take(m)
		}
		var closed *goamqp.ConnError
		if errors.As(err, &closed) && closed.RemoteErr == nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
	}
}

// roundTrips sends requests, which the responder's connection answers, and waits for each answer: a round trip is two
// messages, each of them confirmed to its sender and accepted by its receiver.
func roundTrips(at int) func(context.Context, *broker, *atomic.Int64) error {
	return func(ctx context.Context, b *broker, done *atomic.Int64) error {
		requester, err := join(ctx, b, requests, replies, false)
		if err != nil {
			return err
		}
		responder, err := join(ctx, b, replies, requests, false)
		if err != nil {
			return errors.Join(err, requester.conn.Close())
		}
		waiting := make([]chan struct{}, at) // for the reply, by who asked
		for i := range waiting {
			waiting[i] = make(chan struct{}, 1)
		}
		var asking, serving group
		for range at {
			serving.run(func() error {
				return responder.receive(func(m *goamqp.Message) error {
					return responder.out.Send(context.Background(), message(m.Properties.CorrelationID), nil)
				})
			})
		}
		serving.run(func() error {
			return requester.receive(func(m *goamqp.Message) error {
				waiting[m.Properties.CorrelationID.(uint64)] <- struct{}{}
				return nil
			})
		})
		for i := range at {
			asking.run(func() error {
				for ctx.Err() == nil {
					if err := requester.out.Send(context.Background(), message(uint64(i)), nil); err != nil {
						return fmt.Errorf("send a request: %w", err)
					}
					<-waiting[i]
					done.Add(1)
				}
				return nil
			})
		}
		err = asking.wait()
		err = errors.Join(err, responder.conn.Close(), requester.conn.Close())
		return errors.Join(err, serving.wait())
	}
}

// oneWayMessages sends from several goroutines on one link; another connection receives.
func oneWayMessages(senders int, settled bool) func(context.Context, *broker, *atomic.Int64) error {
	return func(ctx context.Context, b *broker, done *atomic.Int64) error {
		from, err := join(ctx, b, oneWay, "", settled)
		if err != nil {
			return err
		}
		to, err := join(ctx, b, "", oneWay, settled)
		if err != nil {
			return errors.Join(err, from.conn.Close())
		}
		room := make(chan struct{}, maxBacklog)
		var sending, receiving group
		receiving.run(func() error {
			return to.receive(func(*goamqp.Message) error {
				done.Add(1)
				<-room
				return nil
			})
		})
		for range senders {
			sending.run(func() error {
				for ctx.Err() == nil {
					room <- struct{}{}
					if err := from.out.Send(context.Background(), message(uint64(0)), nil); err != nil {
						return fmt.Errorf("send: %w", err)
					}
				}
				return nil
			})
		}
		err = sending.wait()
		for range maxBacklog { // until all has been received
			room <- struct{}{}
		}
		err = errors.Join(err, from.conn.Close(), to.conn.Close())
		return errors.Join(err, receiving.wait())
	}
}

var body = make([]byte, bodySize)

func message(correlation any) *goamqp.Message {
	return &goamqp.Message{Data: [][]byte{body}, Properties: &goamqp.MessageProperties{CorrelationID: correlation}}
}

// A group runs goroutines and keeps their errors.
type group struct {
	all  sync.WaitGroup
	mu   sync.Mutex
	errs []error
}

func (g *group) run(f func() error) {
	g.all.Go(func() {
		if err := f(); err != nil {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.errs = append(g.errs, err)
		}
	})
}

func (g *group) wait() error {
	g.all.Wait()
	return errors.Join(g.errs...)
}

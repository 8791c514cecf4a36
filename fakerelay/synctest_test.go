package fakerelay_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/fakerelay"
)

// pipes is a listener in memory: a dial is one end of a net.Pipe.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.done)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

func (p *pipes) dial(ctx context.Context, _ azservicebus.NewWebSocketConnArgs) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inMemory runs f in a bubble of virtual time with a namespace that no socket leads to.
func inMemory(t *testing.T, f func(t *testing.T, n *fakerelay.Namespace, dial *azservicebus.ClientOptions)) {
	synctest.Test(t, func(t *testing.T) {
		n, err := fakerelay.New(fakerelay.Options{AMQPPort: -1, AMQPSPort: -1, HTTPSPort: -1, IdentityPort: -1})
		must(t, err)
		l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		served := make(chan error, 1)
		go func() { served <- n.Serve(l) }()
		f(t, n, &azservicebus.ClientOptions{NewWebSocketConn: l.dial, RetryOptions: azservicebus.RetryOptions{MaxRetries: -1}})
		must(t, n.Close())
		must(t, <-served)
	})
}

func TestTokensAreRenewedForHours(t *testing.T) {
	inMemory(t, func(t *testing.T, n *fakerelay.Namespace, dial *azservicebus.ClientOptions) {
		k := newKey(fakerelay.Send | fakerelay.Listen)
		must(t, n.SetKey(fakerelay.DefaultQueue, k))
		dial.RetryOptions = azservicebus.RetryOptions{} // idle links are detached, and opened again by a retry
		c, err := azservicebus.NewClientFromConnectionString("Endpoint=sb://relay.example;SharedAccessKeyName="+k.Name+";SharedAccessKey="+k.Secret, dial)
		must(t, err)
		ctx := context.Background()
		sender, err := c.NewSender(fakerelay.DefaultQueue, nil)
		must(t, err)
		receiver, err := c.NewReceiverForQueue(fakerelay.DefaultQueue, nil)
		must(t, err)
		for range 3 {
			must(t, sender.SendMessage(ctx, body("still here"), nil))
			m, err := tryReceive(ctx, receiver)
			must(t, err)
			must(t, receiver.CompleteMessage(ctx, m, nil))
			time.Sleep(time.Hour + 5*time.Minute)
		}
		must(t, c.Close(ctx))
	})
}

func TestExpiredTokenEndsAWaitingReceiver(t *testing.T) {
	inMemory(t, func(t *testing.T, n *fakerelay.Namespace, dial *azservicebus.ClientOptions) {
		k := newKey(fakerelay.Listen)
		must(t, n.SetKey("", k))
		c, err := azservicebus.NewClientFromConnectionString("Endpoint=sb://relay.example;SharedAccessSignature="+signed(n, k, "", time.Now().Add(time.Minute)), dial)
		must(t, err)
		receiver, err := c.NewReceiverForQueue(fakerelay.DefaultQueue, nil)
		must(t, err)
		start := time.Now()
		_, err = tryReceive(context.Background(), receiver)
		var refused *azservicebus.Error
		if !errors.As(err, &refused) || refused.Code != azservicebus.CodeUnauthorizedAccess {
			t.Errorf("got %v, want unauthorised access", err)
		}
		if waited := time.Since(start); waited < 59*time.Second || waited > 2*time.Minute {
			t.Errorf("the link ended after %v, the token after a minute", waited)
		}
		must(t, c.Close(context.Background()))
	})
}

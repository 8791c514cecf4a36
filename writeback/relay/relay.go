// Package relay is one Service Bus namespace as an agent sees it: it takes requests, gives answers and beats,
// with the stock SDK (azservicebus v1.11) over AMQP in a WebSocket, which the agent opens. One connection for each
// queue, because each has a shared access rule of its own: listen on requests, send on answers and on status.
//
// A Client reconnects for ever by itself; what it meets is told to Options.Observe. Left out on purpose: AMQP over
// TCP, so that port 443 is all that a firewall has to let out; tokens other than SAS.
package relay

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/writeback/protocol"
)

// ErrUnauthorized means that the relay refuses the agent's rule: its credentials must be renewed.
var ErrUnauthorized = errors.New("the relay refuses the agent's credentials")

// ErrLockLost means that a request is not this delivery's any more, so that it can be neither completed nor
// abandoned.
var ErrLockLost = errors.New("the lock on the request is lost")

// Options of a Client.
type Options struct {
	Relay protocol.Relay

	// Proxy is an http or https proxy that is asked to CONNECT. Default: HTTPS_PROXY and NO_PROXY, which Go never
	// applies to loopback hosts.
	Proxy *url.URL
	// RootCAs sign the relay's and the proxy's certificates. Default: the system's.
	RootCAs *x509.CertPool
	// Dial opens TCP connections. Default: net.Dialer, 10 s.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Concurrency is how many requests are worked on at a time. Default: 8.
	Concurrency int
	// Observe is told of each connection made (nil) and of each failure to get or to keep one. Default: nobody is.
	Observe func(error)
	// Skew is told by how much the agent's clock is off, at each WebSocket upgrade that carries a Date header;
	// positive when it is ahead. Default: nobody is.
	Skew func(time.Duration)
	// Logger gets details for debugging. Default: discards.
	Logger *slog.Logger
}

const (
	defaultConcurrency = 8
	connectTimeout     = 20 * time.Second // TCP, TLS, upgrade, AMQP and the first link, together
	settleTimeout      = 5 * time.Second  // for the relay's word on a message that is sent, settled or renewed
	closeTimeout       = 300 * time.Millisecond
)

// A Client speaks to one relay.
type Client struct {
	o         Options
	transport *http.Transport
	answers   *outlet
	status    *outlet
	renewing  sync.RWMutex // held to change over, and read-held to beat

	mu        sync.Mutex
	in        *intake
	retired   <-chan struct{} // closed when what was before it is; nil: nothing was
	keys      string          // thumbprint of those in use
	receiving bool            // Receive runs
	listening bool            // the connection for requests stands
}

// New makes a client; it connects when it is used.
func New(o Options) (*Client, error) {
	if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.Observe == nil {
		o.Observe = func(error) {}
	}
	if o.Skew == nil {
		o.Skew = func(time.Duration) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Client{o: o, transport: newTransport(o), keys: o.Relay.Thumbprint()}
	var err error
	if c.in, err = c.newIntake(o.Relay); err != nil {
		return nil, err
	}
	if c.answers, err = c.outlet(o.Relay.Answers, protocol.QueueAnswers); err != nil {
		return nil, err
	}
	if c.status, err = c.outlet(o.Relay.Status, protocol.QueueStatus); err != nil {
		return nil, err
	}
	return c, nil
}

// Host is that of the relay.
func (c *Client) Host() string { return c.o.Relay.Host }

// Listening reports whether the connection for requests stands, or was lost only now and is being opened anew.
func (c *Client) Listening() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.listening
}

// setListening notes whether an intake's connection stands: not where another took its place, which tells for itself.
func (c *Client) setListening(in *intake, listening bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in == in {
		c.listening = listening
	}
}

// setReceiving notes whether Receive runs, and returns whether its connection stood.
func (c *Client) setReceiving(receiving bool) (stood bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stood = c.listening
	c.receiving, c.listening = receiving, stood && receiving
	return stood
}

// Close ends all connections.
func (c *Client) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	c.setReceiving(false)
	if err := c.current().client.Close(ctx); err != nil {
		c.o.Logger.Debug("closing a connection to the relay", "relay", c.Host(), "error", err)
	}
	for _, o := range []*outlet{c.answers, c.status} {
		o.mu.Lock()
		o.close()
		o.mu.Unlock()
	}
	c.transport.CloseIdleConnections()
}

// connect makes the SDK's client of one rule.
func (c *Client) connect(rule protocol.SASRule) (*azservicebus.Client, error) {
	key := rule.Key.Reveal()
	if strings.ContainsAny(c.o.Relay.Host+rule.Name, ";/ ") || strings.Contains(key, ";") {
		return nil, fmt.Errorf("relay %.80q: its host, or a rule's name or key, cannot stand in a connection string: %w", c.o.Relay.Host, protocol.ErrInvalid)
	}
	connection := "Endpoint=sb://" + c.o.Relay.Host + ";SharedAccessKeyName=" + rule.Name + ";SharedAccessKey=" + key
	client, err := azservicebus.NewClientFromConnectionString(connection, &azservicebus.ClientOptions{
		NewWebSocketConn: c.dial,
		// The SDK tries once more, soon; longer waits are ours, so that they can be told of.
		RetryOptions: azservicebus.RetryOptions{MaxRetries: 2, RetryDelay: 200 * time.Millisecond, MaxRetryDelay: time.Second},
	})
	if err != nil {
		return nil, fmt.Errorf("relay %s: %w", c.o.Relay.Host, err)
	}
	return client, nil
}

// classify wraps what the SDK reports, keeping it.
func (c *Client) classify(what string, err error) error {
	if told, ok := errors.AsType[*azservicebus.Error](err); ok {
		switch told.Code {
		case azservicebus.CodeUnauthorizedAccess:
			return fmt.Errorf("relay %s: %s: %w: %w", c.Host(), what, ErrUnauthorized, err)
		case azservicebus.CodeLockLost:
			return fmt.Errorf("relay %s: %s: %w: %w", c.Host(), what, ErrLockLost, err)
		}
	}
	return fmt.Errorf("relay %s: %s: %w", c.Host(), what, err)
}

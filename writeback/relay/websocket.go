package relay

// AMQP over WebSocket (OASIS AMQP WebSocket Binding 1.0): subprotocol "amqp", binary messages, at
// wss://HOST/$servicebus/websocket; through a proxy by HTTP CONNECT (RFC 9110 section 9.3.6).

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/coder/websocket"

	"passback/clock"
	"passback/writeback/protocol"
)

const stepTimeout = 10 * time.Second // each of TCP, TLS, and the answer to the upgrade

func newTransport(o Options) *http.Transport {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           o.Dial,
		TLSClientConfig:       &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   stepTimeout,
		ResponseHeaderTimeout: stepTimeout,
	}
	if o.Proxy != nil {
		t.Proxy = http.ProxyURL(o.Proxy)
	}
	if o.Dial == nil {
		t.DialContext = (&net.Dialer{Timeout: stepTimeout}).DialContext
	}
	return t
}

// dial is the SDK's NewWebSocketConn.
func (c *Client) dial(ctx context.Context, args azservicebus.NewWebSocketConnArgs) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	sent := clock.Real().Now()
	//nolint:bodyclose // websocket.Dial's own documentation: the body need never be closed
	ws, response, err := websocket.Dial(ctx, args.Host, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: c.transport}, Subprotocols: []string{"amqp"},
	})
	if response != nil {
		c.compareClocks(response.Header, sent)
	}
	if err != nil {
		return nil, fmt.Errorf("open a WebSocket to %s: %w", args.Host, err)
	}
	ws.SetReadLimit(-1) // AMQP has frame sizes of its own
	return &conn{Conn: websocket.NetConn(context.Background(), ws, websocket.MessageBinary), ws: ws}, nil
}

// Measure compares the clocks anew, by the answer to any request at all.
func (c *Client) Measure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, "https://"+c.Host()+"/", http.NoBody)
	if err != nil {
		return fmt.Errorf("relay %s: %w", c.Host(), err)
	}
	sent := clock.Real().Now()
	response, err := c.transport.RoundTrip(r)
	if err != nil {
		return fmt.Errorf("relay %s: %w", c.Host(), err)
	}
	response.Body.Close()
	c.compareClocks(response.Header, sent)
	return nil
}

func (c *Client) compareClocks(h http.Header, sent time.Time) {
	if h.Get("Date") == "" {
		return // not every server dates an upgrade
	}
	skew, err := protocol.Skew(h, sent, clock.Real().Now())
	if err != nil {
		c.o.Logger.Debug("the relay's Date header", "relay", c.Host(), "error", err)
		return
	}
	c.o.Skew(skew)
}

// conn closes at once: AMQP has said goodbye already, and the WebSocket's own would wait for a peer that may be gone.
type conn struct {
	net.Conn
	ws *websocket.Conn
}

// Close implements net.Conn.
func (c *conn) Close() error {
	if err := c.ws.CloseNow(); err != nil {
		return fmt.Errorf("close the WebSocket: %w", err)
	}
	return nil
}

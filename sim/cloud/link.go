package cloud

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/writeback/protocol"
)

// link is the connections with one relay: one client for each queue, since each queue has its own rule.
type link struct {
	relay           Relay
	answers, status *azservicebus.Client
	dead            *azservicebus.Client // requests, for its dead-letter queue
	rule            Rule                 // of requests
	life            context.Context      // the tenant's

	mu       sync.Mutex
	sending  *sending // nil: to be opened
	failure  error    // of the last try to open it
	failedAt time.Time
}

const (
	attachTimeout = 3 * time.Second // to open a connection that requests are sent on: then the other relay is tried
	// restBetween two tries to open it, so that those who wait for each other do not wait that long one by one.
	restBetween = 500 * time.Millisecond
)

// quickRetries: the SDK's own are meant for minutes, a person waits for seconds.
var quickRetries = azservicebus.RetryOptions{MaxRetries: 2, RetryDelay: 100 * time.Millisecond, MaxRetryDelay: time.Second}

var noRetries = azservicebus.RetryOptions{MaxRetries: -1}

func newLink(ctx context.Context, relay Relay) (*link, error) {
	l := &link{relay: relay, life: ctx}
	for queue, client := range map[string]**azservicebus.Client{
		protocol.QueueRequests: &l.dead, protocol.QueueAnswers: &l.answers, protocol.QueueStatus: &l.status,
	} {
		rule := cloudRule(queue)
		if err := relay.SetRule(ctx, queue, rule); err != nil {
			return nil, fmt.Errorf("set the cloud's rule on %s: %w", queue, err)
		}
		if queue == protocol.QueueRequests {
			l.rule = rule
		}
		var err error
		if *client, err = relay.client(rule, quickRetries, nil); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// client connects with one rule; it dials when first used. left is told of each frame that is written.
func (r Relay) client(rule Rule, retries azservicebus.RetryOptions, left *departures) (*azservicebus.Client, error) {
	connection := fmt.Sprintf("Endpoint=sb://%s;SharedAccessKeyName=%s;SharedAccessKey=%s", r.endpoint(), rule.Name, rule.Key.Reveal())
	client, err := azservicebus.NewClientFromConnectionString(connection, &azservicebus.ClientOptions{
		RetryOptions: retries,
		NewWebSocketConn: func(ctx context.Context, _ azservicebus.NewWebSocketConnArgs) (net.Conn, error) {
			conn, err := r.dial(ctx)
			if err != nil || left == nil {
				return conn, err
			}
			return watchedConn{conn, left}, nil
		},
	})
	if err != nil {
		return nil, fmt.Errorf("a client for the relay %s: %w", r.endpoint(), err)
	}
	return client, nil
}

func (r Relay) endpoint() string { return firstOf(r.Endpoint, r.Host) }

const amqpsPort = "5671"

// dial opens a connection on which AMQP begins at once. The name in the certificate is the host's, without the port.
func (r Relay) dial(ctx context.Context) (net.Conn, error) {
	if r.Dial != nil {
		return r.Dial(ctx)
	}
	host, port, err := net.SplitHostPort(r.endpoint())
	if err != nil {
		host, port = r.endpoint(), amqpsPort
	}
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: r.RootCAs, ServerName: host, MinVersion: tls.VersionTLS12}}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	return conn, nil
}

func (l *link) close(ctx context.Context) {
	for _, client := range []*azservicebus.Client{l.dead, l.answers, l.status} {
		_ = client.Close(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sending != nil {
		_ = l.sending.client.Close(ctx)
	}
}

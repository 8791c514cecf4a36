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

// link is the connections with one relay.
type link struct {
	relay Relay
	life  context.Context // the tenant's

	mu       sync.Mutex
	lines    *lines   // by the keys in force
	sending  *sending // nil: to be opened
	failure  error    // of the last try to open it
	failedAt time.Time
}

// lines are one client for each queue, since each queue has its own rule.
type lines struct {
	rules                 map[string]protocol.SASRule
	answers, status, dead *azservicebus.Client // dead: of requests, for its dead-letter queue
	inUse                 sync.WaitGroup
	over                  context.Context // ends when others, by other keys, took their place
	end                   context.CancelFunc
}

const (
	attachTimeout = 3 * time.Second // to open a connection that requests are sent on: then the other relay is tried
	// restBetween two tries to open it, so that those who wait for each other do not wait that long one by one.
	restBetween = 500 * time.Millisecond
)

// quickRetries: the SDK's own are meant for minutes, a person waits for seconds.
var quickRetries = azservicebus.RetryOptions{MaxRetries: 2, RetryDelay: 100 * time.Millisecond, MaxRetryDelay: time.Second}

var noRetries = azservicebus.RetryOptions{MaxRetries: -1}

func newLink(ctx context.Context, relay Relay, rules map[string]protocol.SASRule) (*link, error) {
	l := &link{relay: relay, life: ctx}
	var err error
	l.lines, err = l.newLines(rules)
	return l, err
}

func (l *link) newLines(rules map[string]protocol.SASRule) (*lines, error) {
	s := &lines{rules: rules}
	s.over, s.end = context.WithCancel(l.life)
	for queue, client := range map[string]**azservicebus.Client{
		protocol.QueueRequests: &s.dead, protocol.QueueAnswers: &s.answers, protocol.QueueStatus: &s.status,
	} {
		var err error
		if *client, err = l.relay.client(rules[queue], quickRetries, nil); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// warm opens the connection that requests are sent on, so that the first need not wait for it.
func (l *link) warm() {
	if s, _, err := l.open(l.life); err == nil {
		s.inUse.Done()
	}
}

// use returns the lines in force, for somebody who says when they are used no more.
func (l *link) use() *lines {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines.inUse.Add(1)
	return l.lines
}

// changeOver goes on by other keys. What is on its way by the former ends there; changed is closed when nothing is.
func (l *link) changeOver(rules map[string]protocol.SASRule) (changed <-chan struct{}, err error) {
	next, err := l.newLines(rules)
	if err != nil {
		return nil, err
	}
	s, err := l.connect(l.life, rules[protocol.QueueRequests], openTimeout) // nobody waits: the former still serves
	if err != nil {
		s = nil // the next request tries again
	}
	l.mu.Lock()
	formerLines, formerSending := l.lines, l.sending
	l.lines, l.sending, l.failure = next, s, nil
	l.mu.Unlock()
	formerLines.end()
	done := make(chan struct{})
	go func() {
		defer close(done)
		formerLines.inUse.Wait()
		formerLines.close()
		if formerSending != nil {
			defer context.AfterFunc(l.life, formerSending.close)() // then nobody waits for it
			formerSending.inUse.Wait()
			formerSending.close()
		}
	}()
	return done, nil
}

func (s *lines) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	for _, client := range []*azservicebus.Client{s.dead, s.answers, s.status} {
		_ = client.Close(ctx)
	}
}

// client connects with one rule; it dials when first used. left is told of each frame that is written.
func (r Relay) client(rule protocol.SASRule, retries azservicebus.RetryOptions, left *departures) (*azservicebus.Client, error) {
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

func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines.close()
	if l.sending != nil {
		l.sending.close()
	}
}

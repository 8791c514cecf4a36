package cloud

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"passback/writeback/protocol"
)

// link is the connections with one relay: one client for each queue, since each queue has its own rule.
type link struct {
	relay           Relay
	answers, status *azservicebus.Client
	dead            *azservicebus.Client // requests, for its dead-letter queue
	rule            Rule                 // of requests

	mu       sync.Mutex
	sending  *sending // nil: to be opened
	failure  error    // of the last try to open it
	failedAt time.Time
}

// sending is one connection that requests are sent on. It is given up at its first error: the SDK's own recovery
// would not tell whether a message left.
type sending struct {
	client *azservicebus.Client
	sender *azservicebus.Sender
	wrote  *atomic.Int64 // how often something was written to the connection
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
	l := &link{relay: relay}
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

// client connects with one rule; it dials when first used. wrote counts the writes of its connection.
func (r Relay) client(rule Rule, retries azservicebus.RetryOptions, wrote *atomic.Int64) (*azservicebus.Client, error) {
	connection := fmt.Sprintf("Endpoint=sb://%s;SharedAccessKeyName=%s;SharedAccessKey=%s", r.endpoint(), rule.Name, rule.Key.Reveal())
	client, err := azservicebus.NewClientFromConnectionString(connection, &azservicebus.ClientOptions{
		RetryOptions: retries,
		NewWebSocketConn: func(ctx context.Context, _ azservicebus.NewWebSocketConnArgs) (net.Conn, error) {
			conn, err := r.dial(ctx)
			if err != nil || wrote == nil {
				return conn, err
			}
			return counted{conn, wrote}, nil
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

// counted counts what is written.
type counted struct {
	net.Conn
	wrote *atomic.Int64
}

func (c counted) Write(b []byte) (int, error) {
	c.wrote.Add(1)
	return c.Conn.Write(b) //nolint:wrapcheck // net.Conn's own
}

// open returns the connection to send on; fresh tells that it was made just now.
func (l *link) open(ctx context.Context) (s *sending, fresh bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sending != nil {
		return l.sending, false, nil
	}
	if l.failure != nil && wire().Sub(l.failedAt) < restBetween {
		return nil, true, l.failure
	}
	l.sending, l.failure = l.connect(ctx)
	l.failedAt = wire()
	return l.sending, true, l.failure
}

// connect makes sure of the link too, by which nothing is sent yet: asking for a batch attaches it.
func (l *link) connect(ctx context.Context) (*sending, error) {
	s := &sending{wrote: new(atomic.Int64)}
	var err error
	if s.client, err = l.relay.client(l.rule, noRetries, s.wrote); err != nil {
		return nil, err
	}
	if s.sender, err = s.client.NewSender(protocol.QueueRequests, nil); err != nil {
		return nil, fmt.Errorf("a sender of requests: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, attachTimeout)
	defer cancel()
	if _, err := s.sender.NewMessageBatch(ctx, nil); err != nil {
		go s.close()
		return nil, fmt.Errorf("connect: %w", err)
	}
	return s, nil
}

// giveUp drops a connection that failed.
func (l *link) giveUp(s *sending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sending == s {
		l.sending = nil
	}
	go s.close()
}

func (s *sending) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = s.client.Close(ctx)
}

// errUnsent says that the message certainly did not leave, or was refused.
var errUnsent = errors.New("not sent")

// errRejected says besides that the relay answered with the outcome rejected (AMQP 1.0, 3.4.3), as it does when it is
// busy: the connection is as good as before, and the message may be sent again.
var errRejected = fmt.Errorf("%w: the relay rejected it", errUnsent)

// send tries a connection that may have ended since the last request, and then a new one. An error that does not
// wrap errUnsent leaves open whether the relay took it.
func (l *link) send(ctx context.Context, m protocol.Message) error {
	for {
		s, fresh, err := l.open(ctx)
		if err != nil {
			return fmt.Errorf("%w: %w", errUnsent, err)
		}
		if err = l.sendOn(ctx, s, m); fresh || !errors.Is(err, errUnsent) || errors.Is(err, errRejected) {
			return err
		}
	}
}

func (l *link) sendOn(ctx context.Context, s *sending, m protocol.Message) error {
	contentType := protocol.ContentType
	before := s.wrote.Load()
	err := s.sender.SendMessage(ctx, &azservicebus.Message{
		Body: m.Body, MessageID: &m.ID, ReplyToSessionID: &m.ReplySession, TimeToLive: &m.TTL, ContentType: &contentType,
	}, nil)
	if err == nil {
		return nil
	}
	if rejected(err) {
		return fmt.Errorf("%w: %w", errRejected, err)
	}
	unsent := s.wrote.Load() == before || refused(err)
	l.giveUp(s)
	if unsent {
		return fmt.Errorf("%w: %w", errUnsent, err)
	}
	return fmt.Errorf("send: %w", err)
}

// refused reports whether the relay answered that it does not take the message.
func refused(err error) bool {
	if errors.Is(err, azservicebus.ErrMessageTooLarge) {
		return true
	}
	sb, ok := errors.AsType[*azservicebus.Error](err)
	return ok && (sb.Code == azservicebus.CodeUnauthorizedAccess || sb.Code == azservicebus.CodeNotFound)
}

// Conditions of a rejection by which the service says that it does not know itself what became of the message.
const condTimeout amqp.ErrCond = "com.microsoft:timeout"

// rejected reports whether this one transfer was turned down. The errors of a link, a session or a connection that ended
// wrap a condition too, and say nothing of what was on its way.
func rejected(err error) bool {
	for _, ended := range []any{new(*amqp.LinkError), new(*amqp.SessionError), new(*amqp.ConnError)} {
		if errors.As(err, ended) {
			return false
		}
	}
	e, ok := errors.AsType[*amqp.Error](err)
	return ok && e.Condition != condTimeout && e.Condition != amqp.ErrCondInternalError
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

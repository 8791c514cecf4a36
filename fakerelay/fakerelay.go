// Package fakerelay is a fake Azure Service Bus namespace that the stock SDKs cannot tell from the real one.
//
// A Namespace listens on real sockets: plain AMQP as the official emulator's, AMQP over TLS, AMQP over WebSocket, and
// the management API over HTTPS. Tokens are really verified, on every port: shared access signatures, and JSON web
// tokens of an identity endpoint that the namespace has too. Queues, topics, subscriptions, rules, sessions, locks and
// dead letters live in passback/fakerelay/broker, on a clock that a test can advance; the protocol in
// passback/fakerelay/amqp. Start with RunT in a test, with New elsewhere.
//
// AddFault, or the control API over HTTP, has it do to a client what the service does on a bad day; Trace shows every
// frame; Reset puts it back between tests.
//
// Left out on purpose, and answered with the service's own refusals, never with silence: persistence, partitions,
// transactions, and throttling but by a fault.
package fakerelay

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"passback/clock"
	"passback/fakerelay/broker"
	"passback/localca"
)

// QueueOptions describe a queue; see broker.QueueOptions.
type QueueOptions = broker.QueueOptions

// What a namespace that was told of no entities has: a queue, and a topic with one subscription.
const (
	DefaultQueue        = "queue.1"
	DefaultTopic        = "topic.1"
	DefaultSubscription = "subscription.1"
)

// Options are what a namespace is made with. The zero value works.
type Options struct {
	Clock  clock.Clock // of locks, time to live and the duplicate window; default clock.Real(). Tokens stay on package time
	Listen string      // IP address; default 127.0.0.1

	// Each port tells plain AMQP, TLS and HTTP apart, and takes all. 0 picks a free one, which is the default; a
	// negative one is not opened, for a namespace that lives on the listeners given to Serve.
	AMQPPort  int // plain AMQP
	AMQPSPort int // AMQP over TLS
	HTTPSPort int // AMQP over WebSocket

	// IdentityPort gives tokens over plain HTTP, as App Service does to managed identities; 0 and negative as above.
	IdentityPort int

	// Limits beyond which the namespace refuses, as the service does beyond its own.
	MaxConnections int // network connections at once; more are closed as they come; default 5000, the service's for AMQP
	MaxEntities    int // queues and topics; default 10,000, the service's of the Standard tier

	Tier   Tier               // default Standard
	CA     *localca.Authority // issues the certificate; default: a new one
	Keys   []Key              // of the namespace; default: RootManageSharedAccessKey with a random secret and all rights
	Queues []QueueOptions     // default, if Topics are nil too: DefaultQueue
	Topics []Topic            // default, if Queues are nil too: DefaultTopic with DefaultSubscription
	Logger *slog.Logger       // default: discards
}

// A Namespace is a running Service Bus namespace. All methods may be called from any goroutine.
type Namespace struct {
	clock  clock.Clock
	live   atomic.Pointer[broker.Broker] // another one after each Reset
	keys   keyring
	hooks  hooks
	faults faults
	trace  traces
	log    *slog.Logger
	tier   Tier
	ca     *localca.Authority

	maxEntities int // 0: the broker's default

	tls   *tls.Config
	first Key // of the connection strings

	// What there was at the start, for Reset.
	startKeys     []Key
	startEntities Entities

	started time.Time     // on clock
	serial  atomic.Uint64 // of the last connection

	amqp, amqps, https, identity string // host:port; empty: not opened
	http                         *http.Server
	handed                       handedConns  // to http
	identityHTTP                 *http.Server // nil: its port is not opened

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	listeners map[net.Listener]struct{}
	conns     map[*connection]struct{}
	open      int // network connections, before they turned out to be AMQP too
	most      int // of them
}

// New makes a namespace, listens and serves. A port in use is named in the error.
func New(o Options) (*Namespace, error) {
	n := &Namespace{
		clock: o.Clock, log: o.Logger, ca: o.CA, tier: o.Tier, most: o.MaxConnections, maxEntities: o.MaxEntities,
		listeners: make(map[net.Listener]struct{}), conns: make(map[*connection]struct{}),
	}
	if n.clock == nil {
		n.clock = clock.Real()
	}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if n.most == 0 {
		n.most = maxConnections
	}
	if n.most < 0 || n.maxEntities < 0 {
		return nil, fmt.Errorf("MaxConnections %d and MaxEntities %d: must not be negative", o.MaxConnections, o.MaxEntities)
	}
	if !n.tier.known() {
		return nil, fmt.Errorf("%v: must be Standard or Premium", n.tier)
	}
	n.started = n.clock.Now()
	n.ctx, n.cancel = context.WithCancel(context.Background())
	if err := n.fill(o); err != nil {
		return nil, err
	}
	if err := n.listen(o); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// fill makes keys and entities, and remembers them.
func (n *Namespace) fill(o Options) error {
	if len(o.Keys) == 0 {
		o.Keys = []Key{{Name: RootKeyName, Secret: NewSecret(), Rights: Manage | Send | Listen}}
	}
	for _, k := range o.Keys {
		if err := n.keys.set("", k); err != nil {
			return err
		}
	}
	n.first = o.Keys[0]
	if o.Queues == nil && o.Topics == nil {
		o.Queues = []QueueOptions{{Name: DefaultQueue}}
		o.Topics = []Topic{{TopicOptions{Name: DefaultTopic}, []SubscriptionOptions{{Name: DefaultSubscription}}}}
	}
	n.startKeys, n.startEntities = o.Keys, Entities{o.Queues, o.Topics}
	fresh, err := n.freshBroker()
	n.live.Store(fresh)
	return err
}

// NewSecret makes a random secret for a Key, in the form of the service's own.
func NewSecret() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	return base64.StdEncoding.EncodeToString(b)
}

// A Tester is what RunT needs of a *testing.T.
type Tester interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// RunT starts a namespace with default options that ends with the test.
func RunT(t Tester) *Namespace {
	t.Helper()
	return RunOptionsT(t, Options{})
}

// RunOptionsT is RunT with options.
func RunOptionsT(t Tester, o Options) *Namespace {
	t.Helper()
	n, err := New(o)
	if err != nil {
		t.Fatalf("start a Service Bus namespace: %v", err)
		return nil
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Fatalf("close the Service Bus namespace: %v", err)
		}
	})
	return n
}

// Close stops listening and ends every connection with amqp:connection:forced. A client that does not answer
// is given a second. A second call does nothing.
func (n *Namespace) Close() error {
	n.mu.Lock()
	closed := n.closed
	n.closed = true
	n.cancel()
	for l := range n.listeners {
		l.Close()
	}
	n.mu.Unlock()
	if closed {
		return nil
	}
	var err error
	if n.http != nil {
		err = n.http.Close()
	}
	if n.identityHTTP != nil {
		err = errors.Join(err, n.identityHTTP.Close())
	}
	n.wg.Wait()
	n.broker().Close()
	if err != nil {
		return fmt.Errorf("close the HTTP servers: %w", err)
	}
	return nil
}

// AMQPAddr is the host:port of plain AMQP; empty if that port is not opened, as for the others.
func (n *Namespace) AMQPAddr() string { return n.amqp }

// AMQPSAddr is the host:port of AMQP over TLS.
func (n *Namespace) AMQPSAddr() string { return n.amqps }

// HTTPSAddr is the host:port of WebSocket.
func (n *Namespace) HTTPSAddr() string { return n.https }

// CA is the authority that a client must trust.
func (n *Namespace) CA() *localca.Authority { return n.ca }

// ConnectionString is the plain one, in the official emulator's form, with the first key. It holds a secret.
func (n *Namespace) ConnectionString() string { return n.ConnectionStringFor(n.first) }

// ConnectionStringFor is ConnectionString with a key of one's own.
func (n *Namespace) ConnectionStringFor(k Key) string {
	return "Endpoint=sb://" + n.AMQPAddr() + credentials(k) + ";UseDevelopmentEmulator=true;"
}

// TLSConnectionString is the one for AMQP over TLS, with the first key. It holds a secret.
func (n *Namespace) TLSConnectionString() string { return n.TLSConnectionStringFor(n.first) }

// TLSConnectionStringFor is TLSConnectionString with a key of one's own.
func (n *Namespace) TLSConnectionStringFor(k Key) string {
	return "Endpoint=sb://" + localhost(n.amqps) + credentials(k)
}

// ManagementURL is where the management API over HTTP is.
func (n *Namespace) ManagementURL() string { return "https://" + localhost(n.https) }

// WebSocketURL is where AMQP over WebSocket is served.
func (n *Namespace) WebSocketURL() string { return "wss://" + localhost(n.https) + webSocketPath }

func credentials(k Key) string {
	return ";SharedAccessKeyName=" + k.Name + ";SharedAccessKey=" + k.Secret
}

// localhost is an address by the name that connection strings use: localhost, unless it is another address of this
// machine's that alone is listened on.
func localhost(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	ip := net.ParseIP(host)
	if ip.IsUnspecified() || ip.Equal(net.IPv4(127, 0, 0, 1)) || ip.Equal(net.IPv6loopback) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

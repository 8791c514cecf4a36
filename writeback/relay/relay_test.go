package relay_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/fakerelay"
	"passback/writeback/protocol"
	"passback/writeback/relay"
)

// patience bounds what should come at once on a machine that may be busy.
const patience = 20 * time.Second

// a namespace with the queues of the contract, and an agent's rules on them.
type namespace struct {
	*fakerelay.Namespace
	t     *testing.T
	rules protocol.Relay
	cloud *azservicebus.Client
}

func newNamespace(t *testing.T) *namespace {
	t.Helper()
	n := &namespace{t: t, Namespace: fakerelay.RunOptionsT(t, fakerelay.Options{Queues: []fakerelay.QueueOptions{
		{Name: protocol.QueueRequests, LockDuration: protocol.LockDuration, MaxDeliveryCount: protocol.MaxDeliveryCount},
		{Name: protocol.QueueAnswers, RequiresSession: true},
		{Name: protocol.QueueStatus},
	}})}
	n.rules.Host = strings.TrimSuffix(strings.TrimPrefix(n.WebSocketURL(), "wss://"), "/$servicebus/websocket")
	n.rules.Requests = n.allow(protocol.QueueRequests, "agent-listen", fakerelay.Listen)
	n.rules.Answers = n.allow(protocol.QueueAnswers, "agent-answer", fakerelay.Send)
	n.rules.Status = n.allow(protocol.QueueStatus, "agent-status", fakerelay.Send)
	cloud, err := azservicebus.NewClientFromConnectionString(n.ConnectionString(), nil)
	must(t, err)
	t.Cleanup(func() { _ = cloud.Close(context.Background()) })
	n.cloud = cloud
	return n
}

func (n *namespace) allow(queue, name string, rights fakerelay.Rights) protocol.SASRule {
	n.t.Helper()
	must(n.t, n.SetKey(queue, fakerelay.Key{Name: name, Secret: "secret-of-" + name, Rights: rights}))
	return protocol.SASRule{Name: name, Key: protocol.NewSecret("secret-of-" + name)}
}

// request sends one as the cloud does.
func (n *namespace) request(id string) {
	n.t.Helper()
	sender, err := n.cloud.NewSender(protocol.QueueRequests, nil)
	must(n.t, err)
	session := "front-1"
	must(n.t, sender.SendMessage(within(n.t), &azservicebus.Message{MessageID: &id, ReplyToSessionID: &session, Body: []byte("sealed " + id)}, nil))
}

func (n *namespace) left(queue string) int {
	q, err := n.Queue(queue)
	must(n.t, err)
	return q.Count()
}

// client starts to receive with handle.
func (n *namespace) client(o relay.Options, handle func(*relay.Client, *relay.Delivery)) *relay.Client {
	n.t.Helper()
	o.Relay = n.rules
	if o.RootCAs == nil {
		o.RootCAs = n.CA().Pool()
	}
	c, err := relay.New(o)
	must(n.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var receiving sync.WaitGroup
	receiving.Go(func() { c.Receive(ctx, func(d *relay.Delivery) { handle(c, d) }) })
	n.t.Cleanup(func() {
		cancel()
		receiving.Wait()
		c.Close()
	})
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come about", what)
		}
	}
}

func beat() (protocol.Message, error) {
	return protocol.Message{ID: "beat-1", Body: []byte("sealed"), TTL: protocol.StatusTTL}, nil
}

// answerAll answers each request with its own body, and completes it.
func answerAll(t *testing.T) func(*relay.Client, *relay.Delivery) {
	return func(c *relay.Client, d *relay.Delivery) {
		err := c.Answer(context.Background(), protocol.Message{Body: d.Message.Body, CorrelationID: d.Message.ID, SessionID: d.Message.ReplySession, TTL: protocol.AnswerTTL})
		if err := errors.Join(err, d.Complete(context.Background())); err != nil {
			t.Error(err)
		}
	}
}

func (n *namespace) answer() *azservicebus.ReceivedMessage {
	n.t.Helper()
	session, err := n.cloud.AcceptSessionForQueue(within(n.t), protocol.QueueAnswers, "front-1", nil)
	must(n.t, err)
	defer session.Close(context.Background())
	messages, err := session.ReceiveMessages(within(n.t), 1, nil)
	must(n.t, err)
	must(n.t, session.CompleteMessage(within(n.t), messages[0], nil))
	return messages[0]
}

func TestRequestIsTakenAnsweredAndCompleted(t *testing.T) {
	n := newNamespace(t)
	c := n.client(relay.Options{}, answerAll(t))
	n.request("r1")
	m := n.answer()
	if m.CorrelationID == nil || *m.CorrelationID != "r1" || *m.SessionID != "front-1" || string(m.Body) != "sealed r1" || *m.ContentType != protocol.ContentType {
		t.Errorf("answered with %+v", m)
	}
	eventually(t, "an empty queue", func() bool { return n.left(protocol.QueueRequests) == 0 })
	if !c.Listening() {
		t.Error("it took a request, and says that it does not listen")
	}
	must(t, c.Beat(within(t), beat))
	if left := n.left(protocol.QueueStatus); left != 1 {
		t.Errorf("%d heartbeats in the queue, want 1", left)
	}
}

func TestAbandonedRequestComesAgainCounted(t *testing.T) {
	n := newNamespace(t)
	counts := make(chan int, 10)
	n.client(relay.Options{}, func(_ *relay.Client, d *relay.Delivery) {
		counts <- d.Count
		settle := d.Abandon
		if d.Count == protocol.MaxDeliveryCount {
			settle = d.Complete
		}
		if err := settle(context.Background()); err != nil {
			t.Error(err)
		}
	})
	n.request("r1")
	for want := 1; want <= protocol.MaxDeliveryCount; want++ {
		if got := <-counts; got != want {
			t.Errorf("delivery %d says that it is delivery %d", want, got)
		}
	}
	eventually(t, "an empty queue", func() bool { return n.left(protocol.QueueRequests) == 0 })
}

func TestTakesNoMoreThanItWorksOn(t *testing.T) {
	n := newNamespace(t)
	var delivered atomic.Int64
	defer n.Hook(func(e fakerelay.Event) fakerelay.Action {
		if e.Kind == fakerelay.Deliver && e.Done {
			delivered.Add(1)
		}
		return fakerelay.Pass
	})()
	const concurrency = 2
	working, release := make(chan struct{}, 10), make(chan struct{})
	n.client(relay.Options{Concurrency: concurrency}, func(_ *relay.Client, d *relay.Delivery) {
		working <- struct{}{}
		<-release
		if err := d.Complete(context.Background()); err != nil {
			t.Error(err)
		}
	})
	for i := range 5 {
		n.request(fmt.Sprint("r", i))
	}
	for range concurrency {
		<-working
	}
	// Whatever would come in excess has had a round trip of time: a request sent now is stored after it.
	n.request("r5")
	if got := delivered.Load(); got != concurrency {
		t.Errorf("%d requests are locked while %d are worked on", got, concurrency)
	}
	close(release)
	eventually(t, "an empty queue", func() bool { return n.left(protocol.QueueRequests) == 0 })
}

func TestReconnectsAfterTheConnectionsAreCut(t *testing.T) {
	n := newNamespace(t)
	conns, done := make(chan net.Conn, 100), make(chan struct{}, 10)
	client := n.client(relay.Options{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil {
			conns <- c
		}
		return c, err
	}}, func(c *relay.Client, d *relay.Delivery) {
		answerAll(t)(c, d)
		done <- struct{}{}
	})
	n.request("r1")
	n.answer()
	<-done
	for range 2 { // requests and answers
		(<-conns).Close()
	}
	// Until the relay has seen the old connection end, that one's credit would take the request, until its lock lapses.
	<-conns
	eventually(t, "a new connection", client.Listening)
	n.request("r2")
	if m := n.answer(); *m.CorrelationID != "r2" {
		t.Errorf("answered %s", *m.CorrelationID)
	}
}

func TestRefusedCredentialsAreTold(t *testing.T) {
	n := newNamespace(t)
	told := make(chan error, 100)
	c := n.client(relay.Options{Observe: func(err error) { told <- err }}, answerAll(t))
	if err := <-told; err != nil {
		t.Fatalf("the first connection: %v", err)
	}
	must(t, n.DeleteKey(protocol.QueueRequests, "agent-listen"))
	eventually(t, "a refusal", func() bool { return errors.Is(<-told, relay.ErrUnauthorized) })
	if c.Listening() {
		t.Error("it says that it listens, without a key")
	}
	n.allow(protocol.QueueRequests, "agent-listen", fakerelay.Listen)
	n.request("r1")
	n.answer()
}

func TestUntrustedCertificateIsTold(t *testing.T) {
	n, other := newNamespace(t), newNamespace(t)
	told := make(chan error, 100)
	n.client(relay.Options{RootCAs: other.CA().Pool(), Observe: func(err error) { told <- err }}, answerAll(t))
	// The SDK's error does not unwrap.
	if err := <-told; err == nil || !strings.Contains(err.Error(), "x509: certificate signed by unknown authority") {
		t.Errorf("told %v, want an unknown authority", err)
	}
}

func TestGoesThroughAProxy(t *testing.T) {
	n := newNamespace(t)
	var asked sync.Map
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.Method+" "+r.Host, true)
		connect(w, r)
	}))
	t.Cleanup(proxy.Close)
	u, err := url.Parse(proxy.URL)
	must(t, err)
	n.client(relay.Options{Proxy: u, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr != u.Host {
			return nil, fmt.Errorf("went to %s past the proxy", addr)
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}, answerAll(t))
	n.request("r1")
	n.answer()
	if _, ok := asked.Load("CONNECT " + n.rules.Host); !ok {
		t.Error("the proxy was not asked to connect to the relay")
	}
}

// connect is what a proxy does for CONNECT.
func connect(w http.ResponseWriter, r *http.Request) {
	up, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	down, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		up.Close()
		return
	}
	go func() {
		defer up.Close()
		_, _ = io.Copy(up, buffered)
	}()
	go func() {
		defer down.Close()
		_, _ = io.Copy(down, up)
	}()
}

func TestDateOfTheUpgradeTellsTheSkew(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	rule := protocol.SASRule{Name: "r", Key: protocol.NewSecret("k")}
	skew := make(chan time.Duration, 100)
	c, err := relay.New(relay.Options{
		Relay:   protocol.Relay{Host: server.Listener.Addr().String(), Requests: rule, Answers: rule, Status: rule},
		RootCAs: pool, Skew: func(d time.Duration) { skew <- d },
	})
	must(t, err)
	t.Cleanup(c.Close)
	if err := c.Beat(within(t), beat); err == nil {
		t.Error("a relay that refuses the upgrade took a heartbeat")
	}
	must(t, c.Measure(within(t)))
	for range 2 {
		if d := <-skew; d > -50*time.Minute || d < -70*time.Minute {
			t.Errorf("told %s, want an hour behind", d)
		}
	}
}

func TestHostMustFitAConnectionString(t *testing.T) {
	rule := protocol.SASRule{Name: "r", Key: protocol.NewSecret("k")}
	for _, host := range []string{"a;SharedAccessKey=b", "a/b", "a b"} {
		_, err := relay.New(relay.Options{Relay: protocol.Relay{Host: host, Requests: rule, Answers: rule, Status: rule}})
		if !errors.Is(err, protocol.ErrInvalid) {
			t.Errorf("%q: %v", host, err)
		}
	}
}

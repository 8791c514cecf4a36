package fakerelay_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/coder/websocket"

	"passback/fakerelay"
)

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

// The three ways in, as a program with the stock SDK would go them.
var transports = map[string]func(*testing.T, *fakerelay.Namespace) *azservicebus.Client{
	"plain AMQP, emulator string": func(t *testing.T, n *fakerelay.Namespace) *azservicebus.Client {
		return client(t, n.ConnectionString(), nil)
	},
	"AMQP over TLS": func(t *testing.T, n *fakerelay.Namespace) *azservicebus.Client {
		return client(t, n.TLSConnectionString(), &azservicebus.ClientOptions{TLSConfig: &tls.Config{RootCAs: n.CA().Pool()}})
	},
	"AMQP over WebSocket": func(t *testing.T, n *fakerelay.Namespace) *azservicebus.Client {
		return client(t, n.TLSConnectionString(), &azservicebus.ClientOptions{
			NewWebSocketConn: func(ctx context.Context, _ azservicebus.NewWebSocketConnArgs) (net.Conn, error) {
				ws, _, err := websocket.Dial(ctx, n.WebSocketURL(), &websocket.DialOptions{
					Subprotocols: []string{"amqp"},
					HTTPClient:   &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: n.CA().Pool()}}},
				})
				if err != nil {
					return nil, err
				}
				return websocket.NetConn(context.Background(), ws, websocket.MessageBinary), nil
			},
		})
	},
}

func client(t *testing.T, connectionString string, o *azservicebus.ClientOptions) *azservicebus.Client {
	t.Helper()
	c, err := azservicebus.NewClientFromConnectionString(connectionString, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

// within is the test's context, ended when patience is.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newSender(t *testing.T, c *azservicebus.Client, queue string) *azservicebus.Sender {
	t.Helper()
	s, err := c.NewSender(queue, nil)
	must(t, err)
	return s
}

func newReceiver(t *testing.T, c *azservicebus.Client, queue string, o *azservicebus.ReceiverOptions) *azservicebus.Receiver {
	t.Helper()
	r, err := c.NewReceiverForQueue(queue, o)
	must(t, err)
	return r
}

func send(t *testing.T, s *azservicebus.Sender, m *azservicebus.Message) {
	t.Helper()
	must(t, s.SendMessage(within(t), m, nil))
}

// receive repeats a call that came back with nothing: the SDK's answer to a link that was detached.
func receive(t *testing.T, r *azservicebus.Receiver) *azservicebus.ReceivedMessage {
	t.Helper()
	m, err := tryReceive(within(t), r)
	must(t, err)
	return m
}

func tryReceive(ctx context.Context, r *azservicebus.Receiver) (*azservicebus.ReceivedMessage, error) {
	for {
		messages, err := r.ReceiveMessages(ctx, 1, nil)
		if err != nil {
			return nil, err
		}
		if len(messages) > 0 {
			return messages[0], nil
		}
	}
}

func body(text string) *azservicebus.Message { return &azservicebus.Message{Body: []byte(text)} }

// eventually waits for a condition that something else brings about.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come about", what)
		}
	}
}

// hasCode checks the SDK's own classification of an error.
func hasCode(t *testing.T, err error, want azservicebus.Code) {
	t.Helper()
	var e *azservicebus.Error
	if !errors.As(err, &e) || e.Code != want {
		t.Fatalf("got %v, want an error with the code %s", err, want)
	}
}

func TestSendReceiveComplete(t *testing.T) {
	n := fakerelay.RunT(t)
	for name, dial := range transports {
		t.Run(name, func(t *testing.T) {
			c := dial(t, n)
			subject, id := "greeting", "id of "+name
			send(t, newSender(t, c, fakerelay.DefaultQueue), &azservicebus.Message{
				MessageID: &id, Subject: &subject, Body: []byte("hello"), ApplicationProperties: map[string]any{"n": int64(7)},
			})
			receiver := newReceiver(t, c, fakerelay.DefaultQueue, nil)
			m := receive(t, receiver)
			if string(m.Body) != "hello" || m.MessageID != id || *m.Subject != subject || m.ApplicationProperties["n"] != int64(7) {
				t.Errorf("received %+v", m)
			}
			if m.DeliveryCount != 1 || m.LockedUntil == nil || m.SequenceNumber == nil || m.EnqueuedTime == nil || m.LockToken == [16]byte{} {
				t.Errorf("the broker's own fields are missing: %+v", m)
			}
			must(t, receiver.CompleteMessage(within(t), m, nil))
			q, err := n.Queue(fakerelay.DefaultQueue)
			must(t, err)
			if q.Count() != 0 {
				t.Errorf("%d messages are left after complete", q.Count())
			}
		})
	}
}

func TestReceiveAndDelete(t *testing.T) {
	n := fakerelay.RunT(t)
	for name, dial := range transports {
		t.Run(name, func(t *testing.T) {
			c := dial(t, n)
			send(t, newSender(t, c, fakerelay.DefaultQueue), body("once"))
			m := receive(t, newReceiver(t, c, fakerelay.DefaultQueue, &azservicebus.ReceiverOptions{ReceiveMode: azservicebus.ReceiveModeReceiveAndDelete}))
			if string(m.Body) != "once" {
				t.Errorf("received %q", m.Body)
			}
			q, err := n.Queue(fakerelay.DefaultQueue)
			must(t, err)
			eventually(t, "an empty queue", func() bool { return q.Count() == 0 })
		})
	}
}

func TestSessionReceiver(t *testing.T) {
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Queues: []fakerelay.QueueOptions{{Name: "answers", RequiresSession: true}}})
	for name, dial := range transports {
		t.Run(name, func(t *testing.T) {
			c := dial(t, n)
			id := "session " + name
			send(t, newSender(t, c, "answers"), &azservicebus.Message{SessionID: &id, Body: []byte("for you")})
			r, err := c.AcceptNextSessionForQueue(within(t), "answers", nil)
			must(t, err)
			if r.SessionID() != id || !r.LockedUntil().After(time.Now()) {
				t.Errorf("accepted %q, locked until %v", r.SessionID(), r.LockedUntil())
			}
			messages, err := r.ReceiveMessages(within(t), 1, nil)
			must(t, err)
			must(t, r.SetSessionState(within(t), []byte("half way"), nil))
			must(t, r.RenewSessionLock(within(t), nil))
			must(t, r.CompleteMessage(within(t), messages[0], nil))
			must(t, r.Close(within(t)))
			again, err := c.AcceptSessionForQueue(within(t), "answers", id, nil)
			must(t, err)
			state, err := again.GetSessionState(within(t), nil)
			must(t, err)
			if string(state) != "half way" {
				t.Errorf("the session's state is %q", state)
			}
		})
	}
}

package fakerelay_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-amqp"
	"github.com/coder/websocket"

	"passback/fakerelay"
)

// These tests speak AMQP without the SDK, to act as the other SDKs do.

// rawSession is a session of a connection of its own.
func rawSession(t *testing.T, n *fakerelay.Namespace) (*amqp.Conn, *amqp.Session) {
	t.Helper()
	conn, err := amqp.Dial(within(t), "amqp://"+n.AMQPAddr(), &amqp.ConnOptions{SASLType: amqp.SASLTypeAnonymous()})
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	session, err := conn.NewSession(within(t), nil)
	must(t, err)
	return conn, session
}

func rawLinks(t *testing.T, session *amqp.Session, node string, o *amqp.ReceiverOptions) (*amqp.Sender, *amqp.Receiver) {
	t.Helper()
	sender, err := session.NewSender(within(t), node, nil)
	must(t, err)
	receiver, err := session.NewReceiver(within(t), node, o)
	must(t, err)
	return sender, receiver
}

func putToken(token, audience string, id any, replyTo *string) *amqp.Message {
	return &amqp.Message{
		Properties: &amqp.MessageProperties{MessageID: id, ReplyTo: replyTo},
		ApplicationProperties: map[string]any{
			"operation": "put-token", "type": "servicebus.windows.net:sastoken", "name": audience,
		},
		Value: token,
	}
}

// authorised is a session whose connection holds a token for the default queue.
func authorised(t *testing.T, n *fakerelay.Namespace) *amqp.Session {
	t.Helper()
	_, session := rawSession(t, n)
	sender, receiver := rawLinks(t, session, "$cbs", nil)
	must(t, sender.Send(within(t), putToken(rootToken(t, n), audience(n), "1", nil), nil))
	reply, err := receiver.Receive(within(t), nil)
	must(t, err)
	if reply.ApplicationProperties["status-code"] != int32(202) {
		t.Fatalf("put-token answered %v", reply.ApplicationProperties)
	}
	return session
}

func audience(n *fakerelay.Namespace) string {
	return "sb://" + n.AMQPAddr() + "/" + fakerelay.DefaultQueue
}

// rootToken signs with a key of its own: the namespace does not tell its first one.
func rootToken(t *testing.T, n *fakerelay.Namespace) string {
	t.Helper()
	k := newKey(fakerelay.Manage)
	k.Name = "root of " + t.Name()
	must(t, n.SetKey("", k))
	return signed(n, k, fakerelay.DefaultQueue, time.Now().Add(time.Hour))
}

func TestPutTokenFindsItsReplyLink(t *testing.T) {
	n := fakerelay.RunT(t)
	address, name := "my address", "my link"
	for what, test := range map[string]struct {
		options *amqp.ReceiverOptions
		replyTo *string
	}{
		"by the link's target address":        {&amqp.ReceiverOptions{TargetAddress: address}, &address},
		"by the link's name":                  {&amqp.ReceiverOptions{Name: name}, &name},
		"as the session's only link, by none": {nil, nil},
	} {
		t.Run(what, func(t *testing.T) {
			_, session := rawSession(t, n)
			sender, receiver := rawLinks(t, session, "$cbs", test.options)
			must(t, sender.Send(within(t), putToken(rootToken(t, n), audience(n), uint64(42), test.replyTo), nil))
			reply, err := receiver.Receive(within(t), nil)
			must(t, err)
			if reply.ApplicationProperties["status-code"] != int32(202) {
				t.Errorf("answered %v", reply.ApplicationProperties)
			}
			if reply.Properties.CorrelationID != uint64(42) {
				t.Errorf("correlation id %[1]v (%[1]T), want the message id as it was: 42 (uint64)", reply.Properties.CorrelationID)
			}
		})
	}
}

func TestRequestWithoutReplyLinkIsRejected(t *testing.T) {
	n := fakerelay.RunT(t)
	_, session := rawSession(t, n)
	sender, err := session.NewSender(within(t), "$cbs", nil)
	must(t, err)
	err = sender.Send(within(t), putToken(rootToken(t, n), audience(n), "1", nil), nil)
	hasCondition(t, err, amqp.ErrCondNotFound)
}

func TestAnswerWaitsForCredit(t *testing.T) {
	n := fakerelay.RunT(t)
	_, session := rawSession(t, n)
	sender, receiver := rawLinks(t, session, "$cbs", &amqp.ReceiverOptions{Credit: -1})
	must(t, sender.Send(within(t), putToken(rootToken(t, n), audience(n), "1", nil), nil))
	must(t, receiver.IssueCredit(1))
	_, err := receiver.Receive(within(t), nil)
	must(t, err)
}

func TestOneCBSPairAConnection(t *testing.T) {
	n := fakerelay.RunT(t)
	conn, session := rawSession(t, n)
	rawLinks(t, session, "$cbs", nil)
	other, err := conn.NewSession(within(t), nil)
	must(t, err)
	_, err = other.NewSender(within(t), "$cbs", nil)
	hasCondition(t, err, amqp.ErrCondNotAllowed)
	_, err = other.NewReceiver(within(t), "$cbs", nil)
	hasCondition(t, err, amqp.ErrCondNotAllowed)

	must(t, session.Close(within(t))) // ends its links without a detach
	rawLinks(t, other, "$cbs", nil)
}

func TestBadTokensAreToldWhy(t *testing.T) {
	n := fakerelay.RunT(t)
	_, session := rawSession(t, n)
	sender, receiver := rawLinks(t, session, "$cbs", nil)
	good := rootToken(t, n)
	missing := putToken(good, audience(n), "1", nil)
	delete(missing.ApplicationProperties, "operation")
	unknown := putToken("a.b.c", audience(n), "1", nil)
	unknown.ApplicationProperties["type"] = "amqp:jwt"
	for _, test := range []struct {
		message *amqp.Message
		status  int32
		text    string
	}{
		{missing, 400, "The request must carry the operation 'put-token'"},
		{unknown, 401, "The token type 'amqp:jwt' is not supported in this version of the namespace"},
		{putToken("nonsense", audience(n), "1", nil), 401, "MalformedToken: "},
		{putToken(strings.Replace(good, "&se=", "&es=", 1), audience(n), "1", nil), 401, "MalformedToken: "},
		{putToken(strings.Replace(good, "&se=1", "&se=2", 1), audience(n), "1", nil), 401, "InvalidSignature: The token has an invalid signature."},
		{putToken(good, "sb://"+n.AMQPAddr()+"/other", "1", nil), 401, "InvalidAudience: "},
		{putToken(good, audience(n)+"/$DeadLetterQueue", "1", nil), 202, "Accepted"},
		{putToken(good, audience(n)+"/Subscriptions/s", "1", nil), 404, "The messaging entity 'sb://127.0.0.1/queue.1/Subscriptions/s' could not be found."},
	} {
		must(t, sender.Send(within(t), test.message, nil))
		reply, err := receiver.Receive(within(t), nil)
		must(t, err)
		status, text := reply.ApplicationProperties["status-code"], fmt.Sprint(reply.ApplicationProperties["status-description"])
		if status != test.status || !strings.HasPrefix(text, test.text) {
			t.Errorf("answered %v %s, want %d %s", status, text, test.status, test.text)
		}
		if strings.Contains(text, "sig=") {
			t.Errorf("the answer repeats the token: %s", text)
		}
	}
}

func TestLinksNeedAToken(t *testing.T) {
	n := fakerelay.RunT(t)
	_, session := rawSession(t, n)
	for _, node := range []string{fakerelay.DefaultQueue, fakerelay.DefaultQueue + "/$management", "amqps://host/" + fakerelay.DefaultQueue} {
		_, err := session.NewSender(within(t), node, nil)
		hasCondition(t, err, amqp.ErrCondUnauthorizedAccess)
		_, err = session.NewReceiver(within(t), node, nil)
		hasCondition(t, err, amqp.ErrCondUnauthorizedAccess)
	}
}

func TestUnknownOperationIsAnswered(t *testing.T) {
	n := fakerelay.RunT(t)
	session := authorised(t, n)
	sender, receiver := rawLinks(t, session, fakerelay.DefaultQueue+"/$management", nil)
	for operation, want := range map[string][2]any{
		"com.microsoft:make-coffee":           {int32(501), "amqp:not-implemented"},
		"com.microsoft:renew-lock":            {int32(400), "com.microsoft:argument-error"},
		"com.microsoft:batch-delete-messages": {int32(400), "com.microsoft:argument-error"},
	} {
		must(t, sender.Send(within(t), &amqp.Message{
			Properties: &amqp.MessageProperties{MessageID: "1"}, ApplicationProperties: map[string]any{"operation": operation}, Value: map[string]any{},
		}, nil))
		reply, err := receiver.Receive(within(t), nil)
		must(t, err)
		got := [2]any{reply.ApplicationProperties["statusCode"], fmt.Sprint(reply.ApplicationProperties["errorCondition"])}
		if got != want {
			t.Errorf("%s answered %v, want %v", operation, got, want)
		}
	}
}

func TestDeliveryOnTheWire(t *testing.T) {
	n := fakerelay.RunT(t)
	session := authorised(t, n)
	sender, receiver := rawLinks(t, session, fakerelay.DefaultQueue, &amqp.ReceiverOptions{
		SettlementMode: amqp.ReceiverSettleModeSecond.Ptr(), Credit: 1,
	})
	must(t, sender.Send(within(t), amqp.NewMessage([]byte("m")), nil))
	m, err := receiver.Receive(within(t), nil)
	must(t, err)
	if m.Header == nil || len(m.DeliveryTag) != 16 || m.DeliveryAnnotations["x-opt-lock-token"] == nil {
		t.Errorf("delivered %+v", m)
	}
	q, err := n.Queue(fakerelay.DefaultQueue)
	must(t, err)
	if stored := q.Messages(); len(stored) != 1 || !strings.Contains(string(stored[0].Body), "m") {
		t.Errorf("stored %v", stored)
	}
	must(t, receiver.AcceptMessage(within(t), m))
	if q.Count() != 0 {
		t.Error("the accepted message is still there")
	}
}

func TestSendingToADeadLetterQueueIsRefused(t *testing.T) {
	n := fakerelay.RunT(t)
	_, err := authorised(t, n).NewSender(within(t), fakerelay.DefaultQueue+"/$DeadLetterQueue", nil)
	hasCondition(t, err, amqp.ErrCondNotAllowed)
}

func TestWebSocketSubprotocolsAndDate(t *testing.T) {
	n := fakerelay.RunT(t)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: n.CA().Pool()}}
	defer transport.CloseIdleConnections()
	for protocol, address := range map[string]string{"amqp": n.WebSocketURL(), "AMQPWSB10": n.WebSocketURL() + "/"} { // uamqp's has a slash
		ws, response, err := websocket.Dial(within(t), address, &websocket.DialOptions{
			Subprotocols: []string{protocol}, HTTPClient: &http.Client{Transport: transport},
		})
		must(t, err)
		if ws.Subprotocol() != protocol {
			t.Errorf("subprotocol %q, want %q", ws.Subprotocol(), protocol)
		}
		date, err := http.ParseTime(response.Header.Get("Date"))
		if err != nil || time.Since(date).Abs() > time.Minute {
			t.Errorf("the upgrade's date is %q", response.Header.Get("Date"))
		}
		ws.CloseNow()
	}
}

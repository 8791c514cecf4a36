package fakerelay_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/clock"
	"passback/fakerelay"
	"passback/fakerelay/broker"
)

// topicWorld is a namespace with the topic "orders", a client, and a clock to advance.
type topicWorld struct {
	*fakerelay.Namespace
	t      *testing.T
	clock  *clock.Running
	client *azservicebus.Client
}

func newTopicWorld(t *testing.T, subscriptions ...fakerelay.SubscriptionOptions) topicWorld {
	t.Helper()
	c := clock.NewRunning()
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Clock: c, Topics: []fakerelay.Topic{{
		TopicOptions: fakerelay.TopicOptions{Name: "orders"}, Subscriptions: subscriptions,
	}}})
	return topicWorld{n, t, c, client(t, n.ConnectionString(), nil)}
}

func (w topicWorld) receiver(subscription string, o *azservicebus.ReceiverOptions) *azservicebus.Receiver {
	w.t.Helper()
	r, err := w.client.NewReceiverForSubscription("orders", subscription, o)
	must(w.t, err)
	return r
}

func (w topicWorld) send(m *azservicebus.Message) {
	w.t.Helper()
	send(w.t, newSender(w.t, w.client, "orders"), m)
}

func (w topicWorld) count(path string) int {
	w.t.Helper()
	q, err := w.Queue(path)
	must(w.t, err)
	return q.Count()
}

func TestSendFiveReceiveFiveOnASubscription(t *testing.T) {
	n := fakerelay.RunT(t)
	for name, dial := range transports {
		t.Run(name, func(t *testing.T) {
			c := dial(t, n)
			sender := newSender(t, c, fakerelay.DefaultTopic)
			for i := range 5 {
				send(t, sender, body(fmt.Sprintf("[%d]", i)))
			}
			r, err := c.NewReceiverForSubscription(fakerelay.DefaultTopic, fakerelay.DefaultSubscription, nil)
			must(t, err)
			for i := range 5 {
				m := receive(t, r)
				if want := fmt.Sprintf("[%d]", i); string(m.Body) != want || m.DeliveryCount != 1 {
					t.Errorf("received %q, delivery %d; want %q", m.Body, m.DeliveryCount, want)
				}
				must(t, r.CompleteMessage(within(t), m, nil))
			}
			q, err := n.Queue(broker.SubscriptionPath(fakerelay.DefaultTopic, fakerelay.DefaultSubscription))
			must(t, err)
			if q.Count() != 0 {
				t.Errorf("%d messages are left", q.Count())
			}
		})
	}
}

func TestBatchFansOut(t *testing.T) {
	w := newTopicWorld(t, fakerelay.SubscriptionOptions{Name: "a"}, fakerelay.SubscriptionOptions{Name: "b"})
	sender := newSender(t, w.client, "orders")
	batch, err := sender.NewMessageBatch(within(t), nil)
	must(t, err)
	for i := range 3 {
		must(t, batch.AddMessage(body(fmt.Sprint(i)), nil))
	}
	must(t, sender.SendMessageBatch(within(t), batch, nil))
	for _, name := range []string{"a", "b"} {
		if n := w.count("orders/Subscriptions/" + name); n != 3 {
			t.Errorf("%s has %d messages, want 3", name, n)
		}
	}
}

func TestSessionsOfASubscription(t *testing.T) {
	w := newTopicWorld(t, fakerelay.SubscriptionOptions{Name: "s", RequiresSession: true})
	id := "a session"
	w.send(&azservicebus.Message{SessionID: &id, Body: []byte("1")})
	r, err := w.client.AcceptNextSessionForSubscription(within(t), "orders", "s", nil)
	must(t, err)
	if r.SessionID() != id {
		t.Errorf("accepted %q", r.SessionID())
	}
	must(t, r.SetSessionState(within(t), []byte("seen"), nil))
	must(t, r.RenewSessionLock(within(t), nil))
	must(t, r.CompleteMessage(within(t), receiveOne(t, r), nil))
	must(t, r.Close(within(t)))
	again, err := w.client.AcceptSessionForSubscription(within(t), "orders", "s", id, nil)
	must(t, err)
	state, err := again.GetSessionState(within(t), nil)
	must(t, err)
	if string(state) != "seen" {
		t.Errorf("the session's state is %q", state)
	}
}

func TestDeadLettersOfASubscription(t *testing.T) {
	w := newTopicWorld(t, fakerelay.SubscriptionOptions{Name: "s"})
	w.send(body("bad"))
	r := w.receiver("s", nil)
	reason := "unreadable"
	must(t, r.DeadLetterMessage(within(t), receive(t, r), &azservicebus.DeadLetterOptions{Reason: &reason}))
	m := receive(t, w.receiver("s", &azservicebus.ReceiverOptions{SubQueue: azservicebus.SubQueueDeadLetter}))
	if string(m.Body) != "bad" || *m.DeadLetterReason != reason || m.DeadLetterSource != nil {
		t.Errorf("the dead letter is %+v", m)
	}
}

func TestScheduledForATopic(t *testing.T) {
	w := newTopicWorld(t, fakerelay.SubscriptionOptions{Name: "s"})
	sender := newSender(t, w.client, "orders")
	at := w.clock.Now().Add(time.Hour)
	numbers, err := sender.ScheduleMessages(within(t), []*azservicebus.Message{body("1"), body("2")}, at, nil)
	must(t, err)
	must(t, sender.CancelScheduledMessages(within(t), numbers[:1], nil))
	if n := w.count("orders/Subscriptions/s"); n != 0 {
		t.Errorf("%d messages before their time", n)
	}
	w.clock.Advance(time.Hour)
	if m := receive(t, w.receiver("s", nil)); string(m.Body) != "2" {
		t.Errorf("received %q", m.Body)
	}
}

// What an action sets is on the copy that comes out; all else is as it was sent.
func TestActionsChangeTheCopy(t *testing.T) {
	w := newTopicWorld(t,
		fakerelay.SubscriptionOptions{Name: "changed", Rules: []fakerelay.Rule{{
			Name:   "red",
			Filter: broker.Filter{Kind: broker.SQLFilter, SQL: "sys.Label = 'order' AND color = 'red' AND quantity >= 10 AND EXISTS(sys.PartitionKey)"},
			Action: broker.Action{SQL: "SET quantity = quantity / 2; SET sys.Label = 'half ' + sys.Label; REMOVE color; SET sys.ReplyTo = 'me'"},
		}}},
		fakerelay.SubscriptionOptions{Name: "original"},
	)
	subject, id, partition, contentType := "order", "id 1", "partition 1", "text/plain"
	ttl := time.Hour
	w.send(&azservicebus.Message{
		Subject: &subject, MessageID: &id, PartitionKey: &partition, ContentType: &contentType, TimeToLive: &ttl, Body: []byte("1"),
		ApplicationProperties: map[string]any{"color": "red", "quantity": int32(10), "price": 1.5},
	})
	m := receive(t, w.receiver("changed", nil))
	if *m.Subject != "half order" || *m.ReplyTo != "me" || m.MessageID != id || *m.PartitionKey != partition ||
		*m.ContentType != contentType || *m.TimeToLive != ttl || string(m.Body) != "1" {
		t.Errorf("received %+v", m)
	}
	want := map[string]any{"quantity": int32(5), "price": 1.5, "RuleName": "red"}
	if fmt.Sprint(m.ApplicationProperties) != fmt.Sprint(want) || m.ApplicationProperties["quantity"] != int32(5) {
		t.Errorf("its properties are %v, want %v", m.ApplicationProperties, want)
	}
	m = receive(t, w.receiver("original", nil))
	if *m.Subject != subject || m.ReplyTo != nil || m.ApplicationProperties["quantity"] != int32(10) || len(m.ApplicationProperties) != 3 {
		t.Errorf("the other subscription received %+v", m)
	}
}

func TestSystemPropertiesInRules(t *testing.T) {
	text, at := "x", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ttl := time.Minute
	sent := &azservicebus.Message{
		MessageID: &text, CorrelationID: &text, ContentType: &text, ReplyTo: &text, ReplyToSessionID: &text, SessionID: &text,
		To: &text, Subject: &text, PartitionKey: &text, TimeToLive: &ttl, ScheduledEnqueueTime: &at,
		ApplicationProperties: map[string]any{"when": at},
	}
	for _, condition := range []string{
		"sys.MessageId = 'x'", "sys.CorrelationId = 'x'", "sys.ContentType = 'x'", "sys.ReplyTo = 'x'", "sys.ReplyToSessionId = 'x'",
		"sys.SessionId = 'x'", "sys.To = 'x'", "sys.Label = 'x'", "sys.PartitionKey = 'x'", "sys.ViaPartitionKey IS NULL",
		"sys.TimeToLive > @short", "sys.ScheduledEnqueueTimeUtc = when", "sys.EnqueuedTimeUtc > when", "sys.SequenceNumber >= 1",
		"sys.EnqueuedSequenceNumber >= 1", "sys.DeliveryCount = 0", "sys.Size > 0", "sys.State = 0", "sys.DeadLetterSource IS NULL",
	} {
		t.Run(condition, func(t *testing.T) {
			w := newTopicWorld(t, fakerelay.SubscriptionOptions{Name: "s", DeadLetterOnFilterErrors: true, Rules: []fakerelay.Rule{{
				Name: "r", Filter: broker.Filter{Kind: broker.SQLFilter, SQL: condition, Parameters: map[string]any{"@short": time.Second}},
			}}})
			w.send(sent)
			if n := w.count("orders/Subscriptions/s"); n != 1 {
				t.Errorf("%d messages are selected, want 1", n)
			}
		})
	}
}

func TestLinksToTheWrongEnd(t *testing.T) {
	w := newTopicWorld(t, fakerelay.SubscriptionOptions{Name: "s"}, fakerelay.SubscriptionOptions{Name: "forwards", ForwardTo: "orders"})
	_, err := newReceiver(t, w.client, "orders", nil).ReceiveMessages(within(t), 1, nil)
	hasCondition(t, err, "amqp:not-allowed")
	says(t, err, "Messages cannot be received from a topic: 'orders'. Receive from one of its subscriptions.")
	for _, path := range []string{"orders/Subscriptions/s", "orders/Subscriptions/s/$DeadLetterQueue"} {
		err = newSender(t, w.client, path).SendMessage(within(t), body("m"), nil)
		hasCondition(t, err, "amqp:not-allowed")
		says(t, err, "Messages cannot be sent to '"+path+"': send to its queue or topic.")
	}
	_, err = w.receiver("forwards", nil).ReceiveMessages(within(t), 1, nil)
	hasCondition(t, err, "amqp:not-allowed")
	says(t, err, "Can not create a message receiver on an entity with auto-forwarding enabled.")
	_, err = w.receiver("missing", nil).ReceiveMessages(within(t), 1, nil)
	hasCode(t, err, azservicebus.CodeNotFound)
}

func TestDisabledEntityRefusesLinks(t *testing.T) {
	w := newTopicWorld(t, fakerelay.SubscriptionOptions{Name: "s", Status: broker.StatusReceiveDisabled})
	w.send(body("kept"))
	_, err := w.receiver("s", nil).ReceiveMessages(within(t), 1, nil)
	hasCondition(t, err, "com.microsoft:entity-disabled")
	says(t, err, "orders/Subscriptions/s' is currently disabled.")
	must(t, w.UpdateTopic(fakerelay.TopicOptions{Name: "orders", Status: broker.StatusDisabled}))
	err = newSender(t, w.client, "orders").SendMessage(within(t), body("lost"), nil)
	hasCondition(t, err, "com.microsoft:entity-disabled")
	must(t, w.UpdateSubscription("orders", fakerelay.SubscriptionOptions{Name: "s"}))
	if m := receive(t, w.receiver("s", nil)); string(m.Body) != "kept" {
		t.Errorf("received %q", m.Body)
	}
}

// An update detaches the links; the SDK opens them again.
func TestUpdateDetachesLinks(t *testing.T) {
	w := newTopicWorld(t, fakerelay.SubscriptionOptions{Name: "s"})
	sender, r := newSender(t, w.client, "orders"), w.receiver("s", nil)
	send(t, sender, body("1"))
	must(t, r.CompleteMessage(within(t), receive(t, r), nil))
	must(t, w.UpdateTopic(fakerelay.TopicOptions{Name: "orders", DefaultTTL: time.Hour}))
	must(t, w.UpdateSubscription("orders", fakerelay.SubscriptionOptions{Name: "s", LockDuration: 10 * time.Second}))
	send(t, sender, body("2"))
	m := receive(t, r)
	if string(m.Body) != "2" || m.ExpiresAt == nil || m.LockedUntil.After(w.clock.Now().Add(11*time.Second)) {
		t.Errorf("received %q, expires %v, locked until %v", m.Body, m.ExpiresAt, m.LockedUntil)
	}
}

func TestForwardedDeadLettersTellWhereTheyWere(t *testing.T) {
	w := newTopicWorld(t, fakerelay.SubscriptionOptions{Name: "s"})
	must(t, w.CreateQueue(fakerelay.QueueOptions{Name: "graveyard"}))
	must(t, w.CreateQueue(fakerelay.QueueOptions{Name: "from", ForwardDeadLettersTo: "graveyard"}))
	send(t, newSender(t, w.client, "from"), body("1"))
	r := newReceiver(t, w.client, "from", nil)
	must(t, r.DeadLetterMessage(within(t), receive(t, r), nil))
	m := receive(t, newReceiver(t, w.client, "graveyard", nil))
	if string(m.Body) != "1" || m.DeadLetterSource == nil || *m.DeadLetterSource != "from" {
		t.Errorf("received %q of %v", m.Body, m.DeadLetterSource)
	}
}

func TestTransferDeadLettersAreReceived(t *testing.T) {
	w := newTopicWorld(t, fakerelay.SubscriptionOptions{Name: "s"})
	must(t, w.CreateQueue(fakerelay.QueueOptions{Name: "to"}))
	must(t, w.UpdateSubscription("orders", fakerelay.SubscriptionOptions{Name: "s", ForwardTo: "to"}))
	must(t, w.DeleteQueue("to"))
	w.send(body("1"))
	m := receive(t, w.receiver("s", &azservicebus.ReceiverOptions{SubQueue: azservicebus.SubQueueTransfer}))
	if string(m.Body) != "1" || *m.DeadLetterReason != broker.ReasonTransfer {
		t.Errorf("received %q, %v", m.Body, m.DeadLetterReason)
	}
}

// A key of the topic is good for what is below it, and rights are told apart.
func TestKeysOfATopic(t *testing.T) {
	w := newTopicWorld(t, fakerelay.SubscriptionOptions{Name: "s"})
	k := newKey(fakerelay.Send)
	must(t, w.SetKey("orders", k))
	c := client(t, w.ConnectionStringFor(k), nil)
	send(t, newSender(t, c, "orders"), body("1"))
	r, err := c.NewReceiverForSubscription("orders", "s", nil)
	must(t, err)
	_, err = r.ReceiveMessages(within(t), 1, nil)
	hasCode(t, err, azservicebus.CodeUnauthorizedAccess)
	k = newKey(fakerelay.Listen)
	must(t, w.SetKey("orders", k))
	r, err = client(t, w.ConnectionStringFor(k), nil).NewReceiverForSubscription("orders", "s", nil)
	must(t, err)
	receive(t, r)
}

func TestIdleSubscriptionGoesWithItsLinks(t *testing.T) {
	w := newTopicWorld(t, fakerelay.SubscriptionOptions{Name: "s", AutoDeleteOnIdle: broker.MinIdle})
	w.send(body("1"))
	r := w.receiver("s", nil)
	must(t, r.CompleteMessage(within(t), receive(t, r), nil))
	w.clock.Advance(2 * broker.MinIdle)
	_, err := tryReceive(within(t), r)
	hasCode(t, err, azservicebus.CodeNotFound)
}

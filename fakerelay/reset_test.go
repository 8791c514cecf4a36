package fakerelay_test

import (
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"passback/fakerelay"
	"passback/fakerelay/broker"
)

// impatient is how a client of these tests retries.
var impatient = &azservicebus.ClientOptions{RetryOptions: azservicebus.RetryOptions{RetryDelay: time.Millisecond, MaxRetryDelay: 10 * time.Millisecond}}

func TestResetPutsEverythingBack(t *testing.T) {
	n := fakerelay.RunOptionsT(t, fakerelay.Options{
		Queues: []fakerelay.QueueOptions{{Name: queueName, MaxDeliveryCount: 3}, {Name: "sessions", RequiresSession: true}},
		Topics: []fakerelay.Topic{{TopicOptions: fakerelay.TopicOptions{Name: "news"}, Subscriptions: []fakerelay.SubscriptionOptions{{Name: "all"}}}},
	})
	c := client(t, n.ConnectionString(), impatient)
	sender, receiver := newSender(t, c, queueName), newReceiver(t, c, queueName, nil)
	send(t, sender, body("locked"))
	send(t, sender, body("waiting"))
	receive(t, receiver)
	id := "s"
	send(t, newSender(t, c, "sessions"), &azservicebus.Message{SessionID: &id})
	session, err := c.AcceptSessionForQueue(within(t), "sessions", id, nil)
	must(t, err)
	must(t, session.SetSessionState(within(t), []byte("x"), nil))
	send(t, newSender(t, c, "news"), body("m"))
	must(t, n.CreateQueue(fakerelay.QueueOptions{Name: "made-since"}))
	must(t, n.UpdateQueue(fakerelay.QueueOptions{Name: queueName, MaxDeliveryCount: 7}))
	must(t, n.DeleteTopic("news"))
	must(t, n.SetKey("", newKey(fakerelay.Listen)))
	own := newKey(fakerelay.Listen)
	must(t, n.SetKey(queueName, own))
	_, err = n.AddFault(fakerelay.Fault{Effect: fakerelay.EffectSwallow, Times: -1})
	must(t, err)

	must(t, n.Reset())
	e := n.Entities()
	if len(e.Queues) != 2 || e.Queues[1].Name != queueName || e.Queues[1].MaxDeliveryCount != 3 || len(e.Topics) != 1 || len(e.Topics[0].Subscriptions) != 1 {
		t.Errorf("entities %+v", e)
	}
	for _, path := range []string{queueName, "sessions", broker.SubscriptionPath("news", "all")} {
		q, err := n.Queue(path)
		must(t, err)
		if q.Count() != 0 {
			t.Errorf("%s has %d messages", path, q.Count())
		}
	}
	if len(n.Faults()) != 0 {
		t.Errorf("faults %+v", n.Faults())
	}
	if err := refused(t, client(t, n.ConnectionStringFor(own), nil), queueName); err == nil {
		t.Error("a key that was made since is still good")
	}
	// The clients that there were go on.
	send(t, sender, body("after"))
	m := receive(t, receiver)
	if string(m.Body) != "after" || *m.SequenceNumber != 1 {
		t.Errorf("received %q with the number %d", m.Body, *m.SequenceNumber)
	}
	must(t, receiver.CompleteMessage(within(t), m, nil))
	again, err := c.AcceptSessionForQueue(within(t), "sessions", id, nil)
	must(t, err)
	state, err := again.GetSessionState(within(t), nil)
	must(t, err)
	if len(state) != 0 {
		t.Errorf("the session's state is %q", state)
	}
}

func TestRestartKeepsMessagesAndTheSDKRecovers(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{})
	w.client = client(t, w.ConnectionString(), impatient)
	sender, receiver := newSender(t, w.client, queueName), newReceiver(t, w.client, queueName, nil)
	send(t, sender, body("1"))
	send(t, sender, body("2"))
	receive(t, receiver) // whose lock stays
	w.Restart()
	send(t, sender, body("3"))
	for _, want := range []string{"2", "3"} {
		m := receive(t, receiver)
		if string(m.Body) != want {
			t.Errorf("received %q, want %q", m.Body, want)
		}
		must(t, receiver.CompleteMessage(within(t), m, nil))
	}
	w.clock.Advance(time.Minute)
	if m := receive(t, receiver); string(m.Body) != "1" || m.DeliveryCount != 2 {
		t.Errorf("received %q at its delivery %d, want the second of 1", m.Body, m.DeliveryCount)
	}
}

func TestRestartSaysSo(t *testing.T) {
	k := newKey(fakerelay.Listen)
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Keys: []fakerelay.Key{k}})
	r := bareReceiver(t, n, k, 1)
	n.Restart()
	_, err := r.Receive(within(t), nil)
	says(t, err, "amqp:connection:forced")
}

// The service detaches the links of a token that has ended by force; whoever still has a good one opens them again.
func TestEndedTokenIsTold(t *testing.T) {
	k := newKey(fakerelay.Listen)
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Keys: []fakerelay.Key{newKey(fakerelay.Manage), k}})
	r := bareReceiver(t, n, k, 1)
	must(t, n.DeleteKey("", k.Name))
	_, err := r.Receive(within(t), nil)
	hasCondition(t, err, amqp.ErrCondDetachForced)
	says(t, err, "is force detached. Code: RenewToken. Details: Unauthorized access. 'Listen' claim(s) are required to perform this operation. Resource: 'sb://")
}

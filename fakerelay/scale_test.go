package fakerelay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"passback/fakerelay"
	"passback/fakerelay/broker"
)

// bareClient is a connection of a client that knows nothing of Service Bus, let in by a key.
func bareClient(t testing.TB, n *fakerelay.Namespace, k fakerelay.Key) (*amqp.Conn, *amqp.Session) {
	t.Helper()
	conn, err := amqp.Dial(t.Context(), "amqp://"+n.AMQPAddr(), &amqp.ConnOptions{SASLType: amqp.SASLTypePlain(k.Name, k.Secret)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	session, err := conn.NewSession(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return conn, session
}

// sendAll sends numbered messages, each of them settled before it is sent; set may change each.
func sendAll(t *testing.T, session *amqp.Session, queue string, count int, set func(i int, m *amqp.Message)) {
	t.Helper()
	sender, err := session.NewSender(t.Context(), queue, &amqp.SenderOptions{SettlementMode: amqp.SenderSettleModeSettled.Ptr()})
	must(t, err)
	for i := range count {
		m := amqp.NewMessage([]byte(fmt.Sprint(i)))
		if set != nil {
			set(i, m)
		}
		must(t, sender.Send(t.Context(), m, nil))
	}
}

// A thousand connections hold a session each, and one connection holds a thousand more, all at once; then each gets
// its message.
func TestAThousandConnectionsAndSessions(t *testing.T) {
	const many = 1000
	k := newKey(fakerelay.Manage)
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Keys: []fakerelay.Key{k}, Queues: []fakerelay.QueueOptions{{Name: "sessions", RequiresSession: true}}})
	conn, _ := bareClient(t, n, k) // which may have 1,000 links
	_, first := bareClient(t, n, k)
	sendAll(t, first, "sessions", 2*many, func(i int, m *amqp.Message) { m.Properties = &amqp.MessageProperties{GroupID: new(fmt.Sprint(i))} })
	q, err := n.Queue("sessions")
	must(t, err)
	eventually(t, "all messages", func() bool { return q.Count() == 2*many })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	receivers := make([]*amqp.Receiver, 2*many)
	var openers sync.WaitGroup
	for worker := range 8 {
		openers.Go(func() {
			for i := worker; i < 2*many; i += 8 {
				var session *amqp.Session
				var err error
				if i < many {
					_, session = bareClient(t, n, k)
				} else if session, err = conn.NewSession(ctx, nil); err != nil {
					t.Errorf("session %d: %v", i, err)
					return
				}
				if receivers[i], err = session.NewReceiver(ctx, "sessions", acceptSession(fmt.Sprint(i))); err != nil {
					t.Errorf("receiver %d: %v", i, err)
					return
				}
			}
		})
	}
	openers.Wait()
	if t.Failed() {
		return
	}
	for i, r := range receivers {
		must(t, r.IssueCredit(1))
		m, err := r.Receive(ctx, nil)
		must(t, err)
		if got := string(m.GetData()); got != fmt.Sprint(i) {
			t.Fatalf("session %d got the message %s", i, got)
		}
		must(t, r.AcceptMessage(ctx, m))
	}
	if q.Count() != 0 {
		t.Errorf("%d messages are left", q.Count())
	}
}

// The session's window is 5,000 transfers in both directions: more go through, whether or not the client takes its
// deliveries in time, and other links of the session are not held up.
func TestMoreThanAWindowOfTransfers(t *testing.T) {
	const many = 6000
	for name, mode := range map[string]amqp.ReceiverSettleMode{"locked": amqp.ReceiverSettleModeSecond, "deleted": amqp.ReceiverSettleModeFirst} {
		t.Run(name, func(t *testing.T) {
			k := newKey(fakerelay.Manage)
			n := fakerelay.RunOptionsT(t, fakerelay.Options{Keys: []fakerelay.Key{k}, Queues: []fakerelay.QueueOptions{{Name: queueName}, {Name: "other"}}})
			_, session := bareClient(t, n, k)
			sendAll(t, session, queueName, many, nil)
			q, err := n.Queue(queueName)
			must(t, err)
			eventually(t, "all messages", func() bool { return q.Count() == many })
			o := &amqp.ReceiverOptions{SettlementMode: mode.Ptr(), Credit: many}
			if mode == amqp.ReceiverSettleModeFirst {
				o.RequestedSenderSettleMode = amqp.SenderSettleModeSettled.Ptr()
			}
			r, err := session.NewReceiver(t.Context(), queueName, o)
			must(t, err)
			// Nothing is taken yet. Another link of the session works.
			other, err := session.NewReceiver(t.Context(), "other", &amqp.ReceiverOptions{Credit: 1})
			must(t, err)
			sendAll(t, session, "other", 1, nil)
			_, err = other.Receive(within(t), nil)
			must(t, err)
			for i := range many {
				m, err := r.Receive(within(t), nil)
				if err != nil {
					t.Fatalf("message %d: %v", i, err)
				}
				if got := string(m.GetData()); got != fmt.Sprint(i) {
					t.Fatalf("message %d is %s", i, got)
				}
			}
			left := many
			if mode == amqp.ReceiverSettleModeFirst {
				left = 0
			}
			eventually(t, "a queue that holds what is locked, and nothing else", func() bool { return q.Count() == left })
		})
	}
}

func TestLimitsAreKept(t *testing.T) {
	k := newKey(fakerelay.Manage)
	n := fakerelay.RunOptionsT(t, fakerelay.Options{
		MaxConnections: 2, MaxEntities: 3, Keys: []fakerelay.Key{k},
		Queues: []fakerelay.QueueOptions{{Name: queueName}}, Topics: []fakerelay.Topic{{TopicOptions: fakerelay.TopicOptions{Name: "t"}}},
	})
	must(t, n.CreateSubscription("t", fakerelay.SubscriptionOptions{Name: "not-counted"}))
	must(t, n.CreateQueue(fakerelay.QueueOptions{Name: "third"}))
	if err := n.CreateQueue(fakerelay.QueueOptions{Name: "fourth"}); !errors.Is(err, broker.ErrQuota) {
		t.Errorf("one queue too many: %v", err)
	}
	if err := n.CreateTopic(fakerelay.TopicOptions{Name: "fourth"}); !errors.Is(err, broker.ErrQuota) {
		t.Errorf("one topic too many: %v", err)
	}
	must(t, n.DeleteQueue("third"))
	must(t, n.CreateTopic(fakerelay.TopicOptions{Name: "fourth"}))

	first, _ := bareClient(t, n, k)
	bareClient(t, n, k)
	nc, err := net.Dial("tcp", n.AMQPAddr())
	must(t, err)
	defer nc.Close()
	must(t, nc.SetDeadline(time.Now().Add(patience)))
	if _, err := nc.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !isReset(err) {
		t.Errorf("one connection too many: %v", err)
	}
	must(t, first.Close())
	eventually(t, "room for another", func() bool {
		conn, err := amqp.Dial(t.Context(), "amqp://"+n.AMQPAddr(), &amqp.ConnOptions{SASLType: amqp.SASLTypePlain(k.Name, k.Secret)})
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	if _, err := fakerelay.New(fakerelay.Options{MaxConnections: -1}); err == nil {
		t.Error("a negative limit was taken")
	}
}

func isReset(err error) bool {
	var e *net.OpError
	return errors.As(err, &e) && !e.Timeout()
}

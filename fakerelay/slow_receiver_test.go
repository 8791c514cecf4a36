package fakerelay_test

import (
	"context"
	"fmt"
	"math"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"passback/fakerelay"
)

// A haltingConn reads nothing while it is held.
type haltingConn struct {
	net.Conn
	hold sync.Mutex
}

func (c *haltingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.hold.Lock()
	defer c.hold.Unlock()
	return n, err
}

// A receiver that has credit and does not read, although its messages are delivered by those who send them, keeps no
// sender waiting, and gets all of them once it reads again.
func TestASlowReceiverHoldsNoSenderUp(t *testing.T) {
	const count, size = 400, 64 << 10 // more than all buffers on the way hold
	k := newKey(fakerelay.Manage)
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Keys: []fakerelay.Key{k}})
	tcp, err := net.Dial("tcp", n.AMQPAddr())
	must(t, err)
	slow := &haltingConn{Conn: tcp}
	conn, err := amqp.NewConn(within(t), slow, &amqp.ConnOptions{SASLType: amqp.SASLTypePlain(k.Name, k.Secret)})
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	session, err := conn.NewSession(within(t), nil)
	must(t, err)
	receiver, err := session.NewReceiver(within(t), fakerelay.DefaultQueue, &amqp.ReceiverOptions{Credit: count})
	must(t, err)
	q, err := n.Queue(fakerelay.DefaultQueue)
	must(t, err)

	slow.hold.Lock()
	_, others := bareClient(t, n, k)
	sender, err := others.NewSender(within(t), fakerelay.DefaultQueue, nil)
	must(t, err)
	for i := range count {
		m := amqp.NewMessage(make([]byte, size))
		m.Properties = &amqp.MessageProperties{CorrelationID: fmt.Sprint(i)}
		must(t, sender.Send(within(t), m, nil))
	}
	if got := q.Count(); got != count {
		t.Errorf("%d messages are there, want %d", got, count)
	}
	slow.hold.Unlock()
	for i := range count {
		m, err := receiver.Receive(within(t), nil)
		must(t, err)
		if got := m.Properties.CorrelationID; got != fmt.Sprint(i) {
			t.Fatalf("message %v came as number %d", got, i)
		}
		must(t, receiver.AcceptMessage(within(t), m))
	}
}

// Senders and receivers on many connections, some of which go and come again: every message comes at least once, and
// nothing is left when all have been settled.
func TestReceiversComeAndGoWhileOthersSend(t *testing.T) {
	const senders, each, receivers = 4, 300, 4
	k := newKey(fakerelay.Manage)
	n := fakerelay.RunOptionsT(t, fakerelay.Options{
		Keys: []fakerelay.Key{k}, Queues: []fakerelay.QueueOptions{{Name: queueName, MaxDeliveryCount: 2000, LockDuration: time.Second}},
	})
	q, err := n.Queue(queueName)
	must(t, err)
	var mu sync.Mutex
	missing := make(map[string]bool)
	for s := range senders {
		for i := range each {
			missing[fmt.Sprint(s, "/", i)] = true
		}
	}
	ctx, all := context.WithCancel(t.Context())
	arrived := func(m *amqp.Message) {
		mu.Lock()
		defer mu.Unlock()
		if delete(missing, string(m.GetData())); len(missing) == 0 {
			all()
		}
	}
	var parties sync.WaitGroup
	for s := range senders {
		_, session := bareClient(t, n, k)
		sender, err := session.NewSender(within(t), queueName, nil)
		must(t, err)
		parties.Go(func() {
			for i := range each {
				if err := sender.Send(t.Context(), amqp.NewMessage(fmt.Append(nil, s, "/", i)), nil); err != nil {
					t.Errorf("send: %v", err)
				}
			}
		})
	}
	for r := range receivers {
		parties.Go(func() {
			for ctx.Err() == nil {
				receiveSome(t, ctx, n, k, 40+10*r, arrived)
			}
		})
	}
	parties.Wait()
	last, stop := context.WithCancel(t.Context())
	parties.Go(func() { receiveSome(t, last, n, k, math.MaxInt, arrived) }) // what the others got and did not settle
	eventually(t, "the end of all messages", func() bool { return q.Count() == 0 })
	stop()
	parties.Wait()
}

// receiveSome is a client that settles some messages and goes, with up to 20 more that it has not settled.
func receiveSome(t *testing.T, ctx context.Context, n *fakerelay.Namespace, k fakerelay.Key, some int, arrived func(*amqp.Message)) {
	conn, session := bareClient(t, n, k)
	defer conn.Close()
	receiver, err := session.NewReceiver(t.Context(), queueName, &amqp.ReceiverOptions{Credit: 20})
	for i := 0; err == nil && i < some; i++ {
		var m *amqp.Message
		if m, err = receiver.Receive(ctx, nil); err == nil {
			arrived(m)
			err = receiver.AcceptMessage(t.Context(), m)
		}
	}
	if err != nil && ctx.Err() == nil {
		t.Errorf("receive: %v", err)
	}
}

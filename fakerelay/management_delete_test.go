package fakerelay_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"passback/clock"
	"passback/fakerelay"
)

// request asks $management, and gives status and body of the answer.
func request(t *testing.T, sender *amqp.Sender, receiver *amqp.Receiver, operation string, body map[string]any) (status any, answer map[string]any) {
	t.Helper()
	must(t, sender.Send(within(t), &amqp.Message{
		Properties: &amqp.MessageProperties{MessageID: "1"}, ApplicationProperties: map[string]any{"operation": "com.microsoft:" + operation}, Value: body,
	}, nil))
	reply, err := receiver.Receive(within(t), nil)
	must(t, err)
	answer, _ = reply.Value.(map[string]any)
	return reply.ApplicationProperties["statusCode"], answer
}

func TestBatchDelete(t *testing.T) {
	c := clock.NewRunning()
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Clock: c})
	session := authorised(t, n)
	sender, receiver := rawLinks(t, session, fakerelay.DefaultQueue, &amqp.ReceiverOptions{SettlementMode: amqp.ReceiverSettleModeSecond.Ptr(), Credit: 1})
	put := func(texts ...string) {
		for _, text := range texts {
			must(t, sender.Send(within(t), amqp.NewMessage([]byte(text)), nil))
		}
	}
	put("locked")
	_, err := receiver.Receive(within(t), nil)
	must(t, err)
	put("1", "2", "3")
	c.Advance(30 * time.Second)
	cutoff := c.Now()
	c.Advance(time.Second)
	put("4", "5")
	ask, reply := rawLinks(t, session, fakerelay.DefaultQueue+"/$management", nil)
	q, err := n.Queue(fakerelay.DefaultQueue)
	must(t, err)
	for _, test := range []struct {
		body    map[string]any
		status  int32
		deleted any
		left    int
	}{
		{map[string]any{"message-count": int32(1)}, 200, int32(1), 5},
		{map[string]any{"message-count": int32(500), "enqueued-time-utc": cutoff}, 200, int32(2), 3},
		{map[string]any{"message-count": int32(500), "enqueued-time-utc": cutoff}, 204, nil, 3},
		{map[string]any{"message-count": int32(501)}, 400, nil, 3}, // Standard
		{map[string]any{"message-count": int32(0)}, 400, nil, 3},
		{map[string]any{"message-count": int32(9), "session-id": "s"}, 410, nil, 3},
		{map[string]any{"message-count": int32(9)}, 200, int32(2), 1}, // what is locked stays
		{map[string]any{"message-count": int32(9)}, 204, nil, 1},
	} {
		status, answer := request(t, ask, reply, "batch-delete-messages", test.body)
		if status != test.status || answer["message-count"] != test.deleted || q.Count() != test.left {
			t.Errorf("%v: %v %v, %d left; want %d %v, %d left", test.body, status, answer, q.Count(), test.status, test.deleted, test.left)
		}
	}
}

func TestBatchDeleteOfASession(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{RequiresSession: true})
	w.sendsTo(t, "mine", "1", "2")
	w.sendsTo(t, "other", "3")
	k := newKey(fakerelay.Listen)
	must(t, w.SetKey("", k))
	conn, err := amqp.Dial(within(t), "amqp://"+w.AMQPAddr(), &amqp.ConnOptions{SASLType: amqp.SASLTypePlain(k.Name, k.Secret)})
	must(t, err)
	defer conn.Close()
	session, err := conn.NewSession(within(t), nil)
	must(t, err)
	ask, reply := rawLinks(t, session, queueName+"/$management", nil)
	body := map[string]any{"message-count": int32(9), "session-id": "mine"}
	if status, _ := request(t, ask, reply, "batch-delete-messages", body); status != int32(410) {
		t.Errorf("a session that another holds, or nobody: %v", status)
	}
	_, err = session.NewReceiver(within(t), queueName, acceptSession("mine"))
	must(t, err)
	if status, answer := request(t, ask, reply, "batch-delete-messages", body); status != int32(200) || fmt.Sprint(answer["message-count"]) != "2" {
		t.Errorf("answered %v %v, want both", status, answer)
	}
	if n := w.queue(t).Count(); n != 1 {
		t.Errorf("%d messages, want the other session's", n)
	}
}

// acceptSession are the options of a receiver of a session; nil: of the next free one. It has no credit.
func acceptSession(id any) *amqp.ReceiverOptions {
	const sessionFilter, code = "com.microsoft:session-filter", uint64(0x137000000C)
	return &amqp.ReceiverOptions{
		SettlementMode: amqp.ReceiverSettleModeSecond.Ptr(), Credit: -1,
		Filters: []amqp.LinkFilter{amqp.NewLinkFilter(sessionFilter, code, id)},
	}
}

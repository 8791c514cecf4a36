package fakerelay_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"passback/fakerelay"
)

func (w world) sendsTo(t *testing.T, session string, texts ...string) {
	t.Helper()
	sender := newSender(t, w.client, queueName)
	for _, text := range texts {
		send(t, sender, &azservicebus.Message{SessionID: &session, Body: []byte(text)})
	}
}

func (w world) accepts(t *testing.T, session string) *azservicebus.SessionReceiver {
	t.Helper()
	r, err := w.client.AcceptSessionForQueue(within(t), queueName, session, nil)
	must(t, err)
	return r
}

func receiveOne(t *testing.T, r *azservicebus.SessionReceiver) *azservicebus.ReceivedMessage {
	t.Helper()
	messages, err := r.ReceiveMessages(within(t), 1, nil)
	must(t, err)
	return messages[0]
}

func hasCondition(t *testing.T, err error, want amqp.ErrCond) {
	t.Helper()
	var e *amqp.Error
	if !errors.As(err, &e) || e.Condition != want {
		t.Errorf("got %v, want the condition %s", err, want)
	}
}

func TestSessionIsExclusive(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{RequiresSession: true})
	w.sendsTo(t, "a", "1", "2")
	r := w.accepts(t, "a")
	_, err := w.client.AcceptSessionForQueue(within(t), queueName, "a", nil)
	hasCondition(t, err, "com.microsoft:session-cannot-be-locked")
	must(t, r.CompleteMessage(within(t), receiveOne(t, r), nil))
	must(t, r.Close(within(t)))
	if m := receiveOne(t, w.accepts(t, "a")); string(m.Body) != "2" || m.DeliveryCount != 1 {
		t.Errorf("received %q, delivery %d", m.Body, m.DeliveryCount)
	}
}

func TestNoFreeSessionTimesOut(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{RequiresSession: true})
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	_, err := w.client.AcceptNextSessionForQueue(ctx, queueName, nil)
	var e *azservicebus.Error
	if !errors.Is(err, context.DeadlineExceeded) && (!errors.As(err, &e) || e.Code != azservicebus.CodeTimeout) {
		t.Errorf("got %v, want a timeout", err)
	}
}

func TestPlainReceiverOfASessionQueueIsRefused(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{RequiresSession: true})
	_, err := newReceiver(t, w.client, queueName, nil).ReceiveMessages(within(t), 1, nil)
	hasCondition(t, err, "amqp:not-allowed")
	says(t, err, "It is not possible for an entity that requires sessions to create a non-sessionful message receiver.")
	err = newSender(t, w.client, queueName).SendMessage(within(t), body("no session"), nil)
	says(t, err, "The SessionId was not set on a message")
}

func TestSessionLockExpires(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{RequiresSession: true, LockDuration: 30 * time.Second})
	w.sendsTo(t, "a", "1")
	r := w.accepts(t, "a")
	receiveOne(t, r)
	w.clock.Advance(20 * time.Second)
	must(t, r.RenewSessionLock(within(t), nil))
	w.clock.Advance(20 * time.Second)
	must(t, r.RenewSessionLock(within(t), nil))
	w.clock.Advance(31 * time.Second)
	if again := receiveOne(t, w.accepts(t, "a")); again.DeliveryCount != 2 {
		t.Errorf("delivery count %d after an expired session lock, want 2", again.DeliveryCount)
	}
}

func TestTheEmptySessionIDIsASession(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{RequiresSession: true})
	w.sendsTo(t, "", "1")
	if m := receiveOne(t, w.accepts(t, "")); m.SessionID == nil || *m.SessionID != "" {
		t.Errorf("the session id came as %v", m.SessionID)
	}
}

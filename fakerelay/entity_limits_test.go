package fakerelay_test

import (
	"errors"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/clock"
	"passback/fakerelay"
	"passback/fakerelay/broker"
)

// What becomes of the stock SDK's calls where an entity is disabled, in part or at all.
func TestDisabledEntitiesRefuseTheSDK(t *testing.T) {
	for status, test := range map[broker.Status]struct{ sends, receives bool }{
		broker.StatusDisabled:        {false, false},
		broker.StatusSendDisabled:    {false, true},
		broker.StatusReceiveDisabled: {true, false},
	} {
		t.Run(status.String(), func(t *testing.T) {
			w := newWorld(t, fakerelay.QueueOptions{})
			w.sends(t, "m")
			must(t, w.UpdateQueue(fakerelay.QueueOptions{Name: queueName, Status: status}))
			err := newSender(t, w.client, queueName).SendMessage(within(t), body("n"), nil)
			isDisabled(t, "send", err, !test.sends)
			_, err = tryReceive(within(t), newReceiver(t, w.client, queueName, nil))
			isDisabled(t, "receive", err, !test.receives)
		})
	}
}

func isDisabled(t *testing.T, what string, err error, want bool) {
	t.Helper()
	if (err != nil) != want {
		t.Errorf("%s: %v", what, err)
	}
	if err != nil {
		hasCondition(t, err, "com.microsoft:entity-disabled")
		says(t, err, "/"+queueName+"' is currently disabled.")
	}
}

// An entity that is not used goes away, and the SDK is told that it is not there.
func TestIdleEntityIsDeleted(t *testing.T) {
	c := clock.NewRunning()
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Clock: c, Queues: []fakerelay.QueueOptions{{Name: queueName, AutoDeleteOnIdle: 10 * time.Minute}}})
	sdk := client(t, n.ConnectionString(), impatient)
	sender := newSender(t, sdk, queueName)
	c.Advance(9 * time.Minute)
	send(t, sender, body("m")) // which is use
	c.Advance(9 * time.Minute)
	if _, err := n.Queue(queueName); err != nil {
		t.Errorf("nine minutes after its last use: %v", err)
	}
	c.Advance(2 * time.Minute)
	if _, err := n.Queue(queueName); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("eleven minutes after its last use: %v", err)
	}
	hasCode(t, sender.SendMessage(within(t), body("m"), nil), azservicebus.CodeNotFound)
}

// A premium entity may take larger messages than the others of its namespace.
func TestEntityOfLargeMessages(t *testing.T) {
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Tier: fakerelay.Premium, Queues: []fakerelay.QueueOptions{{Name: "large", MaxMessageKB: 4096}, {Name: "usual"}}})
	c := client(t, n.ConnectionString(), nil)
	large := &azservicebus.Message{Body: make([]byte, 3<<20)}
	send(t, newSender(t, c, "large"), large)
	if m := receive(t, newReceiver(t, c, "large", nil)); len(m.Body) != 3<<20 {
		t.Errorf("received %d bytes", len(m.Body))
	}
	if err := newSender(t, c, "usual").SendMessage(within(t), large, nil); !errors.Is(err, azservicebus.ErrMessageTooLarge) {
		t.Errorf("3 MiB where 1 MiB is allowed: %v", err)
	}
}

// Partitions are left out; the key travels, with batches, schedules and dead letters too.
func TestPartitionKeyTravels(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{})
	key := "p"
	sender := newSender(t, w.client, queueName)
	batch, err := sender.NewMessageBatch(within(t), nil)
	must(t, err)
	must(t, batch.AddMessage(&azservicebus.Message{PartitionKey: &key}, nil))
	must(t, sender.SendMessageBatch(within(t), batch, nil))
	_, err = sender.ScheduleMessages(within(t), []*azservicebus.Message{{PartitionKey: &key}}, w.clock.Now().Add(time.Second), nil)
	must(t, err)
	w.clock.Advance(2 * time.Second)
	r := newReceiver(t, w.client, queueName, nil)
	for range 2 {
		m := receive(t, r)
		if m.PartitionKey == nil || *m.PartitionKey != key {
			t.Errorf("the partition key is %v", m.PartitionKey)
		}
		must(t, r.DeadLetterMessage(within(t), m, nil))
		if m := receive(t, w.deadLetters(t)); m.PartitionKey == nil || *m.PartitionKey != key {
			t.Errorf("the dead letter's partition key is %v", m.PartitionKey)
		}
	}
}

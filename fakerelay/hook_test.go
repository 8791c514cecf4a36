package fakerelay_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/fakerelay"
)

// once acts on the first event of a kind and lets everything else pass.
func once(n *fakerelay.Namespace, kind fakerelay.Kind, done bool, act fakerelay.Action) (seen <-chan fakerelay.Event) {
	met := make(chan fakerelay.Event, 1)
	var first sync.Once
	n.Hook(func(e fakerelay.Event) fakerelay.Action {
		action := fakerelay.Pass
		if e.Kind == kind && e.Done == done {
			first.Do(func() {
				action = act
				met <- e
			})
		}
		return action
	})
	return met
}

func TestHookSeesEveryStep(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{})
	var mu sync.Mutex
	var steps []string
	openings := map[string]bool{}
	remove := w.Hook(func(e fakerelay.Event) fakerelay.Action {
		mu.Lock()
		defer mu.Unlock()
		if e.Connection != 1 || e.Container == "" {
			t.Errorf("%v does not tell its connection", e)
		}
		if e.Kind < fakerelay.Enqueue {
			openings[strings.Join([]string{e.Kind.String(), e.Role, e.Entity, e.Operation}, " ")] = true
			return fakerelay.Pass
		}
		step := e.Kind.String() + " " + e.MessageID
		if e.Done {
			step += " done"
		}
		steps = append(steps, step)
		return fakerelay.Pass
	})
	id := "m"
	send(t, newSender(t, w.client, queueName), &azservicebus.Message{MessageID: &id})
	r := newReceiver(t, w.client, queueName, nil)
	m := receive(t, r)
	must(t, r.RenewMessageLock(within(t), m, nil))
	must(t, r.CompleteMessage(within(t), m, nil))
	remove()
	send(t, newSender(t, w.client, queueName), &azservicebus.Message{MessageID: &id})
	want := []string{
		"enqueue m", "enqueue m done", "deliver m", "deliver m done", "renew m", "renew m done", "complete m", "complete m done",
	}
	mu.Lock()
	defer mu.Unlock()
	if slices.Sort(steps); !slices.Equal(steps, sorted(want)) { // "deliver done" races with what the client does next
		t.Errorf("steps %q, want %q", steps, want)
	}
	for _, want := range []string{
		"put-token  " + queueName + " ", "attach sender $cbs ", "attach sender " + queueName + " ", "attach receiver " + queueName + " ",
		"request  " + queueName + " renew-lock",
	} {
		if !openings[want] {
			t.Errorf("%q is not among %v", want, openings)
		}
	}
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}

func TestDroppedDeliveryStaysLocked(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{LockDuration: 30 * time.Second})
	met := once(w.Namespace, fakerelay.Deliver, false, fakerelay.Drop)
	w.sends(t, "lost on the way")
	r := newReceiver(t, w.client, queueName, nil)
	received := make(chan *azservicebus.ReceivedMessage, 1)
	go func() {
		messages, err := r.ReceiveMessages(within(t), 1, nil)
		if err != nil {
			t.Error(err)
			close(received)
			return
		}
		received <- messages[0]
	}()
	<-met
	w.clock.Advance(31 * time.Second)
	if m := <-received; m == nil || m.DeliveryCount != 2 {
		t.Errorf("received %+v, want the second delivery", m)
	}
}

// A client that is cut off after the broker has taken the message cannot know, and sends it again by itself.
func TestDisconnectAfterEnqueueMakesTheSDKRepeat(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{})
	w.client = client(t, w.ConnectionString(), &azservicebus.ClientOptions{RetryOptions: azservicebus.RetryOptions{RetryDelay: time.Millisecond}})
	met := once(w.Namespace, fakerelay.Enqueue, true, fakerelay.Disconnect)
	w.sends(t, "twice")
	<-met
	if n := w.queue(t).Count(); n != 2 {
		t.Errorf("%d messages, want 2: the repetition too", n)
	}
}

func TestHeldCompleteHoldsNothingElse(t *testing.T) {
	w := newWorld(t, fakerelay.QueueOptions{})
	release := make(chan struct{})
	met := once(w.Namespace, fakerelay.Complete, false, fakerelay.Hold(release))
	w.sends(t, "first", "second")
	r := newReceiver(t, w.client, queueName, nil)
	first, second := receive(t, r), receive(t, r)
	completed := make(chan error, 1)
	go func() { completed <- r.CompleteMessage(context.Background(), first, nil) }()
	<-met
	must(t, r.CompleteMessage(within(t), second, nil))
	if n := w.queue(t).Count(); n != 1 {
		t.Errorf("%d messages while the complete is held, want 1", n)
	}
	close(release)
	must(t, <-completed)
	if n := w.queue(t).Count(); n != 0 {
		t.Errorf("%d messages are left, want none", n)
	}
}

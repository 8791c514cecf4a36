package broker_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"passback/clock"
	"passback/fakerelay/broker"
)

// topicModel knows where each message must be: the topic "t" has the subscriptions "all", "even" and "relay", which
// forwards the odd ones to the queue "q". What anybody dead-letters in "even" goes to "q" too.
type topicModel struct {
	broker *broker.Broker
	clock  *clock.Running
	serial int
	at     map[string][]string // bodies by queue, in order
	due    []string            // scheduled, in order of sending
}

const (
	modelAll  = "t/Subscriptions/all"
	modelEven = "t/Subscriptions/even"
)

func (m *topicModel) queue(t *rapid.T, path string) *broker.Queue {
	q, err := m.broker.Node(path)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func (m *topicModel) next() (body string, even bool) {
	m.serial++
	return fmt.Sprintf(`{"n":%d}`, m.serial), m.serial%2 == 0
}

func (m *topicModel) arrives(body string, even bool) {
	m.at[modelAll] = append(m.at[modelAll], body)
	if even {
		m.at[modelEven] = append(m.at[modelEven], body)
	} else {
		m.at["q"] = append(m.at["q"], body)
	}
}

func (m *topicModel) Send(t *rapid.T) {
	body, even := m.next()
	if _, err := m.queue(t, "t").Send(broker.Message{Body: []byte(body)}); err != nil {
		t.Fatal(err)
	}
	m.arrives(body, even)
}

func (m *topicModel) SendDirectly(t *rapid.T) {
	body, _ := m.next()
	if _, err := m.queue(t, "q").Send(broker.Message{Body: []byte(body)}); err != nil {
		t.Fatal(err)
	}
	m.at["q"] = append(m.at["q"], body)
}

// Schedule keeps even numbers only, so that what is due needs no parity.
func (m *topicModel) Schedule(t *rapid.T) {
	body, even := m.next()
	if !even {
		body, _ = m.next()
	}
	at := m.clock.Now().Add(time.Hour)
	if _, err := m.queue(t, "t").Send(broker.Message{Body: []byte(body), ScheduledFor: at}); err != nil {
		t.Fatal(err)
	}
	m.due = append(m.due, body)
}

func (m *topicModel) Advance(*rapid.T) {
	m.clock.Advance(2 * time.Hour)
	for _, body := range m.due {
		m.arrives(body, true)
	}
	m.due = nil
}

func (m *topicModel) Complete(t *rapid.T) {
	path := rapid.SampledFrom([]string{modelAll, modelEven, "q"}).Draw(t, "queue")
	if d, ok := m.receive(t, path); ok {
		if err := m.queue(t, path).Complete(d.LockToken); err != nil {
			t.Fatal(err)
		}
	}
}

func (m *topicModel) DeadLetter(t *rapid.T) {
	d, ok := m.receive(t, modelEven)
	if !ok {
		return
	}
	if err := m.queue(t, modelEven).DeadLetter(d.LockToken, nil); err != nil {
		t.Fatal(err)
	}
	m.at["q"] = append(m.at["q"], string(d.Body))
}

// receive takes what the model has first.
func (m *topicModel) receive(t *rapid.T, path string) (broker.Delivery, bool) {
	d, ok, err := m.queue(t, path).TryReceive()
	if err != nil {
		t.Fatal(err)
	}
	if ok != (len(m.at[path]) > 0) {
		t.Fatalf("%s has something: %v, the model has %v", path, ok, m.at[path])
	}
	if !ok {
		return d, false
	}
	if string(d.Body) != m.at[path][0] {
		t.Fatalf("%s gave %s, the model has %v", path, d.Body, m.at[path])
	}
	m.at[path] = m.at[path][1:]
	return d, true
}

// Check runs after each step.
func (m *topicModel) Check(t *rapid.T) {
	for _, path := range []string{modelAll, modelEven, "q", "t/Subscriptions/relay"} {
		var have []string
		for _, s := range m.queue(t, path).All() {
			have = append(have, string(s.Body))
		}
		if !slices.Equal(have, m.at[path]) {
			t.Fatalf("%s holds %v, the model has %v", path, have, m.at[path])
		}
		if f := m.queue(t, path).Facts(); f.Total() != len(m.at[path]) {
			t.Fatalf("%s counts %+v, the model has %v", path, f, m.at[path])
		}
	}
	if n := m.queue(t, "t").Len(); n != len(m.due) {
		t.Fatalf("the topic holds %d messages, the model has %v", n, m.due)
	}
}

func TestTopicBehavesLikeItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := clock.NewRunning()
		b := broker.New(broker.Options{Clock: c, Codec: jsonCodec})
		defer b.Close()
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		_, err := b.CreateQueue(broker.QueueOptions{Name: "q"})
		must(err)
		_, err = b.CreateTopic(broker.TopicOptions{Name: "t"})
		must(err)
		for _, o := range []broker.SubscriptionOptions{
			{Name: "all"},
			{Name: "even", ForwardDeadLettersTo: "q", Rules: []broker.Rule{sqlRule("even", "n % 2 = 0", "")}},
			{Name: "relay", ForwardTo: "q", Rules: []broker.Rule{sqlRule("odd", "n % 2 <> 0", "")}},
		} {
			_, err := b.CreateSubscription("t", o)
			must(err)
		}
		m := &topicModel{broker: b, clock: c, at: map[string][]string{}}
		t.Repeat(map[string]func(*rapid.T){
			"send": m.Send, "send directly": m.SendDirectly, "schedule": m.Schedule, "advance": m.Advance,
			"complete": m.Complete, "dead-letter": m.DeadLetter, "": m.Check,
		})
	})
}

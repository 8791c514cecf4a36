package broker_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"passback/clock"
	"passback/fakerelay/broker"
	"passback/fakerelay/sqlfilter"
)

// jsonCodec takes bodies for JSON objects of the application's properties. Broken ones have none.
var jsonCodec = broker.Codec{
	Read: func(s broker.Stored) (*sqlfilter.Message, error) {
		m := sqlfilter.NewMessage()
		m.System["messageid"], m.System["label"] = s.ID, nil
		if s.SessionID != nil {
			m.System["sessionid"] = *s.SessionID
		}
		return m, json.Unmarshal(s.Body, &m.User)
	},
	Write: func(s broker.Stored, m *sqlfilter.Message) (broker.Message, error) {
		body, err := json.Marshal(m.User)
		s.Body = body
		return s.Message, err
	},
}

type namespace struct {
	*broker.Broker
	t     *testing.T
	clock *clock.Running
}

// newNamespace has the topic "t".
func newNamespace(t *testing.T) namespace {
	t.Helper()
	c := clock.NewRunning()
	n := namespace{broker.New(broker.Options{Clock: c, Codec: jsonCodec}), t, c}
	t.Cleanup(n.Close)
	n.topic(broker.TopicOptions{Name: "t"})
	return n
}

func (n namespace) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n namespace) topic(o broker.TopicOptions) *broker.Topic {
	n.t.Helper()
	topic, err := n.CreateTopic(o)
	n.must(err)
	return topic
}

func (n namespace) queue(o broker.QueueOptions) *broker.Queue {
	n.t.Helper()
	q, err := n.CreateQueue(o)
	n.must(err)
	return q
}

// subscribe makes a subscription of "t".
func (n namespace) subscribe(o broker.SubscriptionOptions) *broker.Queue {
	n.t.Helper()
	s, err := n.CreateSubscription("t", o)
	n.must(err)
	return s.Queue()
}

// send sends bodies to "t".
func (n namespace) send(bodies ...string) {
	n.t.Helper()
	n.sendTo("t", bodies...)
}

func (n namespace) sendTo(path string, bodies ...string) {
	n.t.Helper()
	q, err := n.Node(path)
	n.must(err)
	send(n.t, q, bodies...)
}

// holds compares the bodies that a queue holds.
func (n namespace) holds(q *broker.Queue, want ...string) {
	n.t.Helper()
	var have []string
	for _, s := range q.All() {
		have = append(have, string(s.Body))
	}
	if !slices.Equal(have, want) {
		n.t.Errorf("%s holds %q, want %q", q.Path(), have, want)
	}
}

func sqlRule(name, filter, action string) broker.Rule {
	return broker.Rule{Name: name, Filter: broker.Filter{Kind: broker.SQLFilter, SQL: filter}, Action: broker.Action{SQL: action}}
}

func TestTopicGivesEachSubscriptionItsOwnCopy(t *testing.T) {
	n := newNamespace(t)
	a, b := n.subscribe(broker.SubscriptionOptions{Name: "a"}), n.subscribe(broker.SubscriptionOptions{Name: "b"})
	n.send("1", "2")
	n.subscribe(broker.SubscriptionOptions{Name: "late"})
	n.must(a.Complete(receiveBody(t, a, "1").LockToken))
	n.holds(a, "2")
	n.holds(b, "1", "2")
	late, err := n.Queue("T/subscriptions/LATE")
	n.must(err)
	n.holds(late)
	if f := n.mustTopic().Facts(); f.Total() != 0 || f.Subscriptions != 3 {
		t.Errorf("the topic's facts are %+v", f)
	}
}

func (n namespace) mustTopic() *broker.Topic {
	n.t.Helper()
	topic, err := n.Topic("T")
	n.must(err)
	return topic
}

func TestRulesSelect(t *testing.T) {
	n := newNamespace(t)
	byID := broker.Filter{Kind: broker.CorrelationFilter, Correlation: broker.Correlation{
		MessageID: `{"color":"blue","quantity":10}`, Properties: map[string]any{"Color": "blue"},
	}}
	for name, c := range map[string]struct {
		rules []broker.Rule
		want  []string
	}{
		"default":     {nil, []string{`{"color":"blue","quantity":10}`, `{"color":"red","quantity":10}`}},
		"none":        {[]broker.Rule{}, nil},
		"false":       {[]broker.Rule{{Name: "f", Filter: broker.Filter{Kind: broker.FalseFilter}}}, nil},
		"sql":         {[]broker.Rule{sqlRule("s", "color = 'red' AND quantity = 10", "")}, []string{`{"color":"red","quantity":10}`}},
		"correlation": {[]broker.Rule{{Name: "c", Filter: byID}}, []string{`{"color":"blue","quantity":10}`}},
		"two that match": {
			[]broker.Rule{sqlRule("s", "color = 'blue'", ""), {Name: "c", Filter: byID}}, []string{`{"color":"blue","quantity":10}`},
		},
		"action": {
			[]broker.Rule{sqlRule("halve", "color = 'red'", "SET quantity = quantity / 2;")},
			[]string{`{"RuleName":"halve","color":"red","quantity":5}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := n.subscribe(broker.SubscriptionOptions{Name: "s", Rules: c.rules})
			n.send(`{"color":"blue","quantity":10}`, `{"color":"red","quantity":10}`)
			n.holds(s, c.want...)
			n.must(n.DeleteSubscription("t", "s"))
		})
	}
}

// The documentation's example: two rules with actions and three without make three messages of one.
func TestEachActionMakesACopy(t *testing.T) {
	n := newNamespace(t)
	s := n.subscribe(broker.SubscriptionOptions{Name: "s", Rules: []broker.Rule{
		sqlRule("a1", "n = 1", "SET n = 2"), sqlRule("a2", "n = 1", "REMOVE n"),
		sqlRule("p1", "n = 1", ""), sqlRule("p2", "1 = 1", ""), {Name: "p3"},
	}})
	n.send(`{"n":1}`)
	n.holds(s, `{"RuleName":"a1","n":2}`, `{"RuleName":"a2"}`, `{"n":1}`)
}

func TestRulesCanBeChanged(t *testing.T) {
	n := newNamespace(t)
	q := n.subscribe(broker.SubscriptionOptions{Name: "s"})
	s, err := n.Subscription("t", "S")
	n.must(err)
	n.must(s.DeleteRule("$default"))
	n.send(`{"n":1}`)
	n.must(s.CreateRule(sqlRule("one", "n = 1", "")))
	if err := s.CreateRule(sqlRule("ONE", "n = 2", "")); !errors.Is(err, broker.ErrExists) {
		t.Errorf("a second rule of the name: %v", err)
	}
	if err := s.CreateRule(sqlRule("bad", "n = ", "")); !errors.Is(err, broker.ErrInvalidRule) {
		t.Errorf("a rule that cannot be parsed: %v", err)
	}
	n.send(`{"n":1}`, `{"n":2}`)
	n.must(s.UpdateRule(sqlRule("One", "n = 3", "")))
	n.send(`{"n":1}`, `{"n":3}`)
	n.holds(q, `{"n":1}`, `{"n":3}`)
	if rules := s.Rules(); len(rules) != 1 || rules[0].Name != "one" || rules[0].CreatedAt.IsZero() {
		t.Errorf("the rules are %+v", rules)
	}
	if f := n.mustTopic().Facts(); f.SQLFilters != 1 || f.CorrelationFilters != 0 {
		t.Errorf("the topic counts %+v", f)
	}
}

func TestFilterErrors(t *testing.T) {
	n := newNamespace(t)
	broken := []broker.Rule{sqlRule("broken", "n = 'x'", ""), sqlRule("fine", "n = 2", "")}
	kept := n.subscribe(broker.SubscriptionOptions{Name: "kept", Rules: broken, DeadLetterOnFilterErrors: true})
	lost := n.subscribe(broker.SubscriptionOptions{Name: "lost", Rules: broken})
	n.send(`{"n":1}`, `{"n":2}`)
	for _, q := range []*broker.Queue{kept, lost} {
		n.holds(q, `{"n":2}`)
	}
	n.holds(lost.DeadLetters())
	n.holds(kept.DeadLetters(), `{"n":1}`, `{"n":2}`)
	reason := kept.DeadLetters().All()[0].Properties[broker.DeadLetterDescription]
	if reason != "rule broken: a number cannot be compared with a string" {
		t.Errorf("dead-lettered because %v", reason)
	}
}

func TestScheduledMessagesWaitInTheTopic(t *testing.T) {
	n := newNamespace(t)
	s := n.subscribe(broker.SubscriptionOptions{Name: "s"})
	at := n.clock.Now().Add(time.Hour)
	numbers, err := n.mustTopic().Queue().Send(
		broker.Message{Body: []byte("1"), ScheduledFor: at}, broker.Message{Body: []byte("2"), ScheduledFor: at},
	)
	n.must(err)
	n.holds(s)
	if f := n.mustTopic().Facts(); f.Scheduled != 2 {
		t.Errorf("the topic's facts are %+v", f)
	}
	n.must(n.mustTopic().Queue().CancelScheduled(numbers[0]))
	n.clock.Advance(time.Hour)
	n.holds(s, "2")
}

func TestTopicDetectsDuplicates(t *testing.T) {
	n := newNamespace(t)
	topic := n.topic(broker.TopicOptions{Name: "d", RequiresDuplicateDetection: true})
	s, err := n.CreateSubscription("d", broker.SubscriptionOptions{Name: "s"})
	n.must(err)
	send(t, topic.Queue(), "1", "1", "2")
	n.holds(s.Queue(), "1", "2")
}

func TestTopicsTimeToLiveBoundsItsMessages(t *testing.T) {
	n := newNamespace(t)
	topic := n.topic(broker.TopicOptions{Name: "short", DefaultTTL: time.Minute})
	s, err := n.CreateSubscription("short", broker.SubscriptionOptions{Name: "s", DeadLetterOnExpiration: true})
	n.must(err)
	_, err = topic.Queue().Send(broker.Message{Body: []byte("1"), TTL: time.Hour})
	n.must(err)
	n.clock.Advance(time.Minute)
	n.holds(s.Queue())
	n.holds(s.Queue().DeadLetters(), "1")
}

func TestTopicsQuotaCountsItsSubscriptions(t *testing.T) {
	n := newNamespace(t)
	topic := n.topic(broker.TopicOptions{Name: "small", MaxSize: 2500})
	for _, name := range []string{"a", "b"} {
		_, err := n.CreateSubscription("small", broker.SubscriptionOptions{Name: name})
		n.must(err)
	}
	send(t, topic.Queue(), "1", "2")
	if _, err := topic.Queue().Send(broker.Message{Body: make([]byte, 100)}); !errors.Is(err, broker.ErrQuota) {
		t.Errorf("sent to a full topic: %v", err)
	}
}

func TestSubscriptionWithSessions(t *testing.T) {
	n := newNamespace(t)
	q := n.subscribe(broker.SubscriptionOptions{Name: "s", RequiresSession: true})
	id := "a"
	_, err := n.mustTopic().Queue().Send(broker.Message{Body: []byte("1"), SessionID: &id}, broker.Message{Body: []byte("2")})
	n.must(err)
	session, err := q.Accept("a")
	n.must(err)
	if d, ok, err := session.TryReceive(); !ok || err != nil || string(d.Body) != "1" {
		t.Errorf("received %q, %v, %v", d.Body, ok, err)
	}
	dead := q.DeadLetters().All()
	if len(dead) != 1 || dead[0].Properties[broker.DeadLetterReason] != "Session ID is null." {
		t.Errorf("dead letters %+v", dead)
	}
}

func TestEntitiesShareTheirNames(t *testing.T) {
	n := newNamespace(t)
	n.queue(broker.QueueOptions{Name: "q"})
	n.subscribe(broker.SubscriptionOptions{Name: "s"})
	_, queueErr := n.CreateQueue(broker.QueueOptions{Name: "T"})
	_, topicErr := n.CreateTopic(broker.TopicOptions{Name: "Q"})
	_, subscriptionErr := n.CreateSubscription("T", broker.SubscriptionOptions{Name: "S"})
	for _, err := range []error{queueErr, topicErr, subscriptionErr} {
		if !errors.Is(err, broker.ErrExists) {
			t.Errorf("got %v", err)
		}
	}
	_, err := n.CreateSubscription("q", broker.SubscriptionOptions{Name: "s"})
	for what, err := range map[string]error{
		"a subscription of a queue": err, "a topic deleted as a queue": n.DeleteQueue("t"), "a queue deleted as a topic": n.DeleteTopic("q"),
	} {
		if !errors.Is(err, broker.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := n.Queue("t"); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("a topic found as a queue: %v", err)
	}
	n.must(n.DeleteTopic("T"))
	for _, path := range []string{"t", "t/Subscriptions/s", "t/Subscriptions/s/$DeadLetterQueue", "t/Subscriptions/s/$Transfer/$DeadLetterQueue"} {
		if _, err := n.Node(path); !errors.Is(err, broker.ErrNotFound) {
			t.Errorf("%s is there after its topic was deleted: %v", path, err)
		}
	}
}

func TestInvalidOptionsAreRefused(t *testing.T) {
	n := newNamespace(t)
	for want, try := range map[string]func() error{
		`topic name "a b"`: func() error { _, err := n.CreateTopic(broker.TopicOptions{Name: "a b"}); return err },
		"topic x: ReceiveDisabled": func() error {
			_, err := n.CreateTopic(broker.TopicOptions{Name: "x", Status: broker.StatusReceiveDisabled})
			return err
		},
		`subscription name "a/b"`: func() error { _, err := n.CreateSubscription("t", broker.SubscriptionOptions{Name: "a/b"}); return err },
		"subscription x: AutoDeleteOnIdle": func() error {
			_, err := n.CreateSubscription("t", broker.SubscriptionOptions{Name: "x", AutoDeleteOnIdle: time.Second})
			return err
		},
		"subscription x: ForwardTo": func() error {
			_, err := n.CreateSubscription("t", broker.SubscriptionOptions{Name: "x", RequiresSession: true, ForwardTo: "q"})
			return err
		},
		`rule name "a b"`: func() error {
			_, err := n.CreateSubscription("t", broker.SubscriptionOptions{Name: "x", Rules: []broker.Rule{{Name: "a b"}}})
			return err
		},
	} {
		if err := try(); err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
			t.Errorf("got %v, want %s ...", err, want)
		}
	}
}

func TestUpdates(t *testing.T) {
	n := newNamespace(t)
	q := n.queue(broker.QueueOptions{Name: "q", MaxDeliveryCount: 3})
	created := q.Facts().UpdatedAt
	n.clock.Advance(time.Minute)
	n.must(n.UpdateQueue(broker.QueueOptions{Name: "Q", MaxDeliveryCount: 5}))
	if o := q.Options(); o.Name != "q" || o.MaxDeliveryCount != 5 || o.LockDuration != time.Minute {
		t.Errorf("options %+v", o)
	}
	if f := q.Facts(); !f.UpdatedAt.After(created) || f.CreatedAt.After(created) || !f.AccessedAt.IsZero() {
		t.Errorf("facts %+v", f)
	}
	for property, o := range map[string]broker.QueueOptions{
		"RequiresSession": {Name: "q", RequiresSession: true}, "RequiresDuplicateDetection": {Name: "q", RequiresDuplicateDetection: true},
		"EnablePartitioning": {Name: "q", Descriptive: broker.Descriptive{Partitioned: true}},
	} {
		var immutable *broker.ImmutableError
		if err := n.UpdateQueue(o); !errors.As(err, &immutable) || immutable.Property != property || immutable.Kind != broker.KindQueue {
			t.Errorf("%s: %v", property, err)
		}
	}
	n.must(n.UpdateTopic(broker.TopicOptions{Name: "t", Descriptive: broker.Descriptive{UserMetadata: "noted"}}))
	if o := n.mustTopic().Options(); o.UserMetadata != "noted" || o.MaxSize == 0 {
		t.Errorf("options %+v", o)
	}
	s := n.subscribe(broker.SubscriptionOptions{Name: "s"})
	n.must(n.UpdateSubscription("t", broker.SubscriptionOptions{Name: "s", LockDuration: 10 * time.Second}))
	n.send("1")
	if d := receiveBody(t, s, "1"); d.LockedUntil.Sub(n.clock.Now()) > 10*time.Second {
		t.Errorf("locked until %v", d.LockedUntil)
	}
}

func TestDisabledEntities(t *testing.T) {
	n := newNamespace(t)
	q := n.queue(broker.QueueOptions{Name: "q"})
	for status, want := range map[broker.Status]string{
		broker.StatusActive: "send receive", broker.StatusDisabled: "", broker.StatusSendDisabled: " receive", broker.StatusReceiveDisabled: "send ",
	} {
		n.must(n.UpdateQueue(broker.QueueOptions{Name: "q", Status: status}))
		can := ""
		_, err := q.Send(broker.Message{})
		if err == nil {
			can = "send"
		} else if !errors.Is(err, broker.ErrDisabled) {
			t.Error(err)
		}
		_, _, err = q.TryReceive()
		if err == nil {
			can += " receive"
		} else if !errors.Is(err, broker.ErrDisabled) {
			t.Error(err)
		}
		if can != want && can+" " != want {
			t.Errorf("%v allows %q, want %q", status, can, want)
		}
	}
}

func TestManySendersFanOutInOneOrder(t *testing.T) {
	n := newNamespace(t)
	a, b := n.subscribe(broker.SubscriptionOptions{Name: "a"}), n.subscribe(broker.SubscriptionOptions{Name: "b"})
	done := make(chan error)
	const senders, each = 8, 100
	for sender := range senders {
		go func() {
			var err error
			for i := range each {
				if _, e := n.mustTopic().Queue().Send(broker.Message{Body: fmt.Appendf(nil, "%d/%d", sender, i)}); e != nil {
					err = e
				}
			}
			done <- err
		}()
	}
	for range senders {
		n.must(<-done)
	}
	var order []string
	for _, s := range a.All() {
		order = append(order, string(s.Body))
	}
	if len(order) != senders*each {
		t.Errorf("%d messages, want %d", len(order), senders*each)
	}
	n.holds(b, order...)
}

package fakerelay_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"passback/fakerelay"
	"passback/fakerelay/broker"
)

func TestReadConfigOfTheOfficialEmulator(t *testing.T) {
	entities, warnings, err := fakerelay.ReadConfig(strings.NewReader(`{
  "UserConfig": {
    "Namespaces": [{
      "Name": "sbemulatorns",
      "Queues": [{
        "Name": "queue.1", // the first
        "Properties": {
          "DeadLetteringOnMessageExpiration": true, "DefaultMessageTimeToLive": "PT1H", "LockDuration": "PT1M30S",
          "DuplicateDetectionHistoryTimeWindow": "PT20S", "ForwardDeadLetteredMessagesTo": "", "ForwardTo": "sb://x/topic.1",
          "MaxDeliveryCount": 3, "RequiresDuplicateDetection": true, "RequiresSession": false, "Colour": "blue"
        }
      }, {"Name": "plain", "Properties": {"DefaultMessageTimeToLive": "P10675199DT2H48M5.4775807S", "RequiresSession": true}}],
      "Topics": [{
        "Name": "topic.1",
        "Properties": {"DefaultMessageTimeToLive": "PT1H", "DuplicateDetectionHistoryTimeWindow": "PT20S", "RequiresDuplicateDetection": true},
        "Subscriptions": [{
          "Name": "subscription.1",
          "Properties": {
            "DeadLetteringOnMessageExpiration": true, "DefaultMessageTimeToLive": "PT2H", "LockDuration": "PT1M", "MaxDeliveryCount": 4,
            "ForwardDeadLetteredMessagesTo": "plain", "ForwardTo": "", "RequiresSession": false
          },
          "Rules": [{
            "Name": "app-prop-filter-1",
            "Properties": {
              "FilterType": "Correlation",
              "CorrelationFilter": {
                "ContentType": "application/text", "CorrelationId": "id1", "Label": "subject1", "MessageId": "msgid1", "ReplyTo": "someQueue",
                "ReplyToSessionId": "sessionId", "SessionId": "session1", "To": "xyz", "Properties": {"a": "b", "n": 7, "f": 1.5, "yes": true}
              }
            }
          }, {
            "Name": "sql", "Properties": {
              "FilterType": "Sql", "SqlFilter": {"SqlExpression": "sys.MessageId = '123456'"}, "Action": {"SqlExpression": "SET a = 1"}
            }
          }]
        }, {"Name": "subscription.2"}]
      }]
    }],
    "Logging": {"Type": "File"}
  }
}`))
	must(t, err)
	want := fakerelay.Entities{
		Queues: []fakerelay.QueueOptions{{
			Name: "queue.1", LockDuration: 90 * time.Second, MaxDeliveryCount: 3, DefaultTTL: time.Hour, ForwardTo: "topic.1",
			RequiresDuplicateDetection: true, DuplicateWindow: 20 * time.Second, DeadLetterOnExpiration: true,
		}, {Name: "plain", RequiresSession: true}},
		Topics: []fakerelay.Topic{{
			TopicOptions: fakerelay.TopicOptions{
				Name: "topic.1", DefaultTTL: time.Hour, DuplicateWindow: 20 * time.Second, RequiresDuplicateDetection: true,
			},
			Subscriptions: []fakerelay.SubscriptionOptions{{
				Name: "subscription.1", DeadLetterOnExpiration: true, DefaultTTL: 2 * time.Hour, LockDuration: time.Minute,
				MaxDeliveryCount: 4, ForwardDeadLettersTo: "plain",
				Rules: []fakerelay.Rule{{
					Name: "app-prop-filter-1",
					Filter: broker.Filter{Kind: broker.CorrelationFilter, Correlation: broker.Correlation{
						ContentType: "application/text", CorrelationID: "id1", Label: "subject1", MessageID: "msgid1", ReplyTo: "someQueue",
						ReplyToSessionID: "sessionId", SessionID: "session1", To: "xyz",
						Properties: map[string]any{"a": "b", "n": int64(7), "f": 1.5, "yes": true},
					}},
				}, {
					Name:   "sql",
					Filter: broker.Filter{Kind: broker.SQLFilter, SQL: "sys.MessageId = '123456'"},
					Action: broker.Action{SQL: "SET a = 1"},
				}},
			}, {Name: "subscription.2"}},
		}},
	}
	if !reflect.DeepEqual(entities, want) {
		t.Errorf("entities %+v, want %+v", entities, want)
	}
	wantWarnings := []string{"UserConfig.Namespaces[0].Queues[0].Properties.Colour is not known and has no effect"}
	if !slices.Equal(warnings, wantWarnings) {
		t.Errorf("warnings %q, want %q", warnings, wantWarnings)
	}
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Queues: entities.Queues, Topics: entities.Topics})
	if _, err := n.Queue("topic.1/subscriptions/subscription.1"); err != nil {
		t.Error(err)
	}
}

func TestConfiguredForwardingNeedsItsTarget(t *testing.T) {
	_, err := fakerelay.New(fakerelay.Options{Queues: []fakerelay.QueueOptions{{Name: "a", ForwardTo: "b"}}})
	if !errors.Is(err, broker.ErrNotFound) || err.Error() != "a cannot forward to b: no such entity" {
		t.Errorf("got %v", err)
	}
}

func TestReadConfigNamesWhatIsWrong(t *testing.T) {
	for config, want := range map[string]string{
		`[]`:                                    "config: the file is []: must be a JSON object",
		`{"UserConfig": 1}`:                     "config: UserConfig is 1: must be a JSON object",
		inProperties(`"LockDuration": "1 min"`): `config: UserConfig.Namespaces[0].Queues[0].Properties.LockDuration is "1 min": must be an ISO 8601 duration such as "PT1M", or ""`,
		inProperties(`"MaxDeliveryCount": "x"`): `config: UserConfig.Namespaces[0].Queues[0].Properties.MaxDeliveryCount is "x": must be a whole number`,
		`{"UserConfig": {"Namespaces": [{"Topics": [{"Subscriptions": [{"Rules": [{"Properties": {"FilterType": "Fuzzy"}}]}]}]}]}}`:                                                       `config: UserConfig.Namespaces[0].Topics[0].Subscriptions[0].Rules[0].Properties.FilterType is "Fuzzy": must be "Sql" or "Correlation"`,
		`{"UserConfig": {"Namespaces": [{"Topics": [{"Subscriptions": [{"Rules": [{"Properties": {"FilterType": "Correlation", "CorrelationFilter": {"Properties": {"a": []}}}}]}]}]}]}}`: `config: UserConfig.Namespaces[0].Topics[0].Subscriptions[0].Rules[0].Properties.CorrelationFilter.Properties.a is []: must be a string, a number, true or false`,
		inProperties(`"RequiresSession": 1`): `config: UserConfig.Namespaces[0].Queues[0].Properties.RequiresSession is 1: must be true or false`,
	} {
		_, _, err := fakerelay.ReadConfig(strings.NewReader(config))
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", config, err, want)
		}
	}
}

func inProperties(property string) string {
	return `{"UserConfig": {"Namespaces": [{"Queues": [{"Name": "q", "Properties": {` + property + `}}]}]}}`
}

// Whatever the file holds, it is read or refused, and what was read can be made or is refused by name.
func FuzzReadConfig(f *testing.F) {
	f.Add(inProperties(`"LockDuration": "PT1M", "MaxDeliveryCount": 3`))
	f.Add(`{"UserConfig": {"Namespaces": [{"Topics": [{"Name": "t", "Subscriptions": [{"Name": "s", "Rules": [{"Name": "r", "Properties": {"FilterType": "Sql", "SqlFilter": {"SqlExpression": "a = 1"}}}]}]}]}]}} // end`)
	f.Add(`{"a": "//\\"}`)
	f.Fuzz(func(t *testing.T, config string) {
		entities, _, err := fakerelay.ReadConfig(strings.NewReader(config))
		if err != nil {
			return
		}
		b := broker.New(broker.Options{})
		defer b.Close()
		for _, q := range entities.Queues {
			if _, err := b.CreateQueue(q); err != nil && err.Error() == "" {
				t.Error("a refusal says nothing")
			}
		}
		for _, topic := range entities.Topics {
			if _, err := b.CreateTopic(topic.TopicOptions); err != nil {
				continue
			}
			for _, s := range topic.Subscriptions {
				if _, err := b.CreateSubscription(topic.Name, s); err != nil && err.Error() == "" {
					t.Error("a refusal says nothing")
				}
			}
		}
	})
}

// What is written is read back as the same entities, and says what it could not hold.
func TestWrittenConfigIsReadBack(t *testing.T) {
	n := fakerelay.RunOptionsT(t, fakerelay.Options{
		Queues: []fakerelay.QueueOptions{
			{Name: "plain"},
			{Name: "rich", LockDuration: 90 * time.Second, MaxDeliveryCount: 3, DefaultTTL: 36 * time.Hour, RequiresDuplicateDetection: true,
				DuplicateWindow: 20 * time.Second, DeadLetterOnExpiration: true, ForwardDeadLettersTo: "plain"},
			{Name: "sessions", RequiresSession: true},
			{Name: "special", AutoDeleteOnIdle: time.Hour, Status: broker.StatusDisabled},
		},
		Topics: []fakerelay.Topic{{
			TopicOptions: fakerelay.TopicOptions{Name: "news", DefaultTTL: time.Hour, RequiresDuplicateDetection: true},
			Subscriptions: []fakerelay.SubscriptionOptions{
				{Name: "all", ForwardTo: "plain"},
				{Name: "some", LockDuration: 2 * time.Minute, Rules: []fakerelay.Rule{
					{Name: "every", Filter: broker.Filter{Kind: broker.TrueFilter}},
					{Name: "match", Filter: broker.Filter{Kind: broker.CorrelationFilter, Correlation: broker.Correlation{
						Label: "sport", Properties: map[string]any{"n": int64(7), "f": 1.5, "yes": true, "text": "<&>"},
					}}},
					{Name: "sql", Filter: broker.Filter{Kind: broker.SQLFilter, SQL: "n > 3 AND x <> 'y'"}, Action: broker.Action{SQL: "SET a = 1"}},
				}},
			},
		}},
	})
	var file bytes.Buffer
	warnings, err := fakerelay.WriteConfig(&file, n.Entities())
	must(t, err)
	if want := []string{
		"queue special: AutoDeleteOnIdle has no place in a Config.json and is left out",
		"queue special: Status has no place in a Config.json and is left out",
	}; !slices.Equal(warnings, want) {
		t.Errorf("warnings %q, want %q", warnings, want)
	}
	read, unknown, err := fakerelay.ReadConfig(&file)
	must(t, err)
	if len(unknown) > 0 {
		t.Errorf("keys that the reader does not know: %q", unknown)
	}
	want := n.Entities()
	want.Queues[3].AutoDeleteOnIdle, want.Queues[3].Status = 0, broker.StatusActive
	some := want.Topics[0].Subscriptions[1].Rules
	some[0].Filter = broker.Filter{Kind: broker.SQLFilter, SQL: "1=1"} // the file has no other way to say true
	got := fakerelay.RunOptionsT(t, fakerelay.Options{Queues: read.Queues, Topics: read.Topics}).Entities()
	for _, e := range []fakerelay.Entities{got, want} {
		for _, s := range e.Topics[0].Subscriptions {
			for i := range s.Rules {
				s.Rules[i].CreatedAt = time.Time{}
			}
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read back\n%+v, want\n%+v", got, want)
	}
}

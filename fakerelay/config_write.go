package fakerelay

// Writing a Config.json as the official emulator reads it, with every property of each entity. What such a file cannot
// say is named in warnings.

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"passback/fakerelay/broker"
)

// configNamespace is the only one that the official emulator has.
const configNamespace = "sbemulatorns"

type (
	configFile struct {
		UserConfig configUser
	}
	configUser struct {
		Namespaces []configNamespaceEntry
		Logging    struct{ Type string }
	}
	configNamespaceEntry struct {
		Name   string
		Queues []configEntity
		Topics []configTopic
	}
	configEntity struct {
		Name       string
		Properties map[string]any
	}
	configTopic struct {
		configEntity
		Subscriptions []configSubscription
	}
	configSubscription struct {
		configEntity
		Rules []configEntity `json:",omitempty"`
	}
)

// Entities describes what the namespace has now, as Options take it: with defaults filled in, by name, and each
// subscription with its rules.
func (n *Namespace) Entities() Entities {
	b := n.broker()
	e := Entities{Queues: []QueueOptions{}, Topics: []Topic{}}
	for _, name := range b.Queues() {
		if q, err := b.Queue(name); err == nil { // else it was deleted meanwhile
			e.Queues = append(e.Queues, q.Options())
		}
	}
	for _, name := range b.Topics() {
		t, err := b.Topic(name)
		if err != nil {
			continue
		}
		topic := Topic{TopicOptions: t.Options()}
		for _, name := range t.Subscriptions() {
			if s, err := t.Subscription(name); err == nil {
				o := s.Options()
				o.Rules = s.Rules()
				topic.Subscriptions = append(topic.Subscriptions, o)
			}
		}
		e.Topics = append(e.Topics, topic)
	}
	return e
}

// WriteConfig writes entities as a Config.json of the official emulator. Warnings name what such a file cannot say, and
// is left out. Its error is w's.
func WriteConfig(w io.Writer, e Entities) (warnings []string, err error) {
	c := &configWriter{}
	entry := configNamespaceEntry{Name: configNamespace, Queues: []configEntity{}, Topics: []configTopic{}}
	for _, q := range e.Queues {
		entry.Queues = append(entry.Queues, c.queue(q))
	}
	for _, t := range e.Topics {
		entry.Topics = append(entry.Topics, c.topic(t))
	}
	file := configFile{configUser{Namespaces: []configNamespaceEntry{entry}}}
	file.UserConfig.Logging.Type = "File"
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(file); err != nil {
		return c.warnings, fmt.Errorf("write the config: %w", err)
	}
	return c.warnings, nil
}

type configWriter struct{ warnings []string }

// leftOut warns of properties that are not as they are by default and that the file has no key for.
func (c *configWriter) leftOut(what string, properties map[string]bool) {
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if properties[name] {
			c.warnings = append(c.warnings, fmt.Sprintf("%s: %s has no place in a Config.json and is left out", what, name))
		}
	}
}

func (c *configWriter) queue(q QueueOptions) configEntity {
	c.leftOut("queue "+q.Name, map[string]bool{
		"AutoDeleteOnIdle": q.AutoDeleteOnIdle != 0, "Status": q.Status != broker.StatusActive, "MaxMessageSizeInKilobytes": q.MaxMessageKB != 0,
		"UserMetadata": q.UserMetadata != "", "EnablePartitioning": q.Partitioned,
	})
	return configEntity{q.Name, map[string]any{
		"DeadLetteringOnMessageExpiration":    q.DeadLetterOnExpiration,
		"DefaultMessageTimeToLive":            configDuration(q.DefaultTTL),
		"DuplicateDetectionHistoryTimeWindow": configDuration(q.DuplicateWindow),
		"ForwardDeadLetteredMessagesTo":       q.ForwardDeadLettersTo,
		"ForwardTo":                           q.ForwardTo,
		"LockDuration":                        configDuration(q.LockDuration),
		"MaxDeliveryCount":                    q.MaxDeliveryCount,
		"RequiresDuplicateDetection":          q.RequiresDuplicateDetection,
		"RequiresSession":                     q.RequiresSession,
	}}
}

func (c *configWriter) topic(t Topic) configTopic {
	c.leftOut("topic "+t.Name, map[string]bool{
		"AutoDeleteOnIdle": t.AutoDeleteOnIdle != 0, "Status": t.Status != broker.StatusActive, "MaxMessageSizeInKilobytes": t.MaxMessageKB != 0,
		"UserMetadata": t.UserMetadata != "", "EnablePartitioning": t.Partitioned,
	})
	entry := configTopic{configEntity{t.Name, map[string]any{
		"DefaultMessageTimeToLive":            configDuration(t.DefaultTTL),
		"DuplicateDetectionHistoryTimeWindow": configDuration(t.DuplicateWindow),
		"RequiresDuplicateDetection":          t.RequiresDuplicateDetection,
	}}, []configSubscription{}}
	for _, s := range t.Subscriptions {
		entry.Subscriptions = append(entry.Subscriptions, c.subscription(broker.SubscriptionPath(t.Name, s.Name), s))
	}
	return entry
}

// subscription leaves its rules out where they are what a subscription has that the file gives none.
func (c *configWriter) subscription(path string, s SubscriptionOptions) configSubscription {
	c.leftOut("subscription "+path, map[string]bool{
		"AutoDeleteOnIdle": s.AutoDeleteOnIdle != 0, "Status": s.Status != broker.StatusActive, "UserMetadata": s.UserMetadata != "",
		"DeadLetteringOnFilterEvaluationExceptions": s.DeadLetterOnFilterErrors, "having no rule at all": s.Rules != nil && len(s.Rules) == 0,
	})
	entry := configSubscription{configEntity: configEntity{s.Name, map[string]any{
		"DeadLetteringOnMessageExpiration": s.DeadLetterOnExpiration,
		"DefaultMessageTimeToLive":         configDuration(s.DefaultTTL),
		"ForwardDeadLetteredMessagesTo":    s.ForwardDeadLettersTo,
		"ForwardTo":                        s.ForwardTo,
		"LockDuration":                     configDuration(s.LockDuration),
		"MaxDeliveryCount":                 s.MaxDeliveryCount,
		"RequiresSession":                  s.RequiresSession,
	}}}
	if len(s.Rules) == 1 && s.Rules[0].Name == broker.DefaultRule && s.Rules[0].Filter.Kind == broker.TrueFilter && s.Rules[0].Action.SQL == "" {
		return entry
	}
	for _, r := range s.Rules {
		entry.Rules = append(entry.Rules, c.rule(path, r))
	}
	return entry
}

func (c *configWriter) rule(path string, r Rule) configEntity {
	c.leftOut("rule "+r.Name+" of "+path, map[string]bool{
		"Parameters": len(r.Filter.Parameters)+len(r.Action.Parameters) > 0,
	})
	properties := map[string]any{"FilterType": "Sql"}
	switch r.Filter.Kind {
	case broker.CorrelationFilter:
		properties["FilterType"] = "Correlation"
		properties["CorrelationFilter"] = describeCorrelation(r.Filter.Correlation)
	case broker.TrueFilter:
		properties["SqlFilter"] = map[string]string{"SqlExpression": "1=1"}
	case broker.FalseFilter:
		properties["SqlFilter"] = map[string]string{"SqlExpression": "1=0"}
	case broker.SQLFilter:
		properties["SqlFilter"] = map[string]string{"SqlExpression": r.Filter.SQL}
	}
	if r.Action.SQL != "" {
		properties["Action"] = map[string]string{"SqlExpression": r.Action.SQL}
	}
	return configEntity{r.Name, properties}
}

func describeCorrelation(f broker.Correlation) map[string]any {
	all := map[string]any{}
	for key, value := range map[string]string{
		"ContentType": f.ContentType, "CorrelationId": f.CorrelationID, "Label": f.Label, "MessageId": f.MessageID, "ReplyTo": f.ReplyTo,
		"ReplyToSessionId": f.ReplyToSessionID, "SessionId": f.SessionID, "To": f.To,
	} {
		if value != "" {
			all[key] = value
		}
	}
	if len(f.Properties) > 0 {
		all["Properties"] = f.Properties
	}
	return all
}

// configDuration writes none as the file does.
func configDuration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return formatDuration(d)
}

package fakerelay

// com.microsoft:add-rule: {rule-name, rule-description: {sql-filter: {expression} | correlation-filter: {...},
// sql-rule-action?: {expression}}} answers {}. com.microsoft:remove-rule: {rule-name} answers {}.
// com.microsoft:enumerate-rules: {top: int, skip: int} answers {rules: list of {rule-description: described list of
// filter, action, name, creation time}}, or 204 at the end. A subscription's receivers may do this: Listen is enough.

import (
	"errors"
	"fmt"
	"strings"

	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

// Descriptors, as the service has them: those of filters have a digit less.
const (
	codeRule              uint64 = 0x0000013700000004
	codeNoAction          uint64 = 0x0000013700000005
	codeSQLAction         uint64 = 0x0000013700000006
	codeSQLFilter         uint64 = 0x000001370000006
	codeTrueFilter        uint64 = 0x000001370000007
	codeFalseFilter       uint64 = 0x000001370000008
	codeCorrelationFilter uint64 = 0x000001370000009

	compatibility int32 = 20 // the level of the language that the service names

	textNoRules      = "No rules are left."
	textRuleExists   = "The messaging entity '%s:Topic:%s|%s|%s' already exists. To know more visit https://aka.ms/sbResourceMgrExceptions. "
	textRuleNotFound = "The messaging entity '%s:Topic:%s|%s|%s' could not be found. To know more visit https://aka.ms/sbResourceMgrExceptions. "
	textNoRulesHere  = "Only a subscription has rules."
)

// subscription finds whose rules a request is about, and answers where there is none.
func (k *call) subscription() (*broker.Subscription, bool) {
	if k.queue.Kind() != broker.KindSubscription {
		k.refuse(refusal{400, amqp.CondNotAllowed, textNoRulesHere + tracking(k.path)})
		return nil, false
	}
	s, err := k.c.ns.broker().SubscriptionAt(k.queue.Path())
	if err != nil {
		k.fail(err)
		return nil, false
	}
	return s, true
}

func addRule(k *call) {
	s, ok := k.subscription()
	if !ok {
		return
	}
	name, ok := amqp.Lookup[string](k.body, "rule-name")
	if !ok {
		k.badArgument("rule-name")
		return
	}
	description, ok := amqp.Lookup[amqp.Map](k.body, "rule-description")
	if !ok {
		k.badArgument("rule-description")
		return
	}
	rule := broker.Rule{Name: name}
	if rule.Filter, ok = readFilter(description); !ok {
		k.badArgument("rule-description")
		return
	}
	if action, given := amqp.Lookup[amqp.Map](description, "sql-rule-action"); given {
		rule.Action.SQL, _ = amqp.Lookup[string](action, "expression")
	}
	err := s.CreateRule(rule)
	switch {
	case errors.Is(err, broker.ErrExists):
		k.refuse(refusal{409, condEntityExists, k.aboutRule(textRuleExists, s, name)})
	case err != nil:
		k.fail(err)
	default:
		k.ok(amqp.Map{})
	}
}

// aboutRule names a rule as the service does, below the first label of the namespace's host.
func (k *call) aboutRule(text string, s *broker.Subscription, name string) string {
	namespace, _, _ := strings.Cut(k.c.host(), ".")
	return fmt.Sprintf(text, namespace, s.Topic().Name(), s.Name(), name) + tracking(k.path)
}

// readFilter takes one of the two kinds of filters that a client can ask for.
func readFilter(description amqp.Map) (broker.Filter, bool) {
	if sql, ok := amqp.Lookup[amqp.Map](description, "sql-filter"); ok {
		expression, ok := amqp.Lookup[string](sql, "expression")
		return broker.Filter{Kind: broker.SQLFilter, SQL: expression}, ok
	}
	m, ok := amqp.Lookup[amqp.Map](description, "correlation-filter")
	if !ok {
		return broker.Filter{}, false
	}
	f := broker.Filter{Kind: broker.CorrelationFilter}
	for _, field := range correlationFields(&f.Correlation) {
		*field.value, _ = amqp.Lookup[string](m, field.key)
	}
	properties, _ := amqp.Lookup[amqp.Map](m, "properties")
	f.Correlation.Properties = propertiesOf(properties)
	for key, value := range f.Correlation.Properties {
		f.Correlation.Properties[key] = ruleValue(value)
	}
	return f, true
}

type correlationField struct {
	key   string
	value *string
}

// correlationFields are in the order of the described list.
func correlationFields(c *broker.Correlation) []correlationField {
	return []correlationField{
		{"correlation-id", &c.CorrelationID}, {"message-id", &c.MessageID}, {"to", &c.To}, {"reply-to", &c.ReplyTo},
		{"label", &c.Label}, {"session-id", &c.SessionID}, {"reply-to-session-id", &c.ReplyToSessionID},
		{"content-type", &c.ContentType},
	}
}

func removeRule(k *call) {
	s, ok := k.subscription()
	if !ok {
		return
	}
	name, ok := amqp.Lookup[string](k.body, "rule-name")
	if !ok {
		k.badArgument("rule-name")
		return
	}
	err := s.DeleteRule(name)
	switch {
	case errors.Is(err, broker.ErrNotFound):
		k.refuse(refusal{404, condEntityNotFound, k.aboutRule(textRuleNotFound, s, name)})
	case err != nil:
		k.fail(err)
	default:
		k.ok(amqp.Map{})
	}
}

func enumerateRules(k *call) {
	s, ok := k.subscription()
	if !ok {
		return
	}
	skip, ok := amqp.Lookup[int32](k.body, "skip")
	if !ok || skip < 0 {
		k.badArgument("skip")
		return
	}
	top, ok := amqp.Lookup[int32](k.body, "top")
	if !ok || top <= 0 {
		k.badArgument("top")
		return
	}
	rules := s.Rules()
	rules = rules[min(int(skip), len(rules)):]
	rules = rules[:min(int(top), len(rules))]
	if len(rules) == 0 {
		k.answer(refusal{status: 204, text: textNoRules}, amqp.Map{})
		return
	}
	var list amqp.List
	for _, r := range rules {
		list = append(list, amqp.Map{{Key: "rule-description", Value: describedRule(r)}})
	}
	k.ok(amqp.Map{{Key: "rules", Value: list}})
}

func describedRule(r broker.Rule) amqp.Described {
	action := amqp.Described{Descriptor: codeNoAction, Value: amqp.List{}}
	if r.Action.SQL != "" {
		action = amqp.Described{Descriptor: codeSQLAction, Value: amqp.List{r.Action.SQL, compatibility}}
	}
	return amqp.Described{Descriptor: codeRule, Value: amqp.List{describedFilter(r.Filter), action, r.Name, r.CreatedAt}}
}

func describedFilter(f broker.Filter) amqp.Described {
	switch f.Kind {
	case broker.SQLFilter:
		return amqp.Described{Descriptor: codeSQLFilter, Value: amqp.List{f.SQL, compatibility}}
	case broker.FalseFilter:
		return amqp.Described{Descriptor: codeFalseFilter, Value: amqp.List{}}
	case broker.CorrelationFilter:
		var list amqp.List
		for _, field := range correlationFields(&f.Correlation) {
			var value any
			if *field.value != "" {
				value = *field.value
			}
			list = append(list, value)
		}
		return amqp.Described{Descriptor: codeCorrelationFilter, Value: append(list, changedProperties(nil, f.Correlation.Properties))}
	case broker.TrueFilter:
	}
	return amqp.Described{Descriptor: codeTrueFilter, Value: amqp.List{}}
}

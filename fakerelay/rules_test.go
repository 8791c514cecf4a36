package fakerelay_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"passback/fakerelay"
	"passback/fakerelay/broker"
)

// ruleManager asks $management of the subscription "s" as the SDKs of other languages do; Go's cannot.
type ruleManager struct {
	t        *testing.T
	sender   *amqp.Sender
	receiver *amqp.Receiver
}

func newRuleManager(t *testing.T, n *fakerelay.Namespace, node string) ruleManager {
	t.Helper()
	_, session := rawSession(t, n)
	k := newKey(fakerelay.Listen)
	must(t, n.SetKey("", k))
	sender, receiver := rawLinks(t, session, "$cbs", nil)
	token := signed(n, k, node, time.Now().Add(time.Hour))
	must(t, sender.Send(within(t), putToken(token, "amqp://"+n.AMQPAddr()+"/"+node, "1", nil), nil))
	reply, err := receiver.Receive(within(t), nil)
	must(t, err)
	if reply.ApplicationProperties["status-code"] != int32(202) {
		t.Fatalf("put-token answered %v", reply.ApplicationProperties)
	}
	sender, receiver = rawLinks(t, session, node+"/$management", nil)
	return ruleManager{t, sender, receiver}
}

// ask returns the status, "200" or with its condition, and the body.
func (m ruleManager) ask(operation string, body map[string]any) (string, map[string]any) {
	m.t.Helper()
	must(m.t, m.sender.Send(within(m.t), &amqp.Message{
		Properties:            &amqp.MessageProperties{MessageID: "m"},
		ApplicationProperties: map[string]any{"operation": "com.microsoft:" + operation}, Value: body,
	}, nil))
	reply, err := m.receiver.Receive(within(m.t), nil)
	must(m.t, err)
	status := fmt.Sprint(reply.ApplicationProperties["statusCode"])
	if condition, refused := reply.ApplicationProperties["errorCondition"]; refused {
		status += fmt.Sprintf(" %v: %v", condition, reply.ApplicationProperties["statusDescription"])
	}
	answer, _ := reply.Value.(map[string]any)
	return status, answer
}

// rules lists each as [filter's descriptor, filter's fields, action's descriptor, action's fields, name].
func (m ruleManager) rules(skip, top int32) [][]any {
	m.t.Helper()
	status, answer := m.ask("enumerate-rules", map[string]any{"skip": skip, "top": top})
	if status == "204" {
		return nil
	}
	var found [][]any
	list, _ := answer["rules"].([]any)
	for _, each := range list {
		code, rule := described(each.(map[string]any)["rule-description"])
		fields := rule.([]any)
		if code != uint64(0x13700000004) || len(fields) != 4 || fields[3].(time.Time).IsZero() {
			m.t.Errorf("a rule is described as %v %v", code, rule)
		}
		filterCode, filter := described(fields[0])
		actionCode, action := described(fields[1])
		found = append(found, []any{filterCode, filter, actionCode, action, fields[2]})
	}
	return found
}

// described takes a described value apart, whose type go-amqp keeps to itself.
func described(v any) (descriptor, value any) {
	d := reflect.Indirect(reflect.ValueOf(v))
	return d.FieldByName("Descriptor").Interface(), d.FieldByName("Value").Interface()
}

func TestRulesByManagement(t *testing.T) {
	w := newTopicWorld(t, fakerelay.SubscriptionOptions{Name: "s"})
	m := newRuleManager(t, w.Namespace, "orders/Subscriptions/s")
	const noAction, sqlAction, sql, correlation = uint64(0x13700000005), uint64(0x13700000006), uint64(0x1370000006), uint64(0x1370000009)
	add := func(name string, description map[string]any) string {
		status, _ := m.ask("add-rule", map[string]any{"rule-name": name, "rule-description": description})
		return status
	}
	for name, description := range map[string]map[string]any{
		"sql": {"sql-filter": map[string]any{"expression": "color = 'red'"}, "sql-rule-action": map[string]any{"expression": "SET n = 2"}},
		"who": {"correlation-filter": map[string]any{"correlation-id": "c", "label": nil, "properties": map[string]any{"color": "blue"}}},
	} {
		if status := add(name, description); status != "200" {
			t.Errorf("add-rule %s: %s", name, status)
		}
	}
	all := [][]any{
		{uint64(0x1370000007), []any{}, noAction, []any{}, "$Default"},
		{sql, []any{"color = 'red'", int32(20)}, sqlAction, []any{"SET n = 2", int32(20)}, "sql"},
		{correlation, []any{"c", nil, nil, nil, nil, nil, nil, nil, map[string]any{"color": "blue"}}, noAction, []any{}, "who"},
	}
	if found := m.rules(0, 100); fmt.Sprint(found) != fmt.Sprint(all) {
		t.Errorf("enumerate-rules tells %v, want %v", found, all)
	}
	if found := m.rules(1, 1); fmt.Sprint(found) != fmt.Sprint(all[1:2]) {
		t.Errorf("the second rule is %v", found)
	}
	if found := m.rules(3, 1); found != nil {
		t.Errorf("after the last rule there is %v", found)
	}
	if status, _ := m.ask("remove-rule", map[string]any{"rule-name": "$Default"}); status != "200" {
		t.Errorf("remove-rule: %s", status)
	}
	id := "c"
	for _, color := range []string{"red", "blue", "green"} {
		message := body(color)
		message.CorrelationID, message.ApplicationProperties = &id, map[string]any{"color": color}
		w.send(message)
	}
	q, err := w.Queue("orders/Subscriptions/s")
	must(t, err)
	if q.Count() != 2 {
		t.Errorf("%d messages were selected, want the red and the blue one", q.Count())
	}
}

func TestRuleRequestsThatAreRefused(t *testing.T) {
	w := newTopicWorld(t, fakerelay.SubscriptionOptions{Name: "s"})
	must(t, w.CreateRule("orders", "s", fakerelay.Rule{Name: "there"}))
	must(t, w.CreateQueue(fakerelay.QueueOptions{Name: "q"}))
	m := newRuleManager(t, w.Namespace, "orders/Subscriptions/s")
	sql := func(expression any) map[string]any {
		return map[string]any{"sql-filter": map[string]any{"expression": expression}}
	}
	for _, c := range []struct {
		operation string
		body      map[string]any
		want      string
	}{
		{"add-rule", map[string]any{"rule-name": "there", "rule-description": sql("1=1")}, "409 com.microsoft:entity-already-exists: The messaging entity '127:Topic:orders|s|there' already exists. To know more visit https://aka.ms/sbResourceMgrExceptions."},
		{"add-rule", map[string]any{"rule-name": "bad", "rule-description": sql("1=")}, "400 com.microsoft:argument-error: the filter of rule bad: the rule is not valid: at character 3: "},
		{"add-rule", map[string]any{"rule-name": "bad", "rule-description": sql(int32(1))}, "400 com.microsoft:argument-error: The argument 'rule-description' is missing"},
		{"add-rule", map[string]any{"rule-name": "bad", "rule-description": map[string]any{}}, "400 com.microsoft:argument-error: The argument 'rule-description' is missing"},
		{"add-rule", map[string]any{"rule-name": "bad"}, "400 com.microsoft:argument-error: The argument 'rule-description' is missing"},
		{"add-rule", map[string]any{"rule-name": int32(1)}, "400 com.microsoft:argument-error: The argument 'rule-name' is missing"},
		{"remove-rule", map[string]any{"rule-name": "missing"}, "404 com.microsoft:entity-not-found: The messaging entity '127:Topic:orders|s|missing' could not be found. To know more visit https://aka.ms/sbResourceMgrExceptions."},
		{"remove-rule", map[string]any{}, "400 com.microsoft:argument-error: The argument 'rule-name' is missing"},
		{"enumerate-rules", map[string]any{"skip": int32(-1), "top": int32(1)}, "400 com.microsoft:argument-error: The argument 'skip' is missing"},
		{"enumerate-rules", map[string]any{"skip": int32(0), "top": int32(0)}, "400 com.microsoft:argument-error: The argument 'top' is missing"},
	} {
		status, _ := m.ask(c.operation, c.body)
		if len(status) < len(c.want) || status[:len(c.want)] != c.want {
			t.Errorf("%s %v: got %s, want %s", c.operation, c.body, status, c.want)
		}
	}
	if s, err := w.Queue(broker.SubscriptionPath("orders", "s")); err != nil || s.Count() != 0 {
		t.Errorf("the subscription is %v, %v", s, err)
	}
	status, _ := newRuleManager(t, w.Namespace, "q").ask("enumerate-rules", map[string]any{"skip": int32(0), "top": int32(1)})
	if want := "400 amqp:not-allowed: Only a subscription has rules."; status[:len(want)] != want {
		t.Errorf("rules of a queue: %s", status)
	}
}

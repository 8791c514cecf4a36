package fakerelay_test

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus/admin"

	"passback/fakerelay"
)

func TestAdministratorMakesTopicsThatDistribute(t *testing.T) {
	n := fakerelay.RunT(t)
	a := administrator(t, n, nil)
	_, err := a.CreateTopic(within(t), "news", &admin.CreateTopicOptions{Properties: &admin.TopicProperties{DefaultMessageTimeToLive: new("PT3M")}})
	must(t, err)
	_, err = a.CreateSubscription(within(t), "news", "all", nil)
	must(t, err)
	_, err = a.CreateSubscription(within(t), "news", "red", &admin.CreateSubscriptionOptions{Properties: &admin.SubscriptionProperties{
		DefaultRule: &admin.RuleProperties{Filter: &admin.SQLFilter{Expression: "colour = @wanted", Parameters: map[string]any{"@wanted": "red"}}},
	}})
	must(t, err)
	c := transports["AMQP over TLS"](t, n)
	s := newSender(t, c, "news")
	for _, colour := range []string{"blue", "red"} {
		send(t, s, &azservicebus.Message{Body: []byte(colour), ApplicationProperties: map[string]any{"colour": colour}})
	}
	about, err := a.GetSubscriptionRuntimeProperties(within(t), "news", "red", nil)
	must(t, err)
	if about.ActiveMessageCount != 1 {
		t.Errorf("%d messages are red, want 1", about.ActiveMessageCount)
	}
	topic, err := a.GetTopicRuntimeProperties(within(t), "news", nil)
	must(t, err)
	if topic.SubscriptionCount != 2 || topic.SQLFilterCount != 2 || topic.CorrelationFilterCount != 0 {
		t.Errorf("%d subscriptions, %d SQL and %d correlation filters; want 2, 2, 0", topic.SubscriptionCount, topic.SQLFilterCount, topic.CorrelationFilterCount)
	}
	r, err := c.NewReceiverForSubscription("news", "red", nil)
	must(t, err)
	if m := receive(t, r); string(m.Body) != "red" {
		t.Errorf("received %q", m.Body)
	}
	_, err = a.DeleteTopic(within(t), "news", nil)
	must(t, err)
	if s, err := a.GetSubscription(within(t), "news", "red", nil); s != nil || err != nil {
		t.Errorf("the subscription of a deleted topic: %v, %v; want nothing", s, err)
	}
}

func TestRulesComeBackAsTheyWere(t *testing.T) {
	n := fakerelay.RunT(t)
	a := administrator(t, n, nil)
	must(t, n.CreateTopic(fakerelay.TopicOptions{Name: "t"}))
	must(t, n.CreateSubscription("t", fakerelay.SubscriptionOptions{Name: "s"}))
	values := map[string]any{
		"@text": "a < b & 'c'", "@whole": int64(1) << 20, "@fraction": 0.1, "@truth": true, "@instant": time.Date(2001, 1, 1, 1, 2, 3, 0, time.UTC),
	}
	want := []admin.RuleProperties{
		{Name: "$Default", Filter: &admin.TrueFilter{}},
		{Name: "action", Filter: &admin.TrueFilter{}, Action: &admin.SQLAction{Expression: "SET x = @text", Parameters: values}},
		{Name: "correlation", Filter: &admin.CorrelationFilter{Subject: new("s"), ApplicationProperties: map[string]any{"p": "v"}}},
		{Name: "no", Filter: &admin.FalseFilter{}},
		{Name: "sql", Filter: &admin.SQLFilter{Expression: "x > 1 AND y = @fraction", Parameters: values}},
	}
	for _, rule := range want[1:] {
		_, err := a.CreateRule(within(t), "t", "s", &admin.CreateRuleOptions{Name: &rule.Name, Filter: rule.Filter, Action: rule.Action})
		must(t, err)
	}
	page, err := a.NewListRulesPager("t", "s", nil).NextPage(within(t))
	must(t, err)
	if !reflect.DeepEqual(page.Rules, want) {
		t.Errorf("the rules are %+v, want %+v", page.Rules, want)
	}
	_, err = a.UpdateRule(within(t), "t", "s", admin.RuleProperties{Name: "no", Filter: &admin.TrueFilter{}})
	must(t, err)
	updated, err := a.GetRule(within(t), "t", "s", "no", nil)
	must(t, err)
	if _, is := updated.Filter.(*admin.TrueFilter); !is {
		t.Errorf("the updated filter is %T", updated.Filter)
	}
	_, err = a.DeleteRule(within(t), "t", "s", "no", nil)
	must(t, err)
	if gone, err := a.GetRule(within(t), "t", "s", "no", nil); gone != nil || err != nil {
		t.Errorf("a deleted rule: %v, %v; want nothing", gone, err)
	}
}

func TestTopicsAndRulesAreRefusedInTheirOwnWords(t *testing.T) {
	n := fakerelay.RunT(t)
	a := administrator(t, n, nil)
	must(t, n.CreateTopic(fakerelay.TopicOptions{Name: "t"}))
	must(t, n.CreateSubscription("t", fakerelay.SubscriptionOptions{Name: "s"}))
	_, err := a.UpdateTopic(within(t), "t", admin.TopicProperties{EnablePartitioning: new(true)}, nil)
	refusedWith(t, err, http.StatusBadRequest, "Partitioning cannot be changed for Topic. ")
	_, err = a.UpdateSubscription(within(t), "t", "s", admin.SubscriptionProperties{RequiresSession: new(true)}, nil)
	refusedWith(t, err, http.StatusBadRequest, "The value for the RequiresSession property of an existing Subscription cannot be changed")
	_, err = a.CreateSubscription(within(t), "nothing", "s", nil)
	refusedWith(t, err, http.StatusNotFound, "SubCode=40400")
	_, err = a.CreateSubscription(within(t), "t", "s", nil)
	refusedWith(t, err, http.StatusConflict, "SubCode=40900")
	_, err = a.CreateRule(within(t), "t", "s", &admin.CreateRuleOptions{Name: new("$Default"), Filter: &admin.TrueFilter{}})
	refusedWith(t, err, http.StatusConflict, "SubCode=40900")
	_, err = a.CreateRule(within(t), "t", "s", &admin.CreateRuleOptions{Name: new("r"), Filter: &admin.SQLFilter{Expression: "x = ("}})
	refusedWith(t, err, http.StatusBadRequest, "r")
	_, err = a.UpdateRule(within(t), "t", "s", admin.RuleProperties{Name: "nothing", Filter: &admin.TrueFilter{}})
	refusedWith(t, err, http.StatusNotFound, "SubCode=40400")
	_, err = a.NewListSubscriptionsPager("nothing", nil).NextPage(within(t))
	refusedWith(t, err, http.StatusNotFound, "SubCode=40400")
}

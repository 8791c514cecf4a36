package fakerelay

// Rules of subscriptions in the management API: RuleDescription.

import (
	"encoding/xml"
	"fmt"
	"net/http"

	"passback/fakerelay/broker"
)

type (
	ruleDescription struct {
		XMLName xml.Name `xml:"RuleDescription"`
		atomSchemas
		ruleFields
	}
	// ruleFields are those of a DefaultRuleDescription too.
	ruleFields struct {
		Filter    *filterDescription
		Action    *actionDescription
		CreatedAt *xmlTime
		Name      string
	}
)

func (c *atomCall) ruleEntry(r broker.Rule) atomEntry {
	at := c.at
	at.kind, at.rule = atomRule, r.Name
	facts := broker.Facts{CreatedAt: r.CreatedAt, UpdatedAt: r.CreatedAt}
	return c.newEntry(at.String(), r.Name, facts, &ruleDescription{
		atomSchemas: entitySchemas,
		ruleFields: ruleFields{
			Filter: describeFilter(r.Filter), Action: describeAction(r.Action),
			CreatedAt: new(xmlTime(r.CreatedAt)), Name: r.Name,
		},
	})
}

// rule reads a description; name is that of one without.
func (d *ruleFields) rule(name string) (broker.Rule, error) {
	rule := broker.Rule{Name: d.Name}
	if rule.Name == "" {
		rule.Name = name
	}
	var err error
	if rule.Filter, err = d.Filter.filter(); err != nil {
		return rule, err
	}
	rule.Action, err = d.Action.action()
	return rule, err
}

func (c *atomCall) subscribed() (*broker.Subscription, error) {
	s, err := c.ns.broker().Subscription(c.at.name, c.at.subscription)
	if err != nil {
		return nil, fmt.Errorf("find the subscription: %w", err)
	}
	return s, nil
}

func (c *atomCall) listRules() (atomAnswer, error) {
	if err := c.permits("EnumerateRules"); err != nil {
		return atomAnswer{}, err
	}
	s, err := c.subscribed()
	if err != nil {
		return atomAnswer{}, err
	}
	rules := s.Rules()
	names := make([]string, len(rules))
	byName := make(map[string]broker.Rule, len(rules))
	for i, r := range rules {
		names[i], byName[r.Name] = r.Name, r
	}
	return c.answerFeed("Rules", names, func(name string) (atomEntry, bool) { return c.ruleEntry(byName[name]), true })
}

func (c *atomCall) getRule() (atomAnswer, error) {
	if err := c.permits("GetRule"); err != nil {
		return atomAnswer{}, err
	}
	s, err := c.subscribed()
	if err != nil {
		return atomAnswer{}, err
	}
	r, err := s.Rule(c.at.rule)
	if err != nil {
		return atomAnswer{}, fmt.Errorf("get a rule: %w", err)
	}
	return atomAnswer{status: http.StatusOK, entry: new(c.ruleEntry(r))}, nil
}

func (c *atomCall) putRule() (atomAnswer, error) {
	if err := c.permits("CreateOrUpdateRule"); err != nil {
		return atomAnswer{}, err
	}
	s, err := c.subscribed()
	if err != nil {
		return atomAnswer{}, err
	}
	body, err := c.readBody()
	if err != nil {
		return atomAnswer{}, err
	}
	if body.Content.Rule == nil {
		return atomAnswer{}, badRequest(fmt.Sprintf(textNoDescription, "RuleDescription"))
	}
	rule, err := body.Content.Rule.rule(broker.DefaultRule)
	if err != nil {
		return atomAnswer{}, err
	}
	if c.at.kind == atomRule {
		rule.Name = c.at.rule
	}
	put := s.CreateRule
	if c.updates() {
		put = s.UpdateRule
	}
	if err := put(rule); err != nil {
		return atomAnswer{}, putError(err, rule.Name, "Rule")
	}
	if rule, err = s.Rule(rule.Name); err != nil {
		return atomAnswer{}, fmt.Errorf("put a rule: %w", err)
	}
	return c.answerEntry(c.ruleEntry(rule)), nil
}

func (c *atomCall) deleteRule() (atomAnswer, error) {
	if err := c.permits("DeleteRule"); err != nil {
		return atomAnswer{}, err
	}
	s, err := c.subscribed()
	if err != nil {
		return atomAnswer{}, err
	}
	if err := s.DeleteRule(c.at.rule); err != nil {
		return atomAnswer{}, fmt.Errorf("delete a rule: %w", err)
	}
	return atomAnswer{status: http.StatusOK}, nil
}

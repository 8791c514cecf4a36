package fakerelay

// Subscriptions in the management API: SubscriptionDescription.

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"time"

	"passback/fakerelay/broker"
)

// subscriptionDescription is a subscription in requests, where what is missing takes its default, and in answers.
type subscriptionDescription struct {
	XMLName xml.Name `xml:"SubscriptionDescription"`
	atomSchemas
	LockDuration                              *xmlDuration
	RequiresSession                           *bool
	DefaultMessageTimeToLive                  *xmlDuration
	DeadLetteringOnMessageExpiration          *bool
	DeadLetteringOnFilterEvaluationExceptions *bool
	DefaultRuleDescription                    *ruleFields // of requests only
	MessageCount                              *int
	MaxDeliveryCount                          *int
	EnableBatchedOperations                   *bool
	Status                                    *string
	ForwardTo                                 *string
	CreatedAt                                 *xmlTime
	UpdatedAt                                 *xmlTime
	AccessedAt                                *xmlTime
	UserMetadata                              *string
	CountDetails                              *countDetails
	ForwardDeadLetteredMessagesTo             *string
	AutoDeleteOnIdle                          *xmlDuration
	EntityAvailabilityStatus                  *string
}

func (c *atomCall) subscriptionEntry(s *broker.Subscription) atomEntry {
	o, facts := s.Options(), s.Queue().Facts()
	if facts.AccessedAt.IsZero() {
		facts.AccessedAt = facts.CreatedAt // a subscription begins with its rule
	}
	return c.newEntry(s.Queue().Path(), s.Name(), facts, &subscriptionDescription{
		atomSchemas:                               entitySchemas,
		LockDuration:                              new(xmlDuration(o.LockDuration)),
		RequiresSession:                           &o.RequiresSession,
		DefaultMessageTimeToLive:                  noneAsForever(o.DefaultTTL),
		DeadLetteringOnMessageExpiration:          &o.DeadLetterOnExpiration,
		DeadLetteringOnFilterEvaluationExceptions: &o.DeadLetterOnFilterErrors,
		MessageCount:                              new(facts.Total()),
		MaxDeliveryCount:                          &o.MaxDeliveryCount,
		EnableBatchedOperations:                   new(!o.Unbatched),
		Status:                                    new(o.Status.String()),
		ForwardTo:                                 c.forwardURL(o.ForwardTo, o.ForwardToURL),
		CreatedAt:                                 new(xmlTime(facts.CreatedAt)),
		UpdatedAt:                                 new(xmlTime(facts.UpdatedAt)),
		AccessedAt:                                new(xmlTime(facts.AccessedAt)),
		UserMetadata:                              optional(o.UserMetadata),
		CountDetails:                              describeCounts(facts),
		ForwardDeadLetteredMessagesTo:             c.forwardURL(o.ForwardDeadLettersTo, o.ForwardDeadLettersToURL),
		AutoDeleteOnIdle:                          noneAsForever(o.AutoDeleteOnIdle),
		EntityAvailabilityStatus:                  new(available),
	})
}

func (c *atomCall) subscriptionOptions(d *subscriptionDescription) (o broker.SubscriptionOptions, err error) {
	o = broker.SubscriptionOptions{
		Name:                   c.at.subscription,
		LockDuration:           time.Duration(given(d.LockDuration)),
		MaxDeliveryCount:       given(d.MaxDeliveryCount),
		DefaultTTL:             foreverAsNone(d.DefaultMessageTimeToLive),
		RequiresSession:        given(d.RequiresSession),
		DeadLetterOnExpiration: given(d.DeadLetteringOnMessageExpiration),
		DeadLetterOnFilterErrors: d.DeadLetteringOnFilterEvaluationExceptions == nil ||
			*d.DeadLetteringOnFilterEvaluationExceptions,
		AutoDeleteOnIdle: foreverAsNone(d.AutoDeleteOnIdle),
		Descriptive: broker.Descriptive{
			UserMetadata: given(d.UserMetadata),
			Unbatched:    d.EnableBatchedOperations != nil && !*d.EnableBatchedOperations,
			ForwardToURL: given(d.ForwardTo), ForwardDeadLettersToURL: given(d.ForwardDeadLetteredMessagesTo),
		},
	}
	if d.DefaultRuleDescription != nil {
		rule, err := d.DefaultRuleDescription.rule(broker.DefaultRule)
		if err != nil {
			return o, err
		}
		o.Rules = []broker.Rule{rule}
	}
	if o.Status, err = readStatus(d.Status); err != nil {
		return o, err
	}
	if o.ForwardTo, err = c.readForward(d.ForwardTo, headerForward); err != nil {
		return o, err
	}
	o.ForwardDeadLettersTo, err = c.readForward(d.ForwardDeadLetteredMessagesTo, headerForwardDeadLetters)
	return o, err
}

// permits refuses who does not hold the Manage right, in the words of what is below topics.
func (c *atomCall) permits(operation string) error {
	return c.manages(fmt.Sprintf(textSubCode, operation, c.r.Host, c.at))
}

func (c *atomCall) listSubscriptions() (atomAnswer, error) {
	if err := c.permits("EnumerateSubscriptions"); err != nil {
		return atomAnswer{}, err
	}
	t, err := c.ns.broker().Topic(c.at.name)
	if err != nil {
		return atomAnswer{}, fmt.Errorf("list subscriptions: %w", err)
	}
	return c.answerFeed("Subscriptions", t.Subscriptions(), func(name string) (atomEntry, bool) {
		s, err := t.Subscription(name)
		if err != nil {
			return atomEntry{}, false
		}
		return c.subscriptionEntry(s), true
	})
}

func (c *atomCall) getSubscription() (atomAnswer, error) {
	if err := c.permits("GetSubscription"); err != nil {
		return atomAnswer{}, err
	}
	s, err := c.ns.broker().Subscription(c.at.name, c.at.subscription)
	if err != nil {
		return atomAnswer{}, fmt.Errorf("get a subscription: %w", err)
	}
	return atomAnswer{status: http.StatusOK, entry: new(c.subscriptionEntry(s))}, nil
}

func (c *atomCall) putSubscription() (atomAnswer, error) {
	if err := c.permits("CreateOrUpdateSubscription"); err != nil {
		return atomAnswer{}, err
	}
	body, err := c.readBody()
	if err != nil {
		return atomAnswer{}, err
	}
	if body.Content.Subscription == nil {
		return atomAnswer{}, badRequest(fmt.Sprintf(textNoDescription, "SubscriptionDescription"))
	}
	o, err := c.subscriptionOptions(body.Content.Subscription)
	if err != nil {
		return atomAnswer{}, err
	}
	put := c.ns.CreateSubscription
	if c.updates() {
		put = c.ns.UpdateSubscription
	}
	if err := put(c.at.name, o); err != nil {
		return atomAnswer{}, putError(err, c.at.String(), "Subscription")
	}
	s, err := c.ns.broker().Subscription(c.at.name, o.Name)
	if err != nil {
		return atomAnswer{}, fmt.Errorf("put a subscription: %w", err)
	}
	return c.answerEntry(c.subscriptionEntry(s)), nil
}

func (c *atomCall) deleteSubscription() (atomAnswer, error) {
	if err := c.permits("DeleteSubscription"); err != nil {
		return atomAnswer{}, err
	}
	if err := c.ns.DeleteSubscription(c.at.name, c.at.subscription); err != nil {
		return atomAnswer{}, err
	}
	return atomAnswer{status: http.StatusOK}, nil
}

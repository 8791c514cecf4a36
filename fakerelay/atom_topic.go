package fakerelay

// Topics in the management API: TopicDescription.

import (
	"encoding/xml"
	"fmt"
	"time"

	"passback/fakerelay/broker"
)

// topicDescription is a topic in requests, where what is missing takes its default, and in answers.
type topicDescription struct {
	XMLName xml.Name `xml:"TopicDescription"`
	atomSchemas
	DefaultMessageTimeToLive            *xmlDuration
	MaxSizeInMegabytes                  *int64
	RequiresDuplicateDetection          *bool
	DuplicateDetectionHistoryTimeWindow *xmlDuration
	EnableBatchedOperations             *bool
	SizeInBytes                         *int64
	FilteringMessagesBeforePublishing   *bool
	IsAnonymousAccessible               *bool
	AuthorizationRules                  *authorizationRules
	Status                              *string
	UserMetadata                        *string
	CreatedAt                           *xmlTime
	UpdatedAt                           *xmlTime
	AccessedAt                          *xmlTime
	SupportOrdering                     *bool
	CountDetails                        *countDetails
	SubscriptionCount                   *int
	AutoDeleteOnIdle                    *xmlDuration
	EnablePartitioning                  *bool
	EntityAvailabilityStatus            *string
	EnableSubscriptionPartitioning      *bool
	EnableExpress                       *bool
	MaxMessageSizeInKilobytes           *int64
	SQLFilterCount                      *int `xml:"SqlFilterCount"` // TrueFilter and FalseFilter too
	CorrelationFilterCount              *int
}

func (c *atomCall) topicEntry(t *broker.Topic) atomEntry {
	o, facts := t.Options(), t.Facts()
	return c.newEntry(t.Name(), t.Name(), facts.Facts, &topicDescription{
		atomSchemas:                         entitySchemas,
		DefaultMessageTimeToLive:            noneAsForever(o.DefaultTTL),
		MaxSizeInMegabytes:                  new(o.MaxSize >> 20),
		RequiresDuplicateDetection:          &o.RequiresDuplicateDetection,
		DuplicateDetectionHistoryTimeWindow: new(xmlDuration(o.DuplicateWindow)),
		EnableBatchedOperations:             new(!o.Unbatched),
		SizeInBytes:                         &facts.Size,
		FilteringMessagesBeforePublishing:   new(false),
		IsAnonymousAccessible:               new(false),
		AuthorizationRules:                  c.ns.describeRules(t.Name()),
		Status:                              new(o.Status.String()),
		UserMetadata:                        optional(o.UserMetadata),
		CreatedAt:                           new(xmlTime(facts.CreatedAt)),
		UpdatedAt:                           new(xmlTime(facts.UpdatedAt)),
		AccessedAt:                          new(xmlTime(facts.AccessedAt)),
		SupportOrdering:                     &o.Ordering,
		CountDetails:                        describeCounts(facts.Facts),
		SubscriptionCount:                   &facts.Subscriptions,
		AutoDeleteOnIdle:                    noneAsForever(o.AutoDeleteOnIdle),
		EnablePartitioning:                  &o.Partitioned,
		EntityAvailabilityStatus:            new(available),
		EnableSubscriptionPartitioning:      new(false),
		EnableExpress:                       &o.Express,
		MaxMessageSizeInKilobytes:           c.messageSize(o.MaxMessageKB),
		SQLFilterCount:                      &facts.SQLFilters,
		CorrelationFilterCount:              &facts.CorrelationFilters,
	})
}

func (c *atomCall) topicOptions(d *topicDescription) (o broker.TopicOptions, err error) {
	o = broker.TopicOptions{
		Name:                       c.at.name,
		DefaultTTL:                 foreverAsNone(d.DefaultMessageTimeToLive),
		RequiresDuplicateDetection: given(d.RequiresDuplicateDetection),
		DuplicateWindow:            time.Duration(given(d.DuplicateDetectionHistoryTimeWindow)),
		AutoDeleteOnIdle:           foreverAsNone(d.AutoDeleteOnIdle),
		MaxSize:                    readSize(d.MaxSizeInMegabytes, given(d.EnablePartitioning)),
		Descriptive: broker.Descriptive{
			UserMetadata: given(d.UserMetadata),
			Partitioned:  given(d.EnablePartitioning),
			Unbatched:    d.EnableBatchedOperations != nil && !*d.EnableBatchedOperations,
			Ordering:     readOrdering(d.SupportOrdering, d.EnablePartitioning),
			Express:      given(d.EnableExpress),
		},
	}
	if o.Status, err = readStatus(d.Status); err != nil {
		return o, err
	}
	o.MaxMessageKB, err = c.readMessageSize(d.MaxMessageSizeInKilobytes)
	return o, err
}

func (c *atomCall) putTopic(d *topicDescription) (atomAnswer, error) {
	o, err := c.topicOptions(d)
	if err != nil {
		return atomAnswer{}, err
	}
	keys, err := d.AuthorizationRules.keys()
	if err != nil {
		return atomAnswer{}, err
	}
	put := c.ns.CreateTopic
	if c.updates() {
		put = c.ns.UpdateTopic
	}
	if err := put(o); err != nil {
		return atomAnswer{}, putError(err, o.Name, "Topic")
	}
	if err := c.setKeys(d.AuthorizationRules, keys); err != nil {
		return atomAnswer{}, err
	}
	t, err := c.ns.broker().Topic(o.Name)
	if err != nil {
		return atomAnswer{}, fmt.Errorf("put a topic: %w", err)
	}
	return c.answerEntry(c.topicEntry(t)), nil
}

func (c *atomCall) listTopics() (atomAnswer, error) {
	if err := c.manages(textNeedsRead); err != nil {
		return atomAnswer{}, err
	}
	return c.answerFeed("Topics", c.ns.broker().Topics(), func(name string) (atomEntry, bool) {
		t, err := c.ns.broker().Topic(name)
		if err != nil {
			return atomEntry{}, false
		}
		return c.topicEntry(t), true
	})
}

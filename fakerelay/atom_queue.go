package fakerelay

// Queues in the management API: QueueDescription.

import (
	"encoding/xml"
	"fmt"
	"time"

	"passback/fakerelay/broker"
)

// queueDescription is a queue in requests, where what is missing takes its default, and in answers.
type queueDescription struct {
	XMLName xml.Name `xml:"QueueDescription"`
	atomSchemas
	LockDuration                        *xmlDuration
	MaxSizeInMegabytes                  *int64
	RequiresDuplicateDetection          *bool
	RequiresSession                     *bool
	DefaultMessageTimeToLive            *xmlDuration
	DeadLetteringOnMessageExpiration    *bool
	DuplicateDetectionHistoryTimeWindow *xmlDuration
	MaxDeliveryCount                    *int
	EnableBatchedOperations             *bool
	SizeInBytes                         *int64
	MessageCount                        *int
	IsAnonymousAccessible               *bool
	AuthorizationRules                  *authorizationRules
	Status                              *string
	ForwardTo                           *string
	UserMetadata                        *string
	CreatedAt                           *xmlTime
	UpdatedAt                           *xmlTime
	AccessedAt                          *xmlTime
	SupportOrdering                     *bool
	CountDetails                        *countDetails
	AutoDeleteOnIdle                    *xmlDuration
	EnablePartitioning                  *bool
	EntityAvailabilityStatus            *string
	EnableExpress                       *bool
	ForwardDeadLetteredMessagesTo       *string
	MaxMessageSizeInKilobytes           *int64
}

func (c *atomCall) queueEntry(q *broker.Queue) atomEntry {
	o, facts := q.Options(), q.Facts()
	return c.newEntry(q.Path(), q.Path(), facts, &queueDescription{
		atomSchemas:                         entitySchemas,
		LockDuration:                        new(xmlDuration(o.LockDuration)),
		MaxSizeInMegabytes:                  new(o.MaxSize >> 20),
		RequiresDuplicateDetection:          &o.RequiresDuplicateDetection,
		RequiresSession:                     &o.RequiresSession,
		DefaultMessageTimeToLive:            noneAsForever(o.DefaultTTL),
		DeadLetteringOnMessageExpiration:    &o.DeadLetterOnExpiration,
		DuplicateDetectionHistoryTimeWindow: new(xmlDuration(o.DuplicateWindow)),
		MaxDeliveryCount:                    &o.MaxDeliveryCount,
		EnableBatchedOperations:             new(!o.Unbatched),
		SizeInBytes:                         &facts.Size,
		MessageCount:                        new(facts.Total()),
		IsAnonymousAccessible:               new(false),
		AuthorizationRules:                  c.ns.describeRules(q.Path()),
		Status:                              new(o.Status.String()),
		ForwardTo:                           c.forwardURL(o.ForwardTo, o.ForwardToURL),
		UserMetadata:                        optional(o.UserMetadata),
		CreatedAt:                           new(xmlTime(facts.CreatedAt)),
		UpdatedAt:                           new(xmlTime(facts.UpdatedAt)),
		AccessedAt:                          new(xmlTime(facts.AccessedAt)),
		SupportOrdering:                     &o.Ordering,
		CountDetails:                        describeCounts(facts),
		AutoDeleteOnIdle:                    noneAsForever(o.AutoDeleteOnIdle),
		EnablePartitioning:                  &o.Partitioned,
		EntityAvailabilityStatus:            new(available),
		EnableExpress:                       &o.Express,
		ForwardDeadLetteredMessagesTo:       c.forwardURL(o.ForwardDeadLettersTo, o.ForwardDeadLettersToURL),
		MaxMessageSizeInKilobytes:           c.messageSize(o.MaxMessageKB),
	})
}

func (c *atomCall) queueOptions(d *queueDescription) (o QueueOptions, err error) {
	o = QueueOptions{
		Name:                       c.at.name,
		LockDuration:               time.Duration(given(d.LockDuration)),
		MaxDeliveryCount:           given(d.MaxDeliveryCount),
		DefaultTTL:                 foreverAsNone(d.DefaultMessageTimeToLive),
		RequiresSession:            given(d.RequiresSession),
		RequiresDuplicateDetection: given(d.RequiresDuplicateDetection),
		DuplicateWindow:            time.Duration(given(d.DuplicateDetectionHistoryTimeWindow)),
		DeadLetterOnExpiration:     given(d.DeadLetteringOnMessageExpiration),
		AutoDeleteOnIdle:           foreverAsNone(d.AutoDeleteOnIdle),
		MaxSize:                    readSize(d.MaxSizeInMegabytes, given(d.EnablePartitioning)),
		Descriptive: broker.Descriptive{
			UserMetadata: given(d.UserMetadata),
			Partitioned:  given(d.EnablePartitioning),
			Unbatched:    d.EnableBatchedOperations != nil && !*d.EnableBatchedOperations,
			Ordering:     readOrdering(d.SupportOrdering, d.EnablePartitioning),
			Express:      given(d.EnableExpress),
			ForwardToURL: given(d.ForwardTo), ForwardDeadLettersToURL: given(d.ForwardDeadLetteredMessagesTo),
		},
	}
	if o.Status, err = readStatus(d.Status); err != nil {
		return o, err
	}
	if o.MaxMessageKB, err = c.readMessageSize(d.MaxMessageSizeInKilobytes); err != nil {
		return o, err
	}
	if o.ForwardTo, err = c.readForward(d.ForwardTo, headerForward); err != nil {
		return o, err
	}
	o.ForwardDeadLettersTo, err = c.readForward(d.ForwardDeadLetteredMessagesTo, headerForwardDeadLetters)
	return o, err
}

func (c *atomCall) putQueue(d *queueDescription) (atomAnswer, error) {
	o, err := c.queueOptions(d)
	if err != nil {
		return atomAnswer{}, err
	}
	keys, err := d.AuthorizationRules.keys()
	if err != nil {
		return atomAnswer{}, err
	}
	put := c.ns.CreateQueue
	if c.updates() {
		put = c.ns.UpdateQueue
	}
	if err := put(o); err != nil {
		return atomAnswer{}, putError(err, o.Name, "Queue")
	}
	if err := c.setKeys(d.AuthorizationRules, keys); err != nil {
		return atomAnswer{}, err
	}
	q, err := c.ns.broker().Queue(o.Name)
	if err != nil {
		return atomAnswer{}, fmt.Errorf("put a queue: %w", err)
	}
	return c.answerEntry(c.queueEntry(q)), nil
}

func (c *atomCall) listQueues() (atomAnswer, error) {
	if err := c.manages(textNeedsRead); err != nil {
		return atomAnswer{}, err
	}
	return c.answerFeed("Queues", c.ns.broker().Queues(), func(name string) (atomEntry, bool) {
		q, err := c.ns.broker().Queue(name)
		if err != nil {
			return atomEntry{}, false
		}
		return c.queueEntry(q), true
	})
}

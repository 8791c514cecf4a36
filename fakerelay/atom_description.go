package fakerelay

// What the descriptions of queues, topics and subscriptions have in common.

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"time"

	"passback/fakerelay/broker"
)

const (
	partitions       = 16
	maxPartitionSize = 5 << 10 // megabytes that may be asked for; more is the size of all partitions together, read before
	available        = "Available"

	propertyPartitioning = "EnablePartitioning" // of a broker.ImmutableError; it has a text of its own
)

// An atomBody is an entry in a request, whose content is one of these.
type atomBody struct {
	XMLName xml.Name `xml:"entry"`
	Content struct {
		Queue        *queueDescription        `xml:"QueueDescription"`
		Topic        *topicDescription        `xml:"TopicDescription"`
		Subscription *subscriptionDescription `xml:"SubscriptionDescription"`
		Rule         *ruleDescription         `xml:"RuleDescription"`
	} `xml:"content"`
}

func (c *atomCall) readBody() (*atomBody, error) {
	body := &atomBody{}
	if err := xml.NewDecoder(c.r.Body).Decode(body); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, fmt.Errorf("read the body: %w", err)
		}
		return nil, badRequest(fmt.Sprintf(textNotXML, err))
	}
	return body, nil
}

// updates reports whether a PUT is for an entity that is there already.
func (c *atomCall) updates() bool { return c.r.Header.Get("If-Match") != "" }

// answerEntry answers a PUT.
func (c *atomCall) answerEntry(entry atomEntry) atomAnswer {
	if c.updates() {
		return atomAnswer{status: http.StatusOK, entry: &entry}
	}
	return atomAnswer{status: http.StatusCreated, entry: &entry}
}

// putError is why the broker refused a PUT.
func putError(err error, path, kind string) error {
	var immutable *broker.ImmutableError
	switch {
	case errors.Is(err, broker.ErrExists):
		return &atomError{http.StatusConflict, fmt.Sprintf(textConflict, path)}
	case errors.As(err, &immutable) && immutable.Property == propertyPartitioning:
		return badRequest(fmt.Sprintf(textPartitioning, kind))
	case errors.As(err, &immutable):
		return badRequest(fmt.Sprintf(textImmutable, immutable.Property, kind))
	}
	return err
}

// countDetails are the messages by where they are. Transfers are made at once, so that none is ever seen.
type countDetails struct {
	Schema             string `xml:"xmlns:d2p1,attr"`
	Active             int    `xml:"d2p1:ActiveMessageCount"`
	DeadLetter         int    `xml:"d2p1:DeadLetterMessageCount"`
	Scheduled          int    `xml:"d2p1:ScheduledMessageCount"`
	Transfer           int    `xml:"d2p1:TransferMessageCount"`
	TransferDeadLetter int    `xml:"d2p1:TransferDeadLetterMessageCount"`
}

func describeCounts(f broker.Facts) *countDetails {
	return &countDetails{
		Schema: countsSchema, Active: f.Active + f.Deferred, DeadLetter: f.DeadLetters, Scheduled: f.Scheduled,
		TransferDeadLetter: f.TransferDeadLetters,
	}
}

// given is what an optional element says; its zero value if it is missing.
func given[T any](element *T) (value T) {
	if element != nil {
		value = *element
	}
	return value
}

// optional leaves out an element that says nothing.
func optional[T comparable](value T) *T {
	var nothing T
	if value == nothing {
		return nil
	}
	return &value
}

// foreverAsNone reads a time span that the broker writes as 0 when it does not end.
func foreverAsNone(d *xmlDuration) time.Duration {
	if span := time.Duration(given(d)); span < forEver {
		return span
	}
	return 0
}

func noneAsForever(d time.Duration) *xmlDuration {
	if d == 0 {
		d = forEver
	}
	return new(xmlDuration(d))
}

// readStatus takes the service's names.
func readStatus(name *string) (broker.Status, error) {
	if given(name) == "" {
		return broker.StatusActive, nil
	}
	status, err := broker.ParseStatus(*name)
	if err != nil {
		return status, badRequest(err.Error())
	}
	return status, nil
}

// readSize takes megabytes, and gives bytes: those of all partitions.
func readSize(megabytes *int64, partitioned bool) int64 {
	size := given(megabytes)
	if partitioned {
		if size == 0 {
			size = 1024
		}
		if size <= maxPartitionSize {
			size *= partitions
		}
	}
	return size << 20
}

// readOrdering is on if nothing is said, unless there are partitions.
func readOrdering(ordering, partitioned *bool) bool {
	if ordering != nil {
		return *ordering
	}
	return !given(partitioned)
}

// readMessageSize refuses what the tier does not allow.
func (c *atomCall) readMessageSize(kilobytes *int64) (int64, error) {
	smallest, largest := c.ns.tier.messageKilobytes()
	size := given(kilobytes)
	if size != 0 && (size < smallest || size > largest) {
		return 0, badRequest(fmt.Sprintf("MaxMessageSizeInKilobytes %d must be from %d to %d in this tier", size, smallest, largest))
	}
	return size, nil
}

func (c *atomCall) messageSize(kilobytes int64) *int64 {
	if kilobytes == 0 {
		kilobytes = int64(c.ns.tier.MaxMessageSize() >> 10)
	}
	return &kilobytes
}

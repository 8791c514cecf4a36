package fakerelay

// Queues and topics in the management API share their paths: what is there, or what is put there, tells which is meant.

import (
	"fmt"
	"net/http"

	"passback/fakerelay/broker"
)

// getEntity tells everybody with a token what does not exist, as the service does.
func (c *atomCall) getEntity() (atomAnswer, error) {
	if c.at.name == "" {
		return c.emptyFeed()
	}
	node, err := c.ns.broker().Node(c.at.name)
	if err != nil || node.Kind() != broker.KindQueue && node.Kind() != broker.KindTopic {
		return c.emptyFeed()
	}
	if err := c.manages(textNeedsRead); err != nil {
		return atomAnswer{}, err
	}
	if node.Kind() == broker.KindQueue {
		return atomAnswer{status: http.StatusOK, entry: new(c.queueEntry(node))}, nil
	}
	t, err := c.ns.broker().Topic(c.at.name)
	if err != nil {
		return c.emptyFeed()
	}
	return atomAnswer{status: http.StatusOK, entry: new(c.topicEntry(t))}, nil
}

func (c *atomCall) putEntity() (atomAnswer, error) {
	if err := c.manages(textNeedsWrite); err != nil {
		return atomAnswer{}, err
	}
	body, err := c.readBody()
	if err != nil {
		return atomAnswer{}, err
	}
	switch {
	case body.Content.Queue != nil:
		return c.putQueue(body.Content.Queue)
	case body.Content.Topic != nil:
		return c.putTopic(body.Content.Topic)
	}
	return atomAnswer{}, badRequest(fmt.Sprintf(textNoDescription, "QueueDescription or a TopicDescription"))
}

// setKeys makes what the rules of a description say the keys of the entity, if there are rules.
func (c *atomCall) setKeys(rules *authorizationRules, keys []Key) error {
	if rules == nil {
		return nil
	}
	if err := c.ns.keys.replace(c.at.name, keys); err != nil {
		return badRequest(err.Error())
	}
	c.ns.review()
	return nil
}

func (c *atomCall) deleteEntity() (atomAnswer, error) {
	if err := c.manages(textNeedsDelete); err != nil {
		return atomAnswer{}, err
	}
	node, err := c.ns.broker().Node(c.at.name)
	if err != nil {
		return atomAnswer{}, fmt.Errorf("delete: %w", err)
	}
	remove := c.ns.DeleteQueue
	if node.Kind() == broker.KindTopic {
		remove = c.ns.DeleteTopic
	}
	if err := remove(c.at.name); err != nil {
		return atomAnswer{}, err
	}
	return atomAnswer{status: http.StatusOK}, nil
}

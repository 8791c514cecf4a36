package fakerelay

// Request and response over a pair of links, as $cbs and $management speak it (AMQP Management, working draft
// 9, section 3.1; AMQP Claims-based Security, working draft 1, section 4).

import (
	"slices"

	"passback/fakerelay/amqp"
)

// A replyLink leads from a request-response node to the client.
type replyLink struct {
	node   string // folded path
	target string // address that the client gave its end; may be empty
	sender *amqp.Sender
}

// attachReply accepts the client's receiving link of a node. closed is called when the link ends.
func (c *connection) attachReply(r *amqp.AttachRequest, node string, closed func()) {
	l := &replyLink{node: foldPath(node)}
	if r.Attach.Target != nil {
		l.target = r.Attach.Target.Address
	}
	sender, err := r.AcceptSender(amqp.SenderOptions{OnClosed: func(*amqp.Sender, *amqp.Error) {
		c.mu.Lock()
		c.replies = slices.DeleteFunc(c.replies, func(other *replyLink) bool { return other == l })
		c.mu.Unlock()
		closed()
	}})
	if err != nil {
		closed()
		return
	}
	l.sender = sender
	c.mu.Lock()
	c.replies = append(c.replies, l)
	c.mu.Unlock()
}

// replyTo finds where to answer a request: a link of that target address or of that name; Python's client gives
// no address and means the only link of the node on its session.
func (c *connection) replyTo(d *amqp.Delivery, node string) *amqp.Sender {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := d.Message.Properties; p != nil && p.ReplyTo != nil {
		for _, l := range c.replies {
			if l.target == *p.ReplyTo || l.sender.Name() == *p.ReplyTo {
				return l.sender
			}
		}
	}
	var sole *amqp.Sender
	for _, l := range c.replies {
		if l.node != foldPath(node) || l.sender.Session() != d.Receiver().Session() {
			continue
		}
		if sole != nil {
			return nil
		}
		sole = l.sender
	}
	return sole
}

// answer sends a response; it waits on the link for credit, which some clients give after the request. The type
// of the request's message id is kept.
func (c *connection) answer(d *amqp.Delivery, node string, response *amqp.Message) {
	to := c.replyTo(d, node)
	if to == nil {
		d.Settle(amqp.Rejected{Error: amqp.Errorf(amqp.CondNotFound, "There is no link to answer on: the request's reply-to names none.%s", tracking(node))})
		return
	}
	response.Properties = &amqp.Properties{}
	if p := d.Message.Properties; p != nil {
		response.Properties.CorrelationID = p.MessageID
		if p.MessageID == nil {
			response.Properties.CorrelationID = p.CorrelationID
		}
	}
	payload, err := response.MarshalBinary()
	if err != nil {
		d.Settle(amqp.Rejected{Error: amqp.Errorf(amqp.CondInternalError, "encode the answer: %v", err)})
		return
	}
	d.Settle(amqp.Accepted{})
	if _, err := to.Send(amqp.Outgoing{Payload: payload, Settled: true}); err != nil {
		c.log.Debug("answer not sent", "node", node, "err", err)
		to.Detach(amqp.Errorf(amqp.CondResourceLimitExceeded, "Answers are not taken: give the link credit.%s", tracking(node)))
	}
}

package amqp_test

import "passback/fakerelay/amqp"

// queue is the simplest of nodes: what peers send to it, it sends on to who receives from it, in order. All of it
// runs in one connection's callbacks, so it needs no lock.
type queue struct {
	messages [][]byte
	senders  []*amqp.Sender
	outcomes chan amqp.DeliveryState // of deliveries to receivers, if not nil
}

func (q *queue) attach(r *amqp.AttachRequest) {
	if r.Attach.Role == amqp.RoleSender {
		r.AcceptReceiver(amqp.ReceiverOptions{OnTransfer: func(d *amqp.Delivery) {
			q.messages = append(q.messages, d.Payload)
			d.Settle(amqp.Accepted{})
			for _, s := range q.senders {
				q.pump(s)
			}
		}})
		return
	}
	o := amqp.SenderOptions{OnCredit: q.pump}
	if q.outcomes != nil {
		o.OnOutcome = func(d *amqp.Sent, state amqp.DeliveryState, settled bool) {
			q.outcomes <- state
			if _, rejected := state.(amqp.Rejected); rejected {
				state = amqp.Rejected{}
			}
			d.Settle(state)
		}
	}
	s, _ := r.AcceptSender(o)
	q.senders = append(q.senders, s)
}

func (q *queue) pump(s *amqp.Sender) {
	for len(q.messages) > 0 && s.Credit() > 0 {
		if _, err := s.Send(amqp.Outgoing{Payload: q.messages[0]}); err != nil {
			return
		}
		q.messages = q.messages[1:]
	}
}

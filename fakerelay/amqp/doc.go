// Package amqp is the server side of AMQP 1.0, written from the OASIS Standard of 29 October 2012
// (parts 1 types, 2 transport, 3 messaging, 5 security). It knows nothing of Service Bus.
//
// NewConn takes any net.Conn; Conn.Serve runs it until it ends. What happens on it is told to a Handler,
// to the callbacks given when a link is accepted, and to nobody else:
//
//	c := amqp.NewConn(nc, amqp.Config{Mechanisms: []amqp.Mechanism{amqp.Anonymous()}}, amqp.Handler{
//		Attach: func(r *amqp.AttachRequest) {
//			if r.Attach.Role == amqp.RoleSender { // the peer sends, we receive
//				r.AcceptReceiver(amqp.ReceiverOptions{OnTransfer: func(d *amqp.Delivery) { d.Settle(amqp.Accepted{}) }})
//				return
//			}
//			r.Refuse(&amqp.Error{Condition: amqp.CondNotFound})
//		},
//	})
//	err := c.Serve(ctx)
//
// The callbacks of one connection come one after another, and no lock is held: a callback may call anything here, but
// while it runs the others wait, and mostly reading does too; with Config.TryWrite what is sent meanwhile may wait as
// well. Every other method may be called from any goroutine, and none waits for the network: what cannot be written yet
// is queued, within limits, and a peer that does not read loses its connection after Config.WriteTimeout.
//
// What one connection may take of memory, whatever its peer sends: two frames to read (Config.MaxFrameSize each);
// incomplete messages of four times the longest allowed; 2 MiB of payloads, and one message more, that wait for
// callbacks; about 3 MiB that wait to be written; Config.MaxLinks names of links, twice. A decoded message holds
// MaxElements values at most. What the callbacks keep is theirs.
//
// Left out on purpose: transactions (part 4), link resumption and link stealing (2.6.13, 2.6.1: every link is new
// and every attach is for itself), TLS by the AMQP header (5.2.1: TLS comes before), redelivery of unsettled state.
package amqp

package amqp

import (
	"context"
	"net"
)

// A Conn is one connection, seen from the server.
type Conn struct{}

// NewConn takes over nc, on which nothing was read yet. Serve must be called, once.
func NewConn(nc net.Conn, cfg Config, h Handler) *Conn { panic("unbuilt") }

// Serve runs the connection until it has ended, all callbacks have returned and nc is closed. When ctx ends it
// closes with amqp:connection:forced. It returns nil after an orderly end, else what ended the connection: an
// *Error that either side gave, or a network error.
func (c *Conn) Serve(ctx context.Context) error { panic("unbuilt") }

// Peer is the peer's open. It is nil before Handler.Open is called.
func (c *Conn) Peer() *Open { panic("unbuilt") }

// RemoteAddr is the network's name of the peer.
func (c *Conn) RemoteAddr() net.Addr { panic("unbuilt") }

// Mechanism is the SASL mechanism that the peer chose; "" without a SASL layer.
func (c *Conn) Mechanism() Symbol { panic("unbuilt") }

// Close sends close, with err if it is not nil, gives the peer Config.CloseTimeout to answer, then closes the
// network connection. It does not wait for that: Done does.
func (c *Conn) Close(err *Error) { panic("unbuilt") }

// Abort closes the network connection at once and says nothing to the peer.
func (c *Conn) Abort() { panic("unbuilt") }

// Done is closed when Serve has returned.
func (c *Conn) Done() <-chan struct{} { panic("unbuilt") }

// A Session is one session of a connection; the peer begins all of them.
type Session struct{}

// Conn is the session's connection.
func (s *Session) Conn() *Conn { panic("unbuilt") }

// End ends the session and all its links, with err if it is not nil.
func (s *Session) End(err *Error) { panic("unbuilt") }

// Link is what both kinds of link have.
type Link struct{}

// Name is the link's name, which the peer gave.
func (l *Link) Name() string { panic("unbuilt") }

// Session is the link's session.
func (l *Link) Session() *Session { panic("unbuilt") }

// Detach closes the link (detach with closed set), with err if it is not nil. Deliveries that wait for credit
// or for the session's window are dropped. OnClosed is still called.
func (l *Link) Detach(err *Error) { panic("unbuilt") }

// An AttachRequest is a peer's wish to attach a link, not answered yet.
type AttachRequest struct {
	Attach Attach // as the peer sent it; its Role is the peer's
}

// Session is the session on which the link is to be.
func (r *AttachRequest) Session() *Session { panic("unbuilt") }

// Context ends when the request can no longer be accepted: the peer detached, or session or connection ended.
func (r *AttachRequest) Context() context.Context { panic("unbuilt") }

// AcceptSender answers a peer that receives (RoleReceiver): we send. It returns ErrLinkClosed if the request has ended.
func (r *AttachRequest) AcceptSender(o SenderOptions) (*Sender, error) { panic("unbuilt") }

// AcceptReceiver answers a peer that sends (RoleSender): we receive. It returns ErrLinkClosed if the request has ended.
func (r *AttachRequest) AcceptReceiver(o ReceiverOptions) (*Receiver, error) { panic("unbuilt") }

// Refuse answers with an attach without terminus, then detach with closed set and err.
func (r *AttachRequest) Refuse(err *Error) { panic("unbuilt") }

// Answer is what an accepted link's attach says beyond what it echoes: name, settle modes, source and target.
type Answer struct {
	Source              *Source  // default: the peer's
	Target              *Target  // default: the peer's
	MaxMessageSize      uint64   // bytes. A receiver enforces it, default Config.MaxMessageSize; a sender's is announced only, default none
	OfferedCapabilities []Symbol // default none
	Properties          Map      // default none
}

// SenderOptions are what an outgoing link is accepted with.
type SenderOptions struct {
	Answer
	// OnCredit is called when Credit may have grown: by the peer's flow, or because what stopped us has gone.
	OnCredit func(*Sender)
	// OnDrain is called, after OnCredit, when the peer asks for what there is and wants its other credit back.
	// Whoever has no more to send calls Drained. Default: Drained is called.
	OnDrain func(*Sender)
	// OnOutcome is called for each disposition of an unsettled delivery. If settled is false the peer waits for
	// Sent.Settle; state may be nil.
	OnOutcome func(d *Sent, state DeliveryState, settled bool)
	// OnClosed is called once, however the link ends: err is nil without an error, ours or the peer's.
	OnClosed func(s *Sender, err *Error)
}

// A Sender is an outgoing link.
type Sender struct{ Link }

// Outgoing is a delivery to send.
type Outgoing struct {
	Payload []byte // the encoded message; not to be changed afterwards
	Format  uint32 // message-format; default 0, the standard's own
	Tag     []byte // delivery-tag, at most 32 bytes; default: a counter of 8 bytes
	Settled bool   // sent settled. The link's snd-settle-mode wins unless it is mixed
}

// Credit is how many deliveries Send would put on the wire now: the peer's link credit less what waits; 0 while
// the session's window or the connection's buffer is full.
func (s *Sender) Credit() uint32 { panic("unbuilt") }

// Send sends a delivery, or queues it until there is credit and room, 1000 at most, then it returns ErrQueueFull.
// It never waits.
func (s *Sender) Send(o Outgoing) (*Sent, error) { panic("unbuilt") }

// Drained gives unused credit back to a peer that asked for it; without such a wish it does nothing.
func (s *Sender) Drained() { panic("unbuilt") }

// Sent is a delivery that Send took.
type Sent struct{ tag []byte }

// Tag is its delivery-tag.
func (d *Sent) Tag() []byte { return d.tag }

// Sender is the link that it was sent on.
func (d *Sent) Sender() *Sender { panic("unbuilt") }

// Settle settles the delivery and tells the peer the state (which may be nil). It does nothing if the delivery
// is settled already.
func (d *Sent) Settle(state DeliveryState) { panic("unbuilt") }

// ReceiverOptions are what an incoming link is accepted with.
type ReceiverOptions struct {
	Answer
	// Credit is how many deliveries the peer may have under way: sent and not settled by us. It is topped up
	// when half is used. Default 1000.
	Credit uint32
	// OnTransfer is called for each complete delivery.
	OnTransfer func(*Delivery)
	// OnClosed is called once, however the link ends: err is nil without an error, ours or the peer's.
	OnClosed func(r *Receiver, err *Error)
}

// A Receiver is an incoming link.
type Receiver struct{ Link }

// A Delivery is a message that the peer sent.
type Delivery struct {
	Tag     []byte
	Format  uint32   // message-format
	Payload []byte   // as sent
	Message *Message // Payload decoded. A payload that does not decode is rejected with amqp:decode-error and not shown
	Settled bool     // by the sender: Settle does nothing
}

// Receiver is the link that it came on.
func (d *Delivery) Receiver() *Receiver { panic("unbuilt") }

// Settle tells the peer the delivery's outcome and settles it; a second call does nothing.
func (d *Delivery) Settle(state DeliveryState) { panic("unbuilt") }

package amqp

import (
	"context"
	"fmt"
)

// An AttachRequest is a peer's wish to attach a link, not answered yet.
type AttachRequest struct {
	Attach Attach // as the peer sent it; its Role is the peer's
	link   *Link
}

// Answer is what an accepted link's attach says beyond what it echoes: name, settle modes, source and target.
type Answer struct {
	Source              *Source  // default: the peer's
	Target              *Target  // default: the peer's
	MaxMessageSize      uint64   // bytes. A receiver enforces it, default Config.MaxMessageSize; a sender's is announced only, default none
	OfferedCapabilities []Symbol // default none
	Properties          Map      // default none
}

// Session is the session on which the link is to be.
func (r *AttachRequest) Session() *Session { return r.link.session }

// Context ends when the request has been refused or can no longer be accepted, because the peer detached, or
// session or connection ended; and when the accepted link ends.
func (r *AttachRequest) Context() context.Context { return r.link.context }

// AcceptSender answers a peer that receives (RoleReceiver): we send. It returns ErrLinkClosed if the request has
// ended, or was answered.
func (r *AttachRequest) AcceptSender(o SenderOptions) (*Sender, error) {
	l, s := r.link, r.link.session
	if l.sender == nil {
		return nil, fmt.Errorf("amqp: link %q: its peer sends, so it has to be accepted by AcceptReceiver", l.name)
	}
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if l.state != linkRequested {
		return nil, ErrLinkClosed
	}
	l.sender.options = o
	l.state = linkAttached
	s.senders = append(s.senders, l.sender)
	l.answer(o.Answer, false)
	l.sender.postCredit()
	l.sender.postDrain()
	return l.sender, nil
}

// AcceptReceiver answers a peer that sends (RoleSender): we receive, and the peer is given credit. It returns
// ErrLinkClosed if the request has ended, or was answered.
func (r *AttachRequest) AcceptReceiver(o ReceiverOptions) (*Receiver, error) {
	l, c := r.link, r.link.session.conn
	if l.receiver == nil {
		return nil, fmt.Errorf("amqp: link %q: its peer receives, so it has to be accepted by AcceptSender", l.name)
	}
	if d := r.Attach.Coordinator; d != nil {
		r.Refuse(Errorf(CondNotImplemented, "a target that is described by %s is not supported", descriptorName(d.Descriptor)))
		return nil, ErrLinkClosed
	}
	if o.MaxMessageSize == 0 {
		o.MaxMessageSize = c.cfg.MaxMessageSize
	}
	if o.Credit == 0 {
		o.Credit = defaultCredit
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.state != linkRequested {
		return nil, ErrLinkClosed
	}
	l.receiver.options = o
	l.state = linkAttached
	l.answer(o.Answer, false)
	l.receiver.topUp()
	return l.receiver, nil
}

// Refuse answers with an attach without terminus, then detach with closed set and err. It does nothing if the
// request has ended, or was answered.
func (r *AttachRequest) Refuse(err *Error) {
	r.link.session.conn.mu.Lock()
	defer r.link.session.conn.mu.Unlock()
	if r.link.state == linkRequested {
		r.link.refuse(err)
	}
}

// Detach ends the link however far it has come: it refuses the request, or detaches the link that it has become.
func (r *AttachRequest) Detach(err *Error) { r.link.Detach(err) }

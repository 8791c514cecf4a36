package amqp

import (
	"context"
	"slices"
)

type linkState int

const (
	linkRequested linkState = iota // the peer attached, we have not answered
	linkAttached
	linkDetaching // we detached, the peer has not answered
	linkGone
)

// Link is what both kinds of link have (2.6). All fields but the fixed ones are the connection's mutex's.
type Link struct {
	session *Session
	name    string
	handle  uint32
	attach  *Attach // the peer's, until it is answered
	context context.Context
	cancel  context.CancelFunc

	sndSettleMode uint8
	rcvSettleMode uint8

	state    linkState
	sender   *Sender   // ours, where the peer receives
	receiver *Receiver // ours, where the peer sends
}

func newLink(s *Session, a *Attach) *Link {
	l := &Link{session: s, name: a.Name, handle: a.Handle, attach: a, sndSettleMode: a.SndSettleMode, rcvSettleMode: a.RcvSettleMode}
	l.context, l.cancel = context.WithCancel(s.conn.context)
	if a.Role == RoleReceiver {
		l.sender = &Sender{Link: l}
	} else {
		l.receiver = &Receiver{Link: l}
		if a.InitialDeliveryCount != nil {
			l.receiver.deliveryCount = *a.InitialDeliveryCount
		}
	}
	return l
}

// Name is the link's name, which the peer gave.
func (l *Link) Name() string { return l.name }

// Session is the link's session.
func (l *Link) Session() *Session { return l.session }

// Detach closes the link (detach with closed set), with err if it is not nil. Deliveries that wait for credit
// or for the session's window are dropped. OnClosed is still called.
func (l *Link) Detach(err *Error) {
	l.session.conn.mu.Lock()
	defer l.session.conn.mu.Unlock()
	l.detach(err)
}

func (l *Link) detach(err *Error) {
	if l.state == linkRequested {
		l.refuse(err)
	}
	if l.state != linkAttached {
		return
	}
	l.ended(err)
	l.state = linkDetaching
	l.session.write(&Detach{Handle: l.handle, Closed: true, Error: err}, nil)
}

// ended takes the link out of everything that may call it, and tells its owner, once.
func (l *Link) ended(err *Error) {
	was := l.state
	l.state = linkGone
	l.cancel()
	if was != linkAttached {
		return
	}
	if l.sender != nil {
		l.sender.forget()
		if f := l.sender.options.OnClosed; f != nil {
			l.session.conn.post(0, func() { f(l.sender, err) })
		}
		return
	}
	l.receiver.forget()
	if f := l.receiver.options.OnClosed; f != nil {
		l.session.conn.post(0, func() { f(l.receiver, err) })
	}
}

// answer writes our attach. A refusal is one without the terminus that would be ours (2.6.3).
func (l *Link) answer(o Answer, refused bool) {
	a := &Attach{
		Name: l.name, Handle: l.handle, Role: !l.attach.Role, SndSettleMode: l.attach.SndSettleMode, RcvSettleMode: l.attach.RcvSettleMode,
		Source: l.attach.Source, Target: l.attach.Target,
		MaxMessageSize: o.MaxMessageSize, OfferedCapabilities: o.OfferedCapabilities, Properties: o.Properties,
	}
	if o.Source != nil {
		a.Source = o.Source
	}
	if o.Target != nil {
		a.Target = o.Target
	}
	if a.Role == RoleSender {
		count := l.sender.deliveryCount
		a.InitialDeliveryCount = &count
	}
	if refused && a.Role == RoleSender {
		a.Source = nil
	} else if refused {
		a.Target = nil
	}
	l.attach = nil
	l.session.write(a, nil)
}

func (l *Link) refuse(err *Error) {
	l.answer(Answer{}, true)
	l.state = linkDetaching
	l.cancel()
	l.session.write(&Detach{Handle: l.handle, Closed: true, Error: err}, nil)
}

// remove takes one element out of a slice and keeps the order of the others.
func remove[T comparable](s []T, x T) []T {
	if i := slices.Index(s, x); i >= 0 {
		return slices.Delete(s, i, i+1)
	}
	return s
}

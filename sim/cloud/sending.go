package cloud

// Sending a request, and knowing whether it left: what certainly did not may be sent again or refused, and what may
// have counts as sent. The SDK keeps neither apart. It repeats by itself, once more than it is told to, what met a
// detached link ("quick retry"), so that its error may be about a second attempt after a first that was stored.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"passback/writeback/protocol"
)

// sending is one connection that requests are sent on. It is given up at its first error but a refusal: the SDK's own
// recovery would not tell whether a message left.
type sending struct {
	client *azservicebus.Client
	sender *azservicebus.Sender
	left   *departures
	inUse  sync.WaitGroup
}

// open returns the connection to send on, for somebody who says when it is used no more; fresh tells that it was made
// just now.
func (l *link) open(ctx context.Context) (s *sending, fresh bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sending != nil {
		l.sending.inUse.Add(1)
		return l.sending, false, nil
	}
	if l.failure != nil && wire().Sub(l.failedAt) < restBetween {
		return nil, true, l.failure
	}
	l.sending, l.failure = l.connect(ctx, l.lines.rules[protocol.QueueRequests], attachTimeout)
	l.failedAt = wire()
	if l.sending != nil {
		l.sending.inUse.Add(1)
	}
	return l.sending, true, l.failure
}

// connect makes sure of the link too, by which nothing is sent yet: asking for a batch attaches it.
func (l *link) connect(ctx context.Context, rule protocol.SASRule, limit time.Duration) (*sending, error) {
	s := &sending{left: &departures{}}
	var err error
	if s.client, err = l.relay.client(rule, noRetries, s.left); err != nil {
		return nil, err
	}
	if s.sender, err = s.client.NewSender(protocol.QueueRequests, nil); err != nil {
		return nil, fmt.Errorf("a sender of requests: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if _, err := s.sender.NewMessageBatch(ctx, nil); err != nil {
		go s.close()
		return nil, fmt.Errorf("connect: %w", err)
	}
	return s, nil
}

// giveUp drops a connection that failed.
func (l *link) giveUp(s *sending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sending == s {
		l.sending = nil
	}
	go s.close()
}

func (s *sending) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = s.client.Close(ctx)
}

var (
	// errUnsent says that the message certainly did not leave, or was refused.
	errUnsent = errors.New("not sent")
	// errRefused says that the relay answered that it does not take the message. The connection is as good as before.
	errRefused = errors.New("the relay refused it")
	// errBusy says besides that it may take it soon.
	errBusy = errors.New("the relay is busy")
)

// send tries a connection that may have ended since the last request, and then a new one. An error that does not
// wrap errUnsent leaves open whether the relay took it.
func (l *link) send(ctx context.Context, m protocol.Message) error {
	for {
		s, fresh, err := l.open(ctx)
		if err != nil {
			return fmt.Errorf("%w: %w", errUnsent, err)
		}
		err = l.sendOn(ctx, s, m)
		s.inUse.Done()
		if fresh || !errors.Is(err, errUnsent) || errors.Is(err, errRefused) {
			return err
		}
	}
}

func (l *link) sendOn(ctx context.Context, s *sending, m protocol.Message) error {
	contentType := protocol.ContentType
	departed := s.left.watch(m.ID)
	err := s.sender.SendMessage(ctx, &azservicebus.Message{
		Body: m.Body, MessageID: &m.ID, ReplyToSessionID: &m.ReplySession, TimeToLive: &m.TTL, ContentType: &contentType,
	}, nil)
	left, again := departed()
	if err == nil {
		return nil
	}
	if refused := refusal(err); refused != nil && !again {
		return fmt.Errorf("%w: %w: %w", errUnsent, refused, err)
	}
	l.giveUp(s)
	if !left {
		return fmt.Errorf("%w: %w", errUnsent, err)
	}
	return fmt.Errorf("send: %w", err)
}

const condServerBusy amqp.ErrCond = "com.microsoft:server-busy"

// refusals are the conditions of a rejected transfer by which the message is certainly not stored. Of others, as
// com.microsoft:timeout and amqp:internal-error, Microsoft's "Service Bus messaging exceptions" leaves it open.
var refusals = map[amqp.ErrCond]error{
	condServerBusy:                    errors.Join(errRefused, errBusy),
	amqp.ErrCondResourceLimitExceeded: errRefused, // the queue is full
	amqp.ErrCondMessageSizeExceeded:   errRefused,
	amqp.ErrCondNotAllowed:            errRefused,
	amqp.ErrCondNotFound:              errRefused,
	"com.microsoft:entity-disabled":   errRefused,
}

// refusal is what a rejected transfer tells; nil for any other error. A link, session or connection that ended tells
// nothing of the transfers on it, whatever condition it ended with.
func refusal(err error) error {
	if errors.Is(err, azservicebus.ErrMessageTooLarge) {
		return errRefused
	}
	_, link := errors.AsType[*amqp.LinkError](err)
	_, session := errors.AsType[*amqp.SessionError](err)
	_, conn := errors.AsType[*amqp.ConnError](err)
	rejected, ok := errors.AsType[*amqp.Error](err)
	if !ok || link || session || conn {
		return nil
	}
	return refusals[rejected.Condition]
}

// departures tell, from the frames that are written, whether a watched message left, and whether a link was opened
// since: then an error may be of another attempt. A transfer carries the message's id in its first frame. The zero
// value is ready.
type departures struct {
	mu       sync.Mutex
	left     map[string]bool // by message id
	attaches int
}

// watch begins to look for a message; departed ends it, and tells what was seen.
func (d *departures) watch(id string) (departed func() (left, again bool)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left == nil {
		d.left = map[string]bool{}
	}
	d.left[id] = false
	before := d.attaches
	return func() (left, again bool) {
		d.mu.Lock()
		defer d.mu.Unlock()
		left, again = d.left[id], d.attaches != before
		delete(d.left, id)
		return left, again
	}
}

const (
	frameHeader = 8              // bytes before the performative, without an extended header
	attach      = "\x00\x53\x12" // how an attach begins: a described type, its code as smallulong (AMQP 1.0 section 2.7.3)
)

func (d *departures) wrote(frame []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(frame) > frameHeader && bytes.HasPrefix(frame[frameHeader:], []byte(attach)) {
		d.attaches++
	}
	for id, seen := range d.left {
		if !seen && bytes.Contains(frame, []byte(id)) {
			d.left[id] = true
		}
	}
}

// watchedConn tells of each frame before it is written, since half of one may arrive whole. go-amqp writes each in one piece.
type watchedConn struct {
	net.Conn
	left *departures
}

// Write implements net.Conn.
func (c watchedConn) Write(b []byte) (int, error) {
	c.left.wrote(b)
	return c.Conn.Write(b) //nolint:wrapcheck // net.Conn's own
}

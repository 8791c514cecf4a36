package cloud

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/google/uuid"

	"passback/sim/trace"
	"passback/writeback/protocol"
)

// The front end: it sends requests, and receives answers in a session of its own, heartbeats, and what the relay
// gave up on. A fresh session at each start means that it never reads the answers of the one before it; the ledger
// keeps those requests as unknown.
type frontEnd struct {
	tenant  *Tenant
	session string
	links   []*link // one for each relay, the preferred first
	work    sync.WaitGroup
}

const (
	renewSession   = 10 * time.Second // a third of its lock
	reopenDelay    = 500 * time.Millisecond
	closeTimeout   = time.Second
	settlesAtATime = 16
	openTimeout    = 10 * time.Second // TCP, TLS, AMQP and the link, together
	settleTimeout  = 5 * time.Second  // for the relay's word on a message that is settled, or a session's lock
	busyPause      = 2 * time.Second  // which a busy relay asks for, in its own words
	busyTries      = 3
)

func startFrontEnd(t *Tenant) (*frontEnd, error) {
	f := &frontEnd{tenant: t, session: uuid.NewString()}
	for _, relay := range t.relays {
		l, err := newLink(t.ctx, relay)
		if err != nil {
			return nil, fmt.Errorf("the cloud's access to the relay %s: %w", relay.Host, err)
		}
		f.links = append(f.links, l)
	}
	for _, l := range f.links {
		f.work.Go(func() { _, _, _ = l.open(t.ctx) }) // so that the first request need not wait for it
		f.work.Go(func() { f.listen(l.openAnswers(f.session), f.takeAnswer) })
		f.work.Go(func() { f.listen(l.openStatus, f.takeHeartbeat) })
		f.work.Go(func() { f.listen(l.openDeadLetters, f.takeDeadLetter) })
	}
	return f, nil
}

func (f *frontEnd) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	for _, l := range f.links {
		l.close(ctx)
	}
	f.work.Wait()
}

var errNotSent = errors.New("no relay took the request")

// send gives the message to the first relay that accepts it, and asks anew where one was busy. An error that does not
// wrap errNotSent is ambiguous: a relay may have taken it, so it is not repeated on another.
func (f *frontEnd) send(ctx context.Context, m protocol.Message) error {
	for tries := 1; ; tries++ {
		err := f.offer(ctx, m)
		if !errors.Is(err, errNotSent) || !errors.Is(err, errBusy) || tries == busyTries {
			return err
		}
		if passed(ctx, busyPause); ctx.Err() != nil {
			return err
		}
	}
}

// offer asks each relay once.
func (f *frontEnd) offer(ctx context.Context, m protocol.Message) error {
	causes := []error{errNotSent}
	for _, l := range f.links {
		err := l.send(ctx, m)
		if err == nil {
			f.tenant.trace.Add(m.ID, trace.Cloud, "sent", fmt.Sprintf("to %s, %d bytes", l.relay.Host, len(m.Body)))
			return nil
		}
		if !errors.Is(err, errUnsent) {
			return fmt.Errorf("%s: %w", l.relay.Host, err)
		}
		causes = append(causes, fmt.Errorf("%s: %w", l.relay.Host, err))
	}
	return errors.Join(causes...)
}

// inbox is what the SDK's two kinds of receiver have in common.
type inbox interface {
	ReceiveMessages(ctx context.Context, n int, o *azservicebus.ReceiveMessagesOptions) ([]*azservicebus.ReceivedMessage, error)
	CompleteMessage(ctx context.Context, m *azservicebus.ReceivedMessage, o *azservicebus.CompleteMessageOptions) error
	Close(ctx context.Context) error
}

// listen receives until the tenant ends, and opens anew whatever breaks. Only the wait for the next message, on a link
// that stands, is without a limit: AMQP's own idle timeout ends it where the relay is gone.
func (f *frontEnd) listen(open func(context.Context) (inbox, error), take func(*azservicebus.ReceivedMessage)) {
	ctx := f.tenant.ctx
	for ctx.Err() == nil {
		in, err := openWithin(ctx, open)
		if err == nil {
			err = f.receive(ctx, in, take)
			closeSoon(ctx, in)
		}
		if ctx.Err() == nil {
			f.tenant.log.Warn("a connection with a relay broke; it is opened anew", "error", err)
			passed(ctx, reopenDelay)
		}
	}
}

func openWithin(ctx context.Context, open func(context.Context) (inbox, error)) (inbox, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	return open(ctx)
}

func closeSoon(ctx context.Context, in inbox) {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	_ = in.Close(ctx)
}

var errLinkLost = errors.New("the link was lost")

func (f *frontEnd) receive(ctx context.Context, in inbox, take func(*azservicebus.ReceivedMessage)) error {
	settling := make(chan struct{}, settlesAtATime)
	for {
		// One at a time: asked for more, the SDK waits 20 ms for them after the first.
		messages, err := in.ReceiveMessages(ctx, 1, nil)
		if err == nil && len(messages) == 0 {
			err = errLinkLost // the SDK would open it anew within the next call, for as long as that takes
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		for _, m := range messages {
			take(m)
			settling <- struct{}{}
			f.work.Go(func() {
				settleWithin(ctx, in, m)
				<-settling
			})
		}
	}
}

// settleWithin completes a message; where that fails it comes again, and changes nothing.
func settleWithin(ctx context.Context, in inbox, m *azservicebus.ReceivedMessage) {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	_ = in.CompleteMessage(ctx, m, nil)
}

func (l *link) openAnswers(session string) func(context.Context) (inbox, error) {
	return func(ctx context.Context) (inbox, error) {
		in, err := l.answers.AcceptSessionForQueue(ctx, protocol.QueueAnswers, session, nil)
		if err != nil {
			return nil, fmt.Errorf("open the session of answers: %w", err)
		}
		return l.renewed(in), nil
	}
}

// session is an inbox whose lock is renewed while it is open.
type session struct {
	*azservicebus.SessionReceiver
	stop context.CancelFunc
}

// renewed begins to renew; the session outlives the call that opened it.
func (l *link) renewed(in *azservicebus.SessionReceiver) session {
	ctx, stop := context.WithCancel(l.life)
	go func() {
		for {
			if passed(ctx, renewSession); ctx.Err() != nil {
				return
			}
			renewWithin(ctx, in)
		}
	}()
	return session{in, stop}
}

// renewWithin renews once; a lock that is lost shows when receiving.
func renewWithin(ctx context.Context, in *azservicebus.SessionReceiver) {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	_ = in.RenewSessionLock(ctx, nil)
}

func (s session) Close(ctx context.Context) error {
	s.stop()
	return s.SessionReceiver.Close(ctx) //nolint:wrapcheck // it is only ever dropped
}

func (l *link) openStatus(ctx context.Context) (inbox, error) {
	in, err := l.status.NewReceiverForQueue(protocol.QueueStatus, nil)
	if err != nil {
		return nil, fmt.Errorf("receive heartbeats: %w", err)
	}
	return attached(ctx, in)
}

func (l *link) openDeadLetters(ctx context.Context) (inbox, error) {
	in, err := l.dead.NewReceiverForQueue(protocol.QueueRequests, &azservicebus.ReceiverOptions{SubQueue: azservicebus.SubQueueDeadLetter})
	if err != nil {
		return nil, fmt.Errorf("receive what was dead-lettered: %w", err)
	}
	return attached(ctx, in)
}

// attached makes the link stand by a peek, which locks nothing, so that ReceiveMessages need not.
func attached(ctx context.Context, in *azservicebus.Receiver) (inbox, error) {
	if _, err := in.PeekMessages(ctx, 1, nil); err != nil {
		closeSoon(ctx, in)
		return nil, fmt.Errorf("open a link: %w", err)
	}
	return in, nil
}

func (f *frontEnd) takeAnswer(m *azservicebus.ReceivedMessage) {
	answer, err := f.tenant.take(messageOf(m))
	if err != nil {
		f.tenant.log.Warn("an answer was dropped", "messageId", m.MessageID, "error", err)
		return
	}
	id := string(answer.TrackingID)
	f.tenant.trace.Alias(m.MessageID, id)
	f.tenant.trace.Add(id, trace.Cloud, "answer opened", string(answer.Outcome))
}

func (f *frontEnd) takeHeartbeat(m *azservicebus.ReceivedMessage) {
	if err := f.tenant.heard(messageOf(m)); err != nil {
		f.tenant.log.Warn("a heartbeat was dropped", "messageId", m.MessageID, "error", err)
	}
}

// takeDeadLetter keeps the id alone. The request stays unknown, until its deadline tells its caller so.
func (f *frontEnd) takeDeadLetter(m *azservicebus.ReceivedMessage) {
	f.tenant.trace.Add(m.MessageID, trace.Relay, "dead-lettered", "")
	f.tenant.log.Warn("a request was dead-lettered", "messageId", m.MessageID)
}

func messageOf(m *azservicebus.ReceivedMessage) protocol.Message {
	message := protocol.Message{Body: m.Body, ID: m.MessageID}
	if m.CorrelationID != nil {
		message.CorrelationID = *m.CorrelationID
	}
	if m.SessionID != nil {
		message.SessionID = *m.SessionID
	}
	return message
}

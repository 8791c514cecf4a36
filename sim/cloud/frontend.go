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

	mu       sync.Mutex
	changing []<-chan struct{} // each is closed when nothing uses the former keys of a link any more
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
	if err := t.write(t.ctx, &t.access); err != nil {
		return nil, err
	}
	for i, relay := range t.relays {
		l, err := newLink(t.ctx, relay, t.ownRules(i))
		if err != nil {
			return nil, fmt.Errorf("the cloud's access to the relay %s: %w", relay.Host, err)
		}
		f.links = append(f.links, l)
	}
	for _, l := range f.links {
		f.work.Go(l.warm)
		f.work.Go(func() { f.listen(l, openAnswers(f.session), f.takeAnswer) })
		f.work.Go(func() { f.listen(l, openStatus, f.takeHeartbeat) })
		f.work.Go(func() { f.listen(l, openDeadLetters, f.takeDeadLetter) })
	}
	return f, nil
}

func (f *frontEnd) close() {
	for _, l := range f.links {
		l.close()
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

// listen receives until the tenant ends, and opens anew whatever breaks, or is to go on by other keys. Only the wait for
// the next message, on a link that stands, is without a limit: AMQP's own idle timeout ends it where the relay is gone.
func (f *frontEnd) listen(l *link, open opener, take func(*azservicebus.ReceivedMessage)) {
	ctx := f.tenant.ctx
	for ctx.Err() == nil {
		changed, err := f.listenOn(l.use(), open, take)
		if !changed && ctx.Err() == nil {
			f.tenant.log.Warn("a connection with a relay broke; it is opened anew", "error", err)
			passed(ctx, reopenDelay)
		}
	}
}

// listenOn receives until the lines break, or others took their place.
func (f *frontEnd) listenOn(on *lines, open opener, take func(*azservicebus.ReceivedMessage)) (changed bool, err error) {
	defer on.inUse.Done()
	in, err := openWithin(on, open)
	if err == nil {
		var settling sync.WaitGroup
		err = f.receive(on.over, in, take, &settling)
		if on.over.Err() != nil {
			settling.Wait()
		}
		closeSoon(f.tenant.ctx, in)
	}
	return on.over.Err() != nil, err
}

// An opener makes a link stand.
type opener func(context.Context, *lines) (inbox, error)

func openWithin(on *lines, open opener) (inbox, error) {
	ctx, cancel := context.WithTimeout(on.over, openTimeout)
	defer cancel()
	return open(ctx, on)
}

func closeSoon(ctx context.Context, in inbox) {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	_ = in.Close(ctx)
}

var errLinkLost = errors.New("the link was lost")

// receive gives what it takes out to be settled, and settling is done when all of it is.
func (f *frontEnd) receive(ctx context.Context, in inbox, take func(*azservicebus.ReceivedMessage), settling *sync.WaitGroup) error {
	free := make(chan struct{}, settlesAtATime)
	for {
		// One at a time: asked for more, the SDK waits 20 ms for them after the first.
		messages, err := in.ReceiveMessages(ctx, 1, nil)
		if err == nil && len(messages) == 0 {
			err = errLinkLost // the SDK would open it anew within the next call, for as long as that takes
		}
		for _, m := range messages {
			take(m)
			free <- struct{}{}
			settling.Add(1)
			f.work.Go(func() {
				defer settling.Done()
				settleWithin(f.tenant.ctx, in, m)
				<-free
			})
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
	}
}

// settleWithin completes a message; where that fails it comes again, and changes nothing.
func settleWithin(ctx context.Context, in inbox, m *azservicebus.ReceivedMessage) {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	_ = in.CompleteMessage(ctx, m, nil)
}

func openAnswers(session string) opener {
	return func(ctx context.Context, on *lines) (inbox, error) {
		in, err := on.answers.AcceptSessionForQueue(ctx, protocol.QueueAnswers, session, nil)
		if err != nil {
			return nil, fmt.Errorf("open the session of answers: %w", err)
		}
		return on.renewed(in), nil
	}
}

// session is an inbox whose lock is renewed while it is open.
type session struct {
	*azservicebus.SessionReceiver
	stop context.CancelFunc
}

// renewed begins to renew; the session outlives the call that opened it.
func (s *lines) renewed(in *azservicebus.SessionReceiver) session {
	ctx, stop := context.WithCancel(s.over)
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

func openStatus(ctx context.Context, on *lines) (inbox, error) {
	in, err := on.status.NewReceiverForQueue(protocol.QueueStatus, nil)
	if err != nil {
		return nil, fmt.Errorf("receive heartbeats: %w", err)
	}
	return attached(ctx, in)
}

func openDeadLetters(ctx context.Context, on *lines) (inbox, error) {
	in, err := on.dead.NewReceiverForQueue(protocol.QueueRequests, &azservicebus.ReceiverOptions{SubQueue: azservicebus.SubQueueDeadLetter})
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

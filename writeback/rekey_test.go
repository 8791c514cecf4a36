package writeback_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"

	"passback/clock"
	"passback/fakerelay"
	"passback/writeback/protocol"
)

// secretOf is a rule's key in one round of replacing them.
func (l *lab) secretOf(rule string, round int) string {
	return fmt.Sprint("secret-of-", rule, "-", round)
}

// nextKeys gives the agent's rules the keys of the next round, beside the former ones or in their place, and has the
// cloud tell them to who asks. The status queue comes first: an agent that is cut off should not be able to say so.
func (l *lab) nextKeys(keepFormer bool) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.round++
	agent := l.agents[0].Thumbprint()[:8]
	for _, rule := range []struct {
		queue, use string
		rights     fakerelay.Rights
	}{
		{protocol.QueueStatus, "status", fakerelay.Send}, {protocol.QueueAnswers, "answer", fakerelay.Send}, {protocol.QueueRequests, "listen", fakerelay.Listen},
	} {
		name := agent + "-" + rule.use
		key := fakerelay.Key{Name: name, Secret: l.secretOf(name, l.round), Rights: rule.rights}
		if keepFormer {
			key.Secondary = l.secretOf(name, l.round-1)
		}
		must(l.t, l.relay.SetKey(rule.queue, key))
	}
}

// keysInUse are those that the newest heartbeat names.
func (l *lab) keysInUse() string {
	l.t.Helper()
	beats := l.beats()
	return beats[len(beats)-1].Relays[0].Keys
}

func (l *lab) keysTold() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rulesOf(l.relay, l.agents[0].Thumbprint()).Thumbprint()
}

// An agent whose relay keys are replaced under it asks the cloud for the new ones. What it had in hand is answered and
// settled by them, without a wait for a lock to lapse, and the next request finds it there.
func TestRequestInHandOutlivesTheKeysThatBroughtIt(t *testing.T) {
	l := newLab(t)
	l.repeatable()
	l.start(l.enrolled())
	inHand, goOn := make(chan struct{}), make(chan struct{})
	defer l.holdModify(inHand, goOn)()
	asked := l.seal(l.request(nil), newPassword("Spring-Evening-42"))
	l.send(asked)
	<-inHand
	l.nextKeys(false)
	close(goOn)
	if a := l.answer(asked); a.Outcome != protocol.Success {
		t.Errorf("answered %+v", a)
	}
	eventually(t, "an empty queue", func() bool { return l.queued(protocol.QueueRequests) == 0 })
	eventually(t, "a heartbeat that names the new keys", func() bool { return l.keysInUse() == l.keysTold() })
	l.alwaysReady()
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-43")); a.Outcome != protocol.Success {
		t.Errorf("with the new keys: answered %+v", a)
	}
}

// slowConn keeps back what is written while its gate is shut.
type slowConn struct {
	net.Conn
	gate *sync.RWMutex
	asks chan<- struct{}
}

func (c slowConn) Write(b []byte) (int, error) {
	select {
	case c.asks <- struct{}{}:
	default:
	}
	c.gate.RLock()
	defer c.gate.RUnlock()
	return c.Conn.Write(b)
}

// A refusal that leaves nothing in the directory is completed before it is answered: the completion, too, waits for
// the new keys.
func TestRefusalInHandOutlivesTheKeysThatBroughtIt(t *testing.T) {
	l := newLab(t)
	c := l.enrolled()
	var gate sync.RWMutex
	asks := make(chan struct{}, 1)
	c.DialLDAP = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return slowConn{conn, &gate, asks}, err
	}
	l.start(c)
	gate.Lock()
	select {
	case <-asks: // of an earlier look
	default:
	}
	asked := l.seal(l.request(nobody), newPassword("Spring-Evening-42"))
	l.send(asked)
	<-asks
	l.nextKeys(false)
	gate.Unlock()
	if a := l.answer(asked); a.Outcome != protocol.UserNotFound {
		t.Errorf("answered %+v, want that there is no such user", a)
	}
}

// nobody has a request ask for a user whom the directory does not know.
func nobody(r *protocol.Request) { r.SourceAnchor = "AAAAAAAAAAAAAAAAAAAAAA==" }

// alwaysReady fails if an agent that was ready once said that it takes no requests: they could have waited for it.
func (l *lab) alwaysReady() {
	l.t.Helper()
	ready := false
	for _, b := range l.beats() {
		if ready && !b.Ready {
			l.t.Errorf("the agent said that it takes no requests: %+v", b)
		}
		ready = ready || b.Ready
	}
}

// An agent that is told other keys while the former still serve changes over without a break, and says when nothing of
// it uses the former any more: not while it has a request in hand that came by them.
func TestKeysInUseAreNamedOnceNothingUsesTheFormer(t *testing.T) {
	l := newLab(t)
	c := l.enrolled()
	domain := clock.NewRunning()
	c.Clock = domain
	l.start(c)
	former := l.keysTold()
	inHand, goOn := make(chan struct{}), make(chan struct{})
	defer l.holdModify(inHand, goOn)()
	asked := l.seal(l.request(nil), newPassword("Spring-Evening-42"))
	l.send(asked)
	<-inHand
	l.nextKeys(true)
	domain.Advance(protocol.RenewInterval)
	eventually(t, "the new keys", func() bool { return l.event("34023") })
	other := l.seal(l.request(nobody), newPassword("Spring-Evening-43"))
	l.send(other)
	if a := l.answer(other); a.Outcome != protocol.UserNotFound {
		t.Errorf("while another is in hand: answered %+v", a)
	}
	if l.keysInUse() != former {
		t.Error("the former keys still bring a settlement, and the agent names the new ones")
	}
	close(goOn)
	if a := l.answer(asked); a.Outcome != protocol.Success {
		t.Errorf("answered %+v", a)
	}
	eventually(t, "a heartbeat that names the new keys", func() bool { return l.keysInUse() == l.keysTold() })
	l.alwaysReady()
}

// Keys that are replaced between the answer to an enrolment and the check of its path make it no failure.
func TestKeysAreReplacedDuringAnEnrolment(t *testing.T) {
	l := newLab(t)
	var once sync.Once
	defer l.relay.Hook(func(e fakerelay.Event) fakerelay.Action {
		if e.Kind == fakerelay.PutToken {
			once.Do(func() { l.nextKeys(false) })
		}
		return fakerelay.Pass
	})()
	l.start(l.enrolled())
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("answered %+v", a)
	}
}

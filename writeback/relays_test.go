package writeback_test

import (
	"net/url"
	"strings"
	"testing"

	"passback/fakerelay"
	"passback/localca"
	"passback/writeback/protocol"
)

// hostOf is how the agent names a relay.
func hostOf(t *testing.T, n *fakerelay.Namespace) string {
	t.Helper()
	u, err := url.Parse(n.WebSocketURL())
	must(t, err)
	return u.Host
}

// beatsTo counts the events of heartbeats that one relay took.
func (l *lab) beatsTo(host string) int {
	return strings.Count(l.logText(), "HeartBeat for Namespace: "+host+",")
}

// A relay that is lost is told of, keeps nobody from the other, and is used again when it comes back.
func TestLostRelayComesBackWhileTheOtherServes(t *testing.T) {
	l := newLab(t)
	l.repeatable()
	l.second = l.newRelay()
	l.start(l.enrolled())
	l.ill()
	away, err := l.second.AddFault(fakerelay.Fault{Effect: fakerelay.EffectDisconnect, Operation: fakerelay.PutToken, Times: -1})
	must(t, err)
	l.second.Restart()
	l.ill("relay-redundancy-lost")
	for _, id := range []string{"31044", "32002", "32014"} {
		eventually(t, "event "+id, func() bool { return l.event(id) })
	}
	if !strings.Contains(l.logText(), "The serviceHost for "+hostOf(t, l.second)+" is not in running state; another one is.") {
		t.Error("event 31044 does not say that another relay serves")
	}
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("by the other relay: answered %+v", a)
	}
	before := l.beatsTo(hostOf(t, l.second))
	must(t, l.second.RemoveFault(away))
	l.ill()
	eventually(t, "event 31019 of the relay that is back", func() bool { return l.beatsTo(hostOf(t, l.second)) > before })
	l.use(l.second)
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-43")); a.Outcome != protocol.Success {
		t.Errorf("by the relay that is back: answered %+v", a)
	}
}

// A link that breaks and is back at once is nobody's concern: the cloud goes on to send, and the queue keeps it.
func TestLinkThatIsBackAtOnceIsNotTold(t *testing.T) {
	l := newLab(t)
	l.start(l.enrolled())
	eventually(t, "a heartbeat of an agent that is ready", func() bool { b := l.beats(); return len(b) > 0 && b[len(b)-1].Ready })
	before := len(l.beats())
	_, err := l.relay.AddFault(fakerelay.Fault{Effect: fakerelay.EffectDisconnect, Operation: fakerelay.Complete, Entity: protocol.QueueRequests})
	must(t, err)
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("answered %+v", a)
	}
	eventually(t, "event 32002", func() bool { return l.event("32002") })
	eventually(t, "another connection", func() bool { return strings.Count(l.logText(), "connected to the relay") == 2 })
	eventually(t, "a further heartbeat", func() bool { return len(l.beats()) > before })
	for _, b := range l.beats()[before:] {
		if !b.Ready || len(b.Health) > 0 {
			t.Errorf("a heartbeat says: ready %t, %v", b.Ready, b.Health)
		}
	}
}

// Event 31034 is the listener's that does not trust the relay: of a firewall that opens TLS, or of roots that lack.
func TestRelayThatIsNotTrustedIsToldAsTheListenersError(t *testing.T) {
	l := newLab(t)
	c := l.enrolled()
	stranger, err := localca.New()
	must(t, err)
	l.second = fakerelay.RunOptionsT(t, fakerelay.Options{CA: stranger, Queues: []fakerelay.QueueOptions{
		{Name: protocol.QueueRequests}, {Name: protocol.QueueAnswers, RequiresSession: true}, {Name: protocol.QueueStatus},
	}})
	l.start(c)
	for _, id := range []string{"31034", "31044"} {
		eventually(t, "event "+id, func() bool { return l.event(id) })
	}
	l.ill("relay-redundancy-lost")
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("by the relay that is trusted: answered %+v", a)
	}
}

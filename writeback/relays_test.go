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

package relay_test

import (
	"testing"
	"time"

	"passback/fakerelay"
	"passback/writeback/protocol"
	"passback/writeback/relay"
)

// other gives the agent's rules other keys, beside the former ones.
func (n *namespace) other() protocol.Relay {
	n.t.Helper()
	next := n.rules
	for queue, of := range map[string]struct {
		rule   *protocol.SASRule
		rights fakerelay.Rights
	}{
		protocol.QueueRequests: {&next.Requests, fakerelay.Listen}, protocol.QueueAnswers: {&next.Answers, fakerelay.Send}, protocol.QueueStatus: {&next.Status, fakerelay.Send},
	} {
		key := fakerelay.Key{Name: of.rule.Name, Secret: of.rule.Key.Reveal(), Secondary: "other-of-" + of.rule.Name, Rights: of.rights}
		must(n.t, n.SetKey(queue, key))
		of.rule.Key = protocol.NewSecret(key.Secondary)
	}
	return next
}

// A request that is on its way by the former key when others take its place is taken all the same, the first time: were
// the connection closed under it, it would be locked until the lock lapses.
func TestRequestOnItsWayByTheFormerKeysIsTaken(t *testing.T) {
	n := newNamespace(t)
	onItsWay, goOn := make(chan struct{}, 10), make(chan struct{})
	defer n.Hook(func(e fakerelay.Event) fakerelay.Action {
		if e.Kind == fakerelay.Deliver && e.Done && e.Entity == protocol.QueueRequests {
			onItsWay <- struct{}{}
			return fakerelay.Hold(goOn)
		}
		return fakerelay.Pass
	})()
	taken := make(chan int, 10)
	told := make(chan error, 100)
	c := n.client(relay.Options{Observe: func(err error) { told <- err }}, func(c *relay.Client, d *relay.Delivery) {
		taken <- d.Count
		answerAll(t)(c, d)
	})
	must(t, <-told)
	former := c.Keys()
	n.request("r1")
	<-onItsWay
	renewed := make(chan error, 1)
	next := n.other()
	go func() { renewed <- c.Renew(within(t), next) }()
	must(t, <-told) // a link by the other keys stands
	select {        // a chance to close it
	case <-renewed:
		t.Error("the connection was closed under a request")
	case <-time.After(50 * time.Millisecond):
	}
	close(goOn)
	if count := <-taken; count != 1 || len(onItsWay) != 0 {
		t.Errorf("it was taken at delivery %d, after %d more", count, len(onItsWay))
	}
	n.answer()
	must(t, <-renewed)
	if c.Keys() == former || c.Keys() != next.Thumbprint() {
		t.Error("the keys in use are not the other ones")
	}
}

package relay_test

import (
	"errors"
	"testing"

	"passback/fakerelay"
	"passback/writeback/protocol"
	"passback/writeback/relay"
)

// A relay that says nothing to an answer must not hold the one who works on it: when as many are lost as requests are
// worked on at a time, nobody would take the next.
func TestAnswerThatTheRelaySaysNothingToIsGivenAgain(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	const atATime = 2
	_, err := n.AddFault(fakerelay.Fault{Effect: fakerelay.EffectSwallow, Operation: fakerelay.Enqueue, Entity: protocol.QueueAnswers, Times: atATime})
	must(t, err)
	n.client(relay.Options{Concurrency: atATime}, func(c *relay.Client, d *relay.Delivery) {
		err := c.Answer(within(t), protocol.Message{Body: d.Message.Body, CorrelationID: d.Message.ID, SessionID: d.Message.ReplySession, TTL: protocol.AnswerTTL})
		if err := errors.Join(err, d.Complete(within(t))); err != nil {
			t.Error(err)
		}
	})
	asked := map[string]bool{}
	for _, id := range []string{"1", "2", "3"} {
		n.request(id)
		asked[id] = true
	}
	for len(asked) > 0 {
		m := n.answer()
		delete(asked, *m.CorrelationID) // one may come twice
	}
	eventually(t, "an empty queue", func() bool { return n.left(protocol.QueueRequests) == 0 })
}

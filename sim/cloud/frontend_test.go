package cloud_test

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/google/uuid"

	"passback/fakerelay"
	"passback/sim"
	"passback/writeback/protocol"
)

// What the relay gave up on is taken out, and nothing but its id is kept.
func TestDeadLettersAreEmptied(t *testing.T) {
	w := sim.RunT(t, sim.Options{WithoutAgent: true})
	client, err := azservicebus.NewClientFromConnectionString(w.Relay.TLSConnectionString(),
		&azservicebus.ClientOptions{TLSConfig: &tls.Config{RootCAs: w.CA.Pool(), ServerName: "localhost"}})
	must(t, err)
	defer client.Close(t.Context())
	sender, err := client.NewSender(protocol.QueueRequests, nil)
	must(t, err)
	id := uuid.NewString()
	must(t, sender.SendMessage(t.Context(), &azservicebus.Message{Body: []byte("sealed"), MessageID: &id}, nil))
	receiver, err := client.NewReceiverForQueue(protocol.QueueRequests, nil)
	must(t, err)
	messages, err := receiver.ReceiveMessages(t.Context(), 1, nil)
	must(t, err)
	must(t, receiver.DeadLetterMessage(t.Context(), messages[0], nil))

	queue, err := w.Relay.Queue(protocol.QueueRequests)
	must(t, err)
	for deadline := time.Now().Add(10 * time.Second); queue.DeadLetterCount() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the dead-letter queue is not emptied")
		}
	}
	noted := false
	for _, h := range w.Trace.Of(id) {
		noted = noted || h.What == "dead-lettered"
	}
	if !noted {
		t.Errorf("its id was not kept: %v", w.Trace.Of(id))
	}
}

// A relay that says nothing to a link that is opened keeps nobody from their answers for ever.
func TestAnswersAreOpenedAgainWhereTheRelayIsSilent(t *testing.T) {
	w := sim.RunT(t)
	for _, f := range []fakerelay.Fault{
		{Effect: fakerelay.EffectDisconnect, Operation: fakerelay.Deliver, Entity: protocol.QueueAnswers},
		{Effect: fakerelay.EffectSwallow, Operation: fakerelay.Attach, Entity: protocol.QueueAnswers, Role: "receiver"},
	} {
		_, err := w.Relay.AddFault(f)
		must(t, err)
	}
	if r := reset(t, w); r.Outcome != protocol.Success {
		t.Errorf("told %s (%s)", r.Outcome, r.Detail)
	}
	for _, f := range w.Relay.Faults() {
		if f.Hits == 0 {
			t.Errorf("%s never struck", f.Effect)
		}
	}
}

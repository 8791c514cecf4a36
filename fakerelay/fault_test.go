package fakerelay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/fakerelay"
)

// faultyWorld has a client that retries at once, and one fault; struck tells of its hits.
func faultyWorld(t *testing.T, o fakerelay.QueueOptions, f fakerelay.Fault) (w world, struck <-chan fakerelay.Event) {
	t.Helper()
	w = newWorld(t, o)
	w.client = client(t, w.ConnectionString(), &azservicebus.ClientOptions{
		RetryOptions: azservicebus.RetryOptions{RetryDelay: time.Millisecond, MaxRetryDelay: 10 * time.Millisecond},
	})
	return w, strike(t, w.Namespace, f)
}

func strike(t *testing.T, n *fakerelay.Namespace, f fakerelay.Fault) <-chan fakerelay.Event {
	t.Helper()
	hits := make(chan fakerelay.Event, 100)
	f.Struck = func(e fakerelay.Event) { hits <- e }
	_, err := n.AddFault(f)
	must(t, err)
	return hits
}

// bodies lists what the queue holds, in order.
func bodies(t *testing.T, w world) []string {
	t.Helper()
	messages, err := newReceiver(t, w.client, queueName, nil).PeekMessages(within(t), 100, nil)
	must(t, err)
	var all []string
	for _, m := range messages {
		all = append(all, string(m.Body))
	}
	return all
}

func TestFaultSwallow(t *testing.T) {
	w, struck := faultyWorld(t, fakerelay.QueueOptions{}, fakerelay.Fault{Effect: fakerelay.EffectSwallow, Operation: fakerelay.Enqueue})
	ctx, cancel := context.WithCancel(within(t))
	sender := newSender(t, w.client, queueName)
	sent := make(chan error, 1)
	go func() { sent <- sender.SendMessage(ctx, body("lost"), nil) }()
	<-struck
	cancel()
	if err := <-sent; err == nil {
		t.Error("the sender was told that its message arrived")
	}
	send(t, sender, body("second")) // one-shot
	if got := bodies(t, w); !slices.Equal(got, []string{"second"}) {
		t.Errorf("the queue holds %q", got)
	}
}

func TestFaultDelay(t *testing.T) {
	w, struck := faultyWorld(t, fakerelay.QueueOptions{}, fakerelay.Fault{Effect: fakerelay.EffectDelay, Operation: fakerelay.Enqueue, Delay: time.Minute})
	sender := newSender(t, w.client, queueName)
	sent := make(chan error, 1)
	go func() { sent <- sender.SendMessage(within(t), body("late"), nil) }()
	<-struck
	send(t, sender, body("on time"))
	w.clock.Advance(time.Minute)
	must(t, <-sent)
	if got := bodies(t, w); !slices.Equal(got, []string{"on time", "late"}) {
		t.Errorf("the queue holds %q", got)
	}
}

func TestFaultReorder(t *testing.T) {
	w, struck := faultyWorld(t, fakerelay.QueueOptions{}, fakerelay.Fault{Effect: fakerelay.EffectReorder, Operation: fakerelay.Enqueue, Delay: time.Hour})
	sender := newSender(t, w.client, queueName)
	sent := make(chan error, 1)
	go func() { sent <- sender.SendMessage(within(t), body("1"), nil) }()
	<-struck
	send(t, sender, body("2"))
	must(t, <-sent)
	send(t, sender, body("3"))
	if got := bodies(t, w); !slices.Equal(got, []string{"2", "1", "3"}) {
		t.Errorf("the queue holds %q", got)
	}
}

func TestFaultReorderWaitsNoLongerThanItsDelay(t *testing.T) {
	w, struck := faultyWorld(t, fakerelay.QueueOptions{}, fakerelay.Fault{Effect: fakerelay.EffectReorder, Operation: fakerelay.Enqueue, Delay: time.Minute})
	sender := newSender(t, w.client, queueName)
	sent := make(chan error, 1)
	go func() { sent <- sender.SendMessage(within(t), body("alone"), nil) }()
	<-struck
	w.clock.Advance(time.Minute)
	must(t, <-sent)
}

func TestFaultDuplicate(t *testing.T) {
	t.Run("enqueue", func(t *testing.T) {
		w, _ := faultyWorld(t, fakerelay.QueueOptions{}, fakerelay.Fault{Effect: fakerelay.EffectDuplicate, Operation: fakerelay.Enqueue})
		w.sends(t, "twice", "once")
		if got := bodies(t, w); !slices.Equal(got, []string{"twice", "twice", "once"}) {
			t.Errorf("the queue holds %q", got)
		}
	})
	t.Run("deliver", func(t *testing.T) {
		w, _ := faultyWorld(t, fakerelay.QueueOptions{}, fakerelay.Fault{Effect: fakerelay.EffectDuplicate, Operation: fakerelay.Deliver})
		w.sends(t, "twice")
		r := newReceiver(t, w.client, queueName, nil)
		first, err := r.ReceiveMessages(within(t), 2, nil)
		must(t, err)
		if len(first) == 1 {
			first = append(first, receive(t, r))
		}
		if first[0].LockToken != first[1].LockToken {
			t.Error("the copies are two deliveries")
		}
		must(t, r.CompleteMessage(within(t), first[0], nil))
		hasCode(t, r.CompleteMessage(within(t), first[1], nil), azservicebus.CodeLockLost)
	})
}

func TestFaultLoseLock(t *testing.T) {
	w, _ := faultyWorld(t, fakerelay.QueueOptions{}, fakerelay.Fault{Effect: fakerelay.EffectLoseLock, Operation: fakerelay.Complete})
	w.sends(t, "m")
	r := newReceiver(t, w.client, queueName, nil)
	hasCode(t, r.CompleteMessage(within(t), receive(t, r), nil), azservicebus.CodeLockLost)
	again := receive(t, r)
	if again.DeliveryCount != 2 {
		t.Errorf("delivery %d, want the second", again.DeliveryCount)
	}
	must(t, r.CompleteMessage(within(t), again, nil))
}

func TestFaultLoseSessionLock(t *testing.T) {
	w, struck := faultyWorld(t, fakerelay.QueueOptions{RequiresSession: true}, fakerelay.Fault{
		Effect: fakerelay.EffectLoseLock, Operation: fakerelay.Deliver, After: true,
	})
	id := "s"
	send(t, newSender(t, w.client, queueName), &azservicebus.Message{SessionID: &id, Body: []byte("m")})
	r, err := w.client.AcceptSessionForQueue(within(t), queueName, id, nil)
	must(t, err)
	_, _ = r.ReceiveMessages(within(t), 1, nil) // with the message, or with the loss, whichever comes first
	<-struck
	var again *azservicebus.SessionReceiver
	eventually(t, "a session that is free again", func() bool {
		again, err = w.client.AcceptSessionForQueue(within(t), queueName, id, nil)
		return err == nil
	})
	messages, err := again.ReceiveMessages(within(t), 1, nil)
	must(t, err)
	if messages[0].DeliveryCount != 2 {
		t.Errorf("delivery %d, want the second", messages[0].DeliveryCount)
	}
}

func TestFaultRefusesTheToken(t *testing.T) {
	w, _ := faultyWorld(t, fakerelay.QueueOptions{}, fakerelay.Fault{Effect: fakerelay.EffectRefuse, Operation: fakerelay.PutToken, Entity: queueName})
	sender := newSender(t, w.client, queueName)
	err := sender.SendMessage(within(t), body("m"), nil)
	hasCode(t, err, azservicebus.CodeUnauthorizedAccess)
	says(t, err, "InvalidSignature: The token has an invalid signature.")
	send(t, sender, body("m"))
}

// What the stock SDK gets over by itself. A message is there at least once, and no more often than what is said.
func TestTheSDKRecoversFromFaults(t *testing.T) {
	for name, test := range map[string]struct {
		fault fakerelay.Fault
		most  int
	}{
		"throttled senders":            {fakerelay.Fault{Effect: fakerelay.EffectThrottle, Operation: fakerelay.Enqueue, Times: 3}, 1},
		"throttled attaches":           {fakerelay.Fault{Effect: fakerelay.EffectThrottle, Operation: fakerelay.Attach, Entity: queueName, Role: "sender", Times: 2}, 1},
		"throttled tokens":             {fakerelay.Fault{Effect: fakerelay.EffectThrottle, Operation: fakerelay.PutToken}, 1},
		"a service error":              {fakerelay.Fault{Effect: fakerelay.EffectRefuse, Operation: fakerelay.Enqueue}, 1},
		"a detach":                     {fakerelay.Fault{Effect: fakerelay.EffectDetach, Operation: fakerelay.Enqueue}, 1},
		"a refused attach":             {fakerelay.Fault{Effect: fakerelay.EffectDetach, Operation: fakerelay.Attach, Entity: queueName}, 1},
		"a lost connection":            {fakerelay.Fault{Effect: fakerelay.EffectDisconnect, Operation: fakerelay.Enqueue}, 1},
		"a lost answer":                {fakerelay.Fault{Effect: fakerelay.EffectDisconnect, Operation: fakerelay.Enqueue, After: true}, 2},
		"a corrupt answer":             {fakerelay.Fault{Effect: fakerelay.EffectCorrupt, Operation: fakerelay.Enqueue, After: true}, 2},
		"a corrupt answer to a token":  {fakerelay.Fault{Effect: fakerelay.EffectCorrupt, Operation: fakerelay.PutToken}, 1},
		"a connection lost at a token": {fakerelay.Fault{Effect: fakerelay.EffectDisconnect, Operation: fakerelay.PutToken}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w, struck := faultyWorld(t, fakerelay.QueueOptions{}, test.fault)
			send(t, newSender(t, w.client, queueName), body("m"))
			for range max(test.fault.Times, 1) {
				<-struck
			}
			if n := w.queue(t).Count(); n < 1 || n > test.most {
				t.Errorf("%d messages, want 1 to %d", n, test.most)
			}
			r := newReceiver(t, w.client, queueName, nil)
			must(t, r.CompleteMessage(within(t), receive(t, r), nil))
		})
	}
}

// A receiver meets the fault when it is handed its message, which comes again once its lock has ended.
func TestTheSDKReceivesAfterFaults(t *testing.T) {
	for effect, over := range map[fakerelay.Effect]string{ // what the trace says when the link can take nothing any more
		fakerelay.EffectSwallow:    "",
		fakerelay.EffectDetach:     "!! again attached",
		fakerelay.EffectDisconnect: " 1 -- disconnected",
		fakerelay.EffectCorrupt:    " 1 -- disconnected",
	} {
		t.Run(string(effect), func(t *testing.T) {
			w, struck := faultyWorld(t, fakerelay.QueueOptions{LockDuration: time.Minute}, fakerelay.Fault{Effect: effect, Operation: fakerelay.Deliver})
			w.sends(t, "m")
			var trace syncBuffer
			defer w.Trace(&trace)()
			var attached atomic.Int32
			w.Hook(func(e fakerelay.Event) fakerelay.Action {
				if e.Kind == fakerelay.Attach && e.Entity == queueName {
					if attached.Add(1) == 2 { // the end of the first has been seen to
						fmt.Fprint(&trace, "!! again attached")
					}
				}
				return fakerelay.Pass
			})
			r := newReceiver(t, w.client, queueName, nil)
			received := make(chan *azservicebus.ReceivedMessage, 1)
			go func() {
				m, err := tryReceive(within(t), r)
				if err != nil {
					t.Error(err)
				}
				received <- m
			}()
			<-struck
			eventually(t, "the end of the link", func() bool { return strings.Contains(trace.String(), over) })
			w.clock.Advance(61 * time.Second)
			if m := <-received; m != nil && m.DeliveryCount != 2 {
				t.Errorf("delivery %d, want the second", m.DeliveryCount)
			}
		})
	}
}

func TestThrottlingForAWhile(t *testing.T) {
	w, struck := faultyWorld(t, fakerelay.QueueOptions{}, fakerelay.Fault{Effect: fakerelay.EffectThrottle, For: 30 * time.Second})
	w.client = client(t, w.ConnectionString(), &azservicebus.ClientOptions{RetryOptions: azservicebus.RetryOptions{MaxRetries: -1}})
	sender := newSender(t, w.client, queueName)
	err := sender.SendMessage(within(t), body("m"), nil)
	if err == nil {
		t.Fatal("a throttled namespace took a message")
	}
	says(t, err, "The request was terminated because the entity is being throttled. Error code: 50009. Please wait 2 seconds and try again.")
	<-struck
	w.clock.Advance(31 * time.Second)
	send(t, sender, body("m"))
}

func TestFaultMatchesAndCounts(t *testing.T) {
	w, _ := faultyWorld(t, fakerelay.QueueOptions{}, fakerelay.Fault{
		Effect: fakerelay.EffectDuplicate, Operation: fakerelay.Enqueue, Entity: strings.ToUpper(queueName), Nth: 2, Times: 2,
	})
	strike(t, w.Namespace, fakerelay.Fault{Effect: fakerelay.EffectSwallow, Entity: "elsewhere", Times: -1})
	strike(t, w.Namespace, fakerelay.Fault{Effect: fakerelay.EffectSwallow, Connection: 99, Times: -1})
	strike(t, w.Namespace, fakerelay.Fault{Effect: fakerelay.EffectSwallow, Container: "another", Times: -1})
	strike(t, w.Namespace, fakerelay.Fault{Effect: fakerelay.EffectSwallow, MessageID: "another", Times: -1})
	w.sends(t, "1", "2", "3", "4")
	if got := bodies(t, w); !slices.Equal(got, []string{"1", "2", "2", "3", "3", "4"}) {
		t.Errorf("the queue holds %q", got)
	}
	all := w.Faults()
	if len(all) != 5 || all[0].ID != "f1" || all[0].Seen != 3 || all[0].Hits != 2 || !all[0].Over || all[1].Hits != 0 || all[1].Over {
		t.Errorf("faults %+v", all)
	}
	must(t, w.RemoveFault("f2"))
	if err := w.RemoveFault("f2"); err == nil || err.Error() != `"f2": no such fault` {
		t.Errorf("removing it again: %v", err)
	}
	w.ClearFaults()
	if left := w.Faults(); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

func TestFaultOfOneSeedStrikesAlike(t *testing.T) {
	hits := func(seed uint64) string {
		w, struck := faultyWorld(t, fakerelay.QueueOptions{}, fakerelay.Fault{
			Effect: fakerelay.EffectDuplicate, Operation: fakerelay.Enqueue, Times: -1, Probability: 0.5, Seed: seed,
		})
		sender := newSender(t, w.client, queueName)
		var pattern strings.Builder
		for range 40 {
			send(t, sender, body("m"))
			fmt.Fprint(&pattern, len(struck), " ")
		}
		return pattern.String()
	}
	first := hits(7)
	if again := hits(7); again != first {
		t.Errorf("the same seed struck %s and %s", first, again)
	}
	if other := hits(8); other == first {
		t.Error("another seed struck alike")
	}
}

func TestFaultAsJSON(t *testing.T) {
	const text = `{"effect":"throttle","operation":"request","request":"renew-lock","entity":"q","nth":2,"times":3,"probability":0.5,"seed":7,"seen":0,"hits":0,"over":false,"for":"1m0s","retryAfter":"2s"}`
	var f fakerelay.Fault
	must(t, json.Unmarshal([]byte(text), &f))
	if f.Effect != fakerelay.EffectThrottle || f.Operation != fakerelay.Request || f.For != time.Minute || f.RetryAfter != 2*time.Second || f.Nth != 2 {
		t.Errorf("read %+v", f)
	}
	written, err := json.Marshal(f)
	must(t, err)
	if string(written) != text {
		t.Errorf("written %s", written)
	}
}

func TestFaultIsRefused(t *testing.T) {
	n := fakerelay.RunT(t)
	for text, want := range map[string]string{
		`{"effect": "explode"}`:                                                    `effect "explode": must be one of`,
		`{"effect": "swallow", "entitty": "q"}`:                                    `unknown field "entitty"`,
		`{"effect": "delay", "delay": "long"}`:                                     `delay "long": must be a duration such as "2s"`,
		`{"effect": "swallow", "operation": "dance"}`:                              `operation "dance": must be one of`,
		`{"effect": "throttle", "operation": "deliver"}`:                           `effect throttle: cannot strike before a deliver`,
		`{"effect": "duplicate", "after": true}`:                                   `effect duplicate: cannot strike after something has happened`,
		`{"effect": "lose-lock", "operation": "enqueue"}`:                          `effect lose-lock: cannot strike before a enqueue`,
		`{"effect": "swallow", "role": "sender"}`:                                  `role: must be sender or receiver, and needs the operation attach`,
		`{"effect": "swallow", "request": "renew-lock"}`:                           `request: needs the operation request or administer`,
		`{"effect": "swallow", "operation": "administer", "request": "POST"}`:      `request "POST": of the operation administer must be one of [GET PUT DELETE]`,
		`{"effect": "detach", "operation": "administer"}`:                          `effect detach: cannot strike before a administer`,
		`{"effect": "throttle", "operation": "administer", "after": true}`:         `effect throttle: cannot strike after something has happened`,
		`{"effect": "throttle", "operation": "administer", "status": 503}`:         `status: only refuse has one`,
		`{"effect": "refuse", "status": 503}`:                                      `status: only refuse has one, with the operation administer`,
		`{"effect": "refuse", "operation": "administer", "status": 200}`:           `status 200: must be 400 to 599`,
		`{"effect": "refuse", "operation": "administer", "condition": "amqp:x"}`:   `condition: only refuse and detach have one, and not with`,
		`{"effect": "throttle", "operation": "enqueue", "retryAfter": "2s"}`:       `retryAfter: only refuse and throttle have one`,
		`{"effect": "refuse", "operation": "administer", "retryAfter": "-2s"}`:     `for, delay and retryAfter: must not be negative`,
		`{"effect": "swallow", "probability": 2}`:                                  `probability 2: must be`,
		`{"effect": "swallow", "nth": -1}`:                                         `nth -1`,
		`{"effect": "swallow", "condition": "amqp:not-found"}`:                     `condition: only refuse and detach have one, and not with`,
		`{"effect": "refuse", "description": "no"}`:                                `description: needs a condition or a status`,
		`{"effect": "swallow", "for": "-1s"}`:                                      `for, delay and retryAfter: must not be negative`,
		`{"effect": "swallow", "operation": "attach", "role": "both"}`:             `role: must be`,
		`{"effect": "corrupt", "operation": "deliver", "after": true, "times": 2}`: `effect corrupt: cannot strike after a deliver`,
	} {
		var f fakerelay.Fault
		err := json.Unmarshal([]byte(text), &f)
		if err == nil {
			_, err = n.AddFault(f)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestFaultIsInLogAndTrace(t *testing.T) {
	w, _ := faultyWorld(t, fakerelay.QueueOptions{}, fakerelay.Fault{Effect: fakerelay.EffectDuplicate, Operation: fakerelay.Enqueue})
	var trace syncBuffer
	stop := w.Trace(&trace)
	w.sends(t, "secret body")
	stop()
	got := trace.String()
	for _, want := range []string{" 1 ++ connected from 127.0.0.1:", " 1 <- 0: open ", " 1 !! fault f1: duplicate enqueue of " + queueName + "\n", "payload="} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in the trace:\n%s", want, got)
		}
	}
	for _, forbidden := range []string{"secret body", "SharedAccessSignature", "sig="} {
		if strings.Contains(got, forbidden) {
			t.Errorf("%q is in the trace", forbidden)
		}
	}
	w.sends(t, "more")
	if later := trace.String(); later != got {
		t.Error("the trace goes on after it was stopped")
	}
}

package cloud_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/fakerelay"
	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// serves reports whether the keys that an agent was told open every queue for it.
func serves(t *testing.T, w *sim.World, told protocol.EnrolResponse) bool {
	t.Helper()
	for queue, rule := range map[string]protocol.SASRule{protocol.QueueAnswers: told.Relays[0].Answers, protocol.QueueStatus: told.Relays[0].Status} {
		client, err := azservicebus.NewClientFromConnectionString(
			"Endpoint=sb://"+w.Relay.AMQPSAddr()+";SharedAccessKeyName="+rule.Name+";SharedAccessKey="+rule.Key.Reveal(),
			&azservicebus.ClientOptions{TLSConfig: &tls.Config{RootCAs: w.CA.Pool(), ServerName: "localhost"}})
		must(t, err)
		defer client.Close(t.Context())
		sender, err := client.NewSender(queue, nil)
		must(t, err)
		if _, err := sender.NewMessageBatch(t.Context(), nil); err != nil {
			if told, ok := errors.AsType[*azservicebus.Error](err); !ok || told.Code != azservicebus.CodeUnauthorizedAccess {
				t.Fatal(err)
			}
			return false
		}
	}
	return true
}

// uses has an agent beat and name the keys of this enrolment.
func uses(told protocol.EnrolResponse) func(*protocol.Heartbeat) {
	return func(h *protocol.Heartbeat) {
		for _, r := range told.Relays {
			h.Relays = append(h.Relays, protocol.RelayState{Host: r.Host, Listening: true, Keys: r.Thumbprint()})
		}
	}
}

func agentRotates(w *sim.World) bool {
	return slices.ContainsFunc(w.Cloud.RelayKeys(), func(k cloud.RelayKeyState) bool { return k.Agent != "" && k.Rotating })
}

func renewed(t *testing.T, a *applicant) protocol.EnrolResponse {
	t.Helper()
	r, refused := a.post(protocol.EnrolRequest{AgentID: a.agentID})
	if refused != nil {
		t.Fatal(refused)
	}
	return r
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s does not come about", what)
		}
	}
}

// The former key serves until the agent has said that it uses the other one.
func TestFormerRelayKeyServesUntilNothingUsesIt(t *testing.T) {
	w := withoutAgent(t)
	a, former := joined(t, w)
	beat(t, w, former, uses(former))
	must(t, w.Cloud.RotateRelayKeys(t.Context(), cloud.Rotation{Actor: "admin@corp.example"}))
	if err := w.Cloud.RotateRelayKeys(t.Context(), cloud.Rotation{}); !errors.Is(err, cloud.ErrRotating) {
		t.Errorf("again while it goes on: %v", err)
	}
	told := renewed(t, a)
	if told.Relays[0].Thumbprint() == former.Relays[0].Thumbprint() {
		t.Fatal("the agent is told the former keys")
	}
	beat(t, w, former, uses(former))
	if !agentRotates(w) || !serves(t, w, former) || !serves(t, w, told) {
		t.Error("told, and not changed over yet: one of the keys does not serve")
	}
	beat(t, w, told, uses(told))
	eventually(t, "the end of the former keys", func() bool { return !agentRotates(w) })
	if serves(t, w, former) || !serves(t, w, told) {
		t.Error("changed over: want the new keys to serve, and the former not to")
	}
	if again := renewed(t, a); again.Relays[0].Thumbprint() != told.Relays[0].Thumbprint() {
		t.Error("a renewal after it brings other keys")
	}
	if e := w.Cloud.Audit(); !slices.ContainsFunc(e, func(e cloud.AuditEntry) bool {
		return e.Activity == cloud.ActivityRelayKeys && e.Actor == "admin@corp.example" && e.Success && strings.HasPrefix(e.Target, "agent-")
	}) {
		t.Errorf("the audit log does not tell of it: %+v", e)
	}
}

func TestRelayKeysReplacedAtOnceServeNoMore(t *testing.T) {
	w := withoutAgent(t)
	a, other := newApplicant(t, w), newApplicant(t, w)
	former, refused := a.enrol(w.Cloud.NewEnrolToken(0))
	if refused != nil {
		t.Fatal(refused)
	}
	untouched, refused := other.enrol(w.Cloud.NewEnrolToken(0))
	if refused != nil {
		t.Fatal(refused)
	}
	for _, going := range []bool{false, true} { // also while a rotation goes on
		if going {
			must(t, w.Cloud.RotateRelayKeys(t.Context(), cloud.Rotation{Agent: a.agentID}))
		}
		must(t, w.Cloud.RotateRelayKeys(t.Context(), cloud.Rotation{Agent: a.agentID, Immediate: true}))
		if agentRotates(w) || serves(t, w, former) || !serves(t, w, untouched) {
			t.Error("want the keys of this agent alone to be refused")
		}
		if former = renewed(t, a); !serves(t, w, former) {
			t.Error("the keys that the agent is told then do not serve")
		}
	}
	if err := w.Cloud.RotateRelayKeys(t.Context(), cloud.Rotation{Agent: "nobody"}); err == nil {
		t.Error("keys of an agent that is none were replaced")
	}
}

// Who is not there asks for its keys when it starts: nothing waits for it.
func TestAgentThatIsGoneHoldsNoRotationUp(t *testing.T) {
	w := withoutAgent(t)
	a, former := joined(t, w)
	beat(t, w, former, uses(former))
	must(t, w.Cloud.RotateRelayKeys(t.Context(), cloud.Rotation{}))
	beat(t, w, former, func(h *protocol.Heartbeat) { h.Goodbye = true })
	eventually(t, "the end of the former keys", func() bool { return !agentRotates(w) })
	if serves(t, w, former) || !serves(t, w, renewed(t, a)) {
		t.Error("want the former keys not to serve, and those that it is told when it is back to")
	}
}

func TestRelayKeysAreReplacedByTheClock(t *testing.T) {
	w := withoutAgent(t)
	former := enrolled(t, w)
	own := w.Cloud.RelayKeys()
	must(t, w.Advance(t.Context(), cloud.DefaultRelayKeyLife))
	eventually(t, "a rotation", func() bool { return w.Cloud.RelayKeys()[0].Since.After(own[0].Since) && agentRotates(w) })
	beat(t, w, former, func(h *protocol.Heartbeat) { h.Goodbye = true })
	eventually(t, "its end", func() bool {
		return !slices.ContainsFunc(w.Cloud.RelayKeys(), func(k cloud.RelayKeyState) bool { return k.Rotating })
	})
}

// A relay that takes no rules keeps the cloud by the keys that it has.
func TestRelayThatTakesNoRulesIsTold(t *testing.T) {
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Queues: []fakerelay.QueueOptions{
		{Name: protocol.QueueRequests}, {Name: protocol.QueueAnswers, RequiresSession: true}, {Name: protocol.QueueStatus},
	}})
	var refuses atomic.Bool
	tenant, err := cloud.New(cloud.Options{Relays: []cloud.Relay{{
		Host: "localhost", Endpoint: n.AMQPSAddr(), RootCAs: n.CA().Pool(),
		SetRule: func(_ context.Context, queue string, r cloud.Rule) error {
			if refuses.Load() {
				return errors.New("management is out of order")
			}
			return n.SetKey(queue, fakerelay.Key{
				Name: r.Name, Secret: r.Primary.Reveal(), Secondary: r.Secondary.Reveal(), Rights: fakerelay.Listen | fakerelay.Send,
			})
		},
	}}})
	must(t, err)
	defer tenant.Close()
	refuses.Store(true)
	if err := tenant.RotateRelayKeys(t.Context(), cloud.Rotation{}); err == nil || tenant.RelayKeys()[0].Rotating {
		t.Errorf("a rotation goes on that was not written: %v", err)
	}
	refuses.Store(false)
	must(t, tenant.RotateRelayKeys(t.Context(), cloud.Rotation{Immediate: true}))
	must(t, tenant.RotateRelayKeys(t.Context(), cloud.Rotation{}))
	eventually(t, "its end", func() bool { return !tenant.RelayKeys()[0].Rotating })
}

// Where one of two relays takes no rules, an agent is told its keys for the other all the same; one that comes is not, since
// it could not work by both.
func TestAgentRenewsWhileOneRelayTakesNoRules(t *testing.T) {
	w := sim.RunT(t, sim.Options{WithoutAgent: true, SecondRelay: true})
	a, former := joined(t, w)
	must(t, w.Relays[1].DeleteQueue(protocol.QueueStatus)) // which takes no rule any more
	if err := w.Cloud.RotateRelayKeys(t.Context(), cloud.Rotation{Agent: a.agentID, Immediate: true}); err == nil {
		t.Error("nobody is told that a relay did not take the keys")
	}
	told := renewed(t, a)
	if serves(t, w, former) || !serves(t, w, told) {
		t.Error("the relay that takes rules: want the new keys to serve, and the former not to")
	}
	if _, refused := newApplicant(t, w).enrol(w.Cloud.NewEnrolToken(0)); refused == nil || refused.Status != http.StatusServiceUnavailable {
		t.Errorf("an agent that comes: %v", refused)
	}
	must(t, w.Relays[1].CreateQueue(fakerelay.QueueOptions{Name: protocol.QueueStatus}))
	if _, refused := newApplicant(t, w).enrol(w.Cloud.NewEnrolToken(0)); refused != nil {
		t.Errorf("an agent that comes when both relays take rules: %v", refused)
	}
}

// Agents come, renew and leave while keys are replaced: whoever stays is told keys that serve.
func TestRelayKeysAreReplacedWhileAgentsComeAndGo(t *testing.T) {
	w := withoutAgent(t)
	var coming sync.WaitGroup
	staying := make([]*applicant, 3)
	for i := range staying {
		staying[i] = newApplicant(t, w)
		coming.Go(func() {
			if _, refused := staying[i].enrol(w.Cloud.NewEnrolToken(0)); refused != nil {
				t.Error(refused)
			}
			leaver := newApplicant(t, w)
			if _, refused := leaver.enrol(w.Cloud.NewEnrolToken(0)); refused != nil {
				t.Error(refused)
			} else if err := w.Cloud.Unenrol(t.Context(), leaver.agentID); err != nil {
				t.Error(err)
			}
		})
		coming.Go(func() {
			if err := w.Cloud.RotateRelayKeys(t.Context(), cloud.Rotation{Immediate: i > 0}); err != nil && !errors.Is(err, cloud.ErrRotating) {
				t.Error(err)
			}
		})
	}
	coming.Wait()
	for _, a := range staying {
		if told := renewed(t, a); !serves(t, w, told) {
			t.Error("an agent is told keys that do not serve")
		}
	}
	if all := w.Cloud.RelayKeys(); len(all) != 1+len(staying) {
		t.Errorf("rules of agents that left: %+v", all)
	}
}

// Where the cloud's own keys are replaced at once, a request that is being sent is let through first: cut off, nobody
// could say whether the relay had taken it.
func TestRequestBeingSentOutlivesTheCloudsKey(t *testing.T) {
	w := sim.RunT(t)
	sending, goOn, opened := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var once, second sync.Once
	w.Relay.Hook(func(e fakerelay.Event) fakerelay.Action {
		action := fakerelay.Pass
		switch {
		case e.Entity != protocol.QueueRequests:
		case e.Kind == fakerelay.Enqueue && !e.Done:
			once.Do(func() {
				close(sending)
				action = fakerelay.Hold(goOn)
			})
		case e.Kind == fakerelay.Attach && e.Role == "sender":
			second.Do(func() { close(opened) })
		}
		return action
	})
	asked, rotated := make(chan cloud.Result, 1), make(chan error, 1)
	go func() { asked <- reset(t, w) }()
	<-sending
	go func() { rotated <- w.Cloud.RotateRelayKeys(t.Context(), cloud.Rotation{Immediate: true}) }()
	<-opened // a connection by the new key
	close(goOn)
	if r := <-asked; r.Outcome != protocol.Success {
		t.Errorf("told %s (%s)", r.Outcome, r.Detail)
	}
	must(t, <-rotated)
}

package sim

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"passback/fakead"
	"passback/fakerelay"
	"passback/writeback/protocol"
)

// Faults: named, one-shot, off unless armed. Each is one thing that happens once, to the next request that meets it.

const loseAnswer = "relay.lose-answer"

// faultTexts is the list, with what each does.
var faultTexts = map[string]string{
	"relay.lose-request":          "the relay loses the next request: nobody answers, and the outcome is unknown at the deadline",
	loseAnswer:                    "the relay loses the next answer, as often as the agent gives it: the directory has taken the password, and the outcome is unknown",
	"relay.cut-delivery":          "the agent's connection breaks when the next request is handed to it: it is delivered again",
	"relay.cut-settlement":        "the agent's connection breaks when it settles the next request: it is delivered again, and not applied twice",
	"directory.cut-before-modify": "the directory's connection breaks before the next modify is applied",
	"directory.cut-after-modify":  "the directory's connection breaks after the next modify is applied: the agent has to find out",
	"cloud.copy-fails":            "the next write of the cloud's copy fails, after the directory took the password",
}

// relayFaults are those of the list that strike in the relay; ArmRelayFault takes any other.
var relayFaults = map[string]fakerelay.Fault{
	"relay.lose-request":   {Effect: fakerelay.EffectSwallow, Operation: fakerelay.Enqueue, Entity: protocol.QueueRequests},
	loseAnswer:             {Effect: fakerelay.EffectSwallow, Operation: fakerelay.Enqueue, Entity: protocol.QueueAnswers},
	"relay.cut-delivery":   {Effect: fakerelay.EffectDisconnect, Operation: fakerelay.Deliver, Entity: protocol.QueueRequests},
	"relay.cut-settlement": {Effect: fakerelay.EffectDisconnect, Operation: fakerelay.Complete, Entity: protocol.QueueRequests},
}

var directoryFaults = map[string]fakead.Stage{
	"directory.cut-before-modify": fakead.BeforeModify,
	"directory.cut-after-modify":  fakead.AfterModify,
}

type faults struct {
	mu     sync.Mutex
	armed  map[string]bool
	listed map[string]bool // ids of the first relay's faults that are of the list
}

// A Fault is one of the list, or one of the relay's own that was given as such.
type Fault struct {
	Name  string           `json:"name"`
	Does  string           `json:"does,omitempty"`
	Armed bool             `json:"armed"`
	Relay *fakerelay.Fault `json:"relay,omitempty"` // nil: one of the list
}

// Faults lists them, by name, and then those of the relay.
func (w *World) Faults() []Fault {
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	var list []Fault
	for _, name := range slices.Sorted(maps.Keys(faultTexts)) {
		list = append(list, Fault{Name: name, Does: faultTexts[name], Armed: w.faults.armed[name]})
	}
	for _, f := range w.Relay.Faults() {
		if !w.faults.listed[f.ID] {
			list = append(list, Fault{Name: "relay." + f.ID, Armed: !f.Over, Relay: &f})
		}
	}
	return list
}

// ArmRelayFault has something go wrong in the first relay.
func (w *World) ArmRelayFault(f fakerelay.Fault) error {
	f.Struck = func(e fakerelay.Event) { w.traceFault(string(f.Effect), e) }
	_, err := w.Relay.AddFault(f)
	return err
}

// loseAgain goes on losing an answer that was lost, since an agent that is told nothing gives it again.
func (w *World) loseAgain(n *fakerelay.Namespace, e fakerelay.Event) {
	if e.MessageID == "" { // not an agent's of ours: nothing tells it from other answers
		return
	}
	f := relayFaults[loseAnswer]
	f.MessageID, f.For = e.MessageID, protocol.DefaultDeadline
	f.Struck = func(e fakerelay.Event) { w.traceFault(loseAnswer, e) }
	id, err := n.AddFault(f)
	if err != nil {
		w.log.Warn("an answer that was lost may come after all", "messageId", e.MessageID, "error", err)
		return
	}
	if n == w.Relay {
		w.faults.mu.Lock()
		defer w.faults.mu.Unlock()
		w.faults.listed[id] = true
	}
}

// armOfList arms one of the list in every relay, where the first that meets it takes it from the others.
func (w *World) armOfList(name string, f fakerelay.Fault) error {
	var disarm []func()
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	w.faults.armed[name] = true
	for _, n := range w.Relays {
		f.Struck = func(e fakerelay.Event) {
			w.traceFault(name, e)
			if w.faults.strikes(name) {
				for _, remove := range disarm {
					remove()
				}
			}
			if name == loseAnswer {
				w.loseAgain(n, e)
			}
		}
		id, err := n.AddFault(f)
		if err != nil {
			return err
		}
		if n == w.Relay {
			w.faults.listed[id] = true
		}
		disarm = append(disarm, func() { _ = n.RemoveFault(id) }) // it may be gone already
	}
	return nil
}

// ArmFault lets it happen once.
func (w *World) ArmFault(name string) error {
	if faultTexts[name] == "" {
		return fmt.Errorf("fault %.60q: want one of %q", name, slices.Sorted(maps.Keys(faultTexts)))
	}
	if directoryFaults[name] != "" && w.Directory == nil {
		return fmt.Errorf("fault %s: the directory is not the built-in one", name)
	}
	if name == "cloud.copy-fails" {
		w.Cloud.FailCloudWrites(1)
		return nil
	}
	if f, is := relayFaults[name]; is {
		return w.armOfList(name, f)
	}
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	w.faults.armed[name] = true
	return nil
}

// DisarmFaults takes back those that have not happened.
func (w *World) DisarmFaults() {
	w.Cloud.FailCloudWrites(0)
	for _, n := range w.Relays {
		n.ClearFaults()
	}
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	clear(w.faults.armed)
}

// strikes takes a fault if it is armed.
func (f *faults) strikes(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.armed[name] {
		return false
	}
	delete(f.armed, name)
	return true
}

func (f *faults) onDirectory(o fakead.Operation) fakead.Action {
	for name, stage := range directoryFaults {
		if o.Stage == stage && f.strikes(name) {
			return fakead.Disconnect()
		}
	}
	return fakead.Pass()
}

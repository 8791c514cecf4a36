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

// faultTexts is the list, with what each does.
var faultTexts = map[string]string{
	"relay.lose-request":          "the relay loses the next request: nobody answers, and the outcome is unknown at the deadline",
	"relay.lose-answer":           "the relay loses the next answer: the directory has taken the password, and the outcome is unknown",
	"relay.cut-delivery":          "the agent's connection breaks when the next request is handed to it: it is delivered again",
	"relay.cut-settlement":        "the agent's connection breaks when it settles the next request: it is delivered again, and not applied twice",
	"directory.cut-before-modify": "the directory's connection breaks before the next modify is applied",
	"directory.cut-after-modify":  "the directory's connection breaks after the next modify is applied: the agent has to find out",
	"cloud.copy-fails":            "the next write of the cloud's copy fails, after the directory took the password",
}

// relayFaults name the events that they strike before these take effect.
var relayFaults = map[string]struct {
	kind   fakerelay.Kind
	queue  string
	action fakerelay.Action
}{
	"relay.lose-request":   {fakerelay.Enqueue, protocol.QueueRequests, fakerelay.Drop},
	"relay.lose-answer":    {fakerelay.Enqueue, protocol.QueueAnswers, fakerelay.Drop},
	"relay.cut-delivery":   {fakerelay.Deliver, protocol.QueueRequests, fakerelay.Disconnect},
	"relay.cut-settlement": {fakerelay.Complete, protocol.QueueRequests, fakerelay.Disconnect},
}

var directoryFaults = map[string]fakead.Stage{
	"directory.cut-before-modify": fakead.BeforeModify,
	"directory.cut-after-modify":  fakead.AfterModify,
}

type faults struct {
	mu    sync.Mutex
	armed map[string]bool
}

// A Fault is one of the list.
type Fault struct {
	Name  string `json:"name"`
	Does  string `json:"does"`
	Armed bool   `json:"armed"`
}

// Faults lists them, by name.
func (w *World) Faults() []Fault {
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	var list []Fault
	for _, name := range slices.Sorted(maps.Keys(faultTexts)) {
		list = append(list, Fault{name, faultTexts[name], w.faults.armed[name]})
	}
	return list
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
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	w.faults.armed[name] = true
	return nil
}

// DisarmFaults takes back those that have not happened.
func (w *World) DisarmFaults() {
	w.Cloud.FailCloudWrites(0)
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

func (f *faults) onRelay(e fakerelay.Event) fakerelay.Action {
	for name, at := range relayFaults {
		if !e.Done && e.Kind == at.kind && e.Entity == at.queue && f.strikes(name) {
			return at.action
		}
	}
	return fakerelay.Pass
}

func (f *faults) onDirectory(o fakead.Operation) fakead.Action {
	for name, stage := range directoryFaults {
		if o.Stage == stage && f.strikes(name) {
			return fakead.Disconnect()
		}
	}
	return fakead.Pass()
}

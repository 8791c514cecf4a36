// Package scenarios is what must hold of password writeback, as data: each Scenario has a stable id, says what it needs
// of a Target, and proves by binds and LDAP reads what the answer claims. A scenario sees its Target and nothing else,
// so that the same list runs against the fake directory and a real one, against our agent and another's.
//
// The runners lie apart: report runs the list for the command line, suite for Ginkgo; targets holds the Targets that are
// made of a sim.World.
package scenarios

import (
	"slices"
	"time"
)

// An Area groups scenarios by what they are about; each has a file.
type Area string

// The areas.
const (
	AreaPolicy      Area = "policy"
	AreaFeedback    Area = "feedback"
	AreaWays        Area = "ways"
	AreaSetup       Area = "setup"
	AreaOutbound    Area = "outbound"
	AreaAtMostOnce  Area = "atmostonce"
	AreaSealed      Area = "sealed"
	AreaControllers Area = "controllers"
)

// A Scenario is one thing that must hold.
type Scenario struct {
	ID       string       // stable for ever, such as PB-POLICY-001; never given to another scenario
	Title    string       // what holds, as a sentence
	Area     Area         // its file
	Source   string       // where it is laid down
	Requires []Capability // a target that lacks one skips the scenario, with the target's reason
	Slow     bool         // it waits for a lock or a deadline to pass: several seconds
	Setup    Setup        // how its target is opened
	Run      func(*T)     // its steps
}

// Setup is how a scenario finds the world. The zero value is the usual one: writeback is configured and on, one agent
// is enrolled and alive, one relay carries the messages, no person is there yet.
type Setup struct {
	Unconfigured bool          // nothing synchronised, nobody enrolled
	NoAgent      bool          // configured, but no agent was started
	SecondRelay  bool          // two relays, either of which may carry a request
	Deadline     time.Duration // that the tenant gives a request; default protocol.DefaultDeadline
	Lock         time.Duration // of the relay's requests queue; default protocol.LockDuration
	Controllers  []Controller  // the domain's, in the order in which agents have them; default: one (Controllers)
	Release      string        // of Windows Server that the directory is one of; default: the target's own (Release2025)
}

// A Controller is a domain controller. The first writable one is the PDC emulator.
type Controller struct {
	Host     string // first label of its name
	ReadOnly bool
}

// Labels are what a label filter matches: the id, Area:x, Feature:x for each capability that is required, Slow.
func (s Scenario) Labels() []string {
	labels := []string{s.ID, "Area:" + string(s.Area)}
	for _, c := range s.Requires {
		labels = append(labels, "Feature:"+string(c))
	}
	if s.Slow {
		labels = append(labels, "Slow")
	}
	return labels
}

// All returns every scenario, in the order of the areas.
func All() []Scenario {
	return slices.Concat(policyScenarios, feedbackScenarios, waysScenarios(), setupScenarios, outboundScenarios, atMostOnceScenarios, sealedScenarios, controllerScenarios)
}

// Package suite runs the scenarios under Ginkgo, for those whose CI speaks it. Importing it registers flags and no spec;
// Register builds the tree, Run is Register and RunSpecs. It is the one package that imports Ginkgo.
//
// Labels are those of scenarios.Scenario.Labels and Target:name, so that --ginkgo.label-filter='Area:policy && !Slow'
// does what it says. A scenario that a target cannot serve is skipped, with the target's reason.
package suite

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2" //nolint:staticcheck // Ginkgo is written to be read so
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega" //nolint:staticcheck // as Gomega is

	"passback/scenarios"
	"passback/scenarios/report"
)

// A Target is one thing to run the scenarios against.
type Target struct {
	Name   string // of its container and its label, one word
	Opener scenarios.Opener
	Filter string // label filter of the scenarios that are registered; default: all
}

const (
	scenarioTimeout = 3 * time.Minute
	gracePeriod     = 15 * time.Second
)

// Register builds a container for the target. Call it while the tree is built, or before RunSpecs; Gomega's fail handler
// must be registered.
func Register(target Target) error {
	list, err := report.List(target.Filter)
	if err != nil {
		return err
	}
	Describe(target.Name, Label("Target:"+target.Name), func() {
		for _, s := range list {
			args := []any{Label(s.Labels()...), NodeTimeout(scenarioTimeout + gracePeriod), GracePeriod(gracePeriod)}
			if target.Opener.Describe().Shared {
				args = append(args, Serial)
			}
			It(s.ID+" "+s.Title, append(args, func(ctx SpecContext) { run(ctx, target.Opener, s) })...)
		}
	})
	return nil
}

func run(ctx SpecContext, opener scenarios.Opener, s scenarios.Scenario) {
	GinkgoHelper()
	r := report.RunOne(ctx, opener, s, scenarioTimeout)
	for _, step := range r.Steps {
		GinkgoWriter.Printf("%7.3fs %s\n", step.At.Seconds(), step.Text)
	}
	if r.Verdict == scenarios.Skipped {
		Skip(r.Reason)
	}
	Expect(r.Verdict).To(Equal(scenarios.Passed), r.Reason)
}

// Run registers the targets and runs the specs, once in a process. Without a label filter of the command line it
// leaves out what is Slow.
func Run(t GinkgoTestingT, targets ...Target) bool {
	for _, target := range targets {
		if err := Register(target); err != nil {
			GinkgoWriter.Println(err)
			t.Fail()
			return false
		}
	}
	ReportAfterSuite("what was skipped, and why", func(r types.Report) {
		fmt.Print(counted(r)) // where Ginkgo's own report goes
	})
	RegisterFailHandler(Fail)
	suiteConfig, reporterConfig := GinkgoConfiguration()
	if suiteConfig.LabelFilter == "" {
		suiteConfig.LabelFilter = "!Slow"
	}
	return RunSpecs(t, "password writeback", suiteConfig, reporterConfig)
}

// counted counts the skips by reason. What a label filter left out has none.
func counted(r types.Report) string {
	var reasons []string
	count := map[string]int{}
	for _, s := range r.SpecReports.WithState(types.SpecStateSkipped) {
		reason := s.Failure.Message
		if reason == "" {
			reason = "left out by the label filter"
		}
		if count[reason]++; count[reason] == 1 {
			reasons = append(reasons, reason)
		}
	}
	var out strings.Builder
	for _, reason := range reasons {
		fmt.Fprintf(&out, "\nskipped %d: %s", count[reason], reason)
	}
	return out.String() + "\n"
}

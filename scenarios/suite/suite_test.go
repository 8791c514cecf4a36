package suite_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"passback/scenarios/suite"
	"passback/scenarios/targets"
)

// TestScenarios runs the scenarios against a fakead with the agent in the world, and those about the agent's process
// with the built agent; or, with PASSBACK_TARGET, against the target of that file. What is Slow runs with a label
// filter that takes it, such as --ginkgo.label-filter='Slow || !Slow'.
func TestScenarios(t *testing.T) {
	if path := os.Getenv("PASSBACK_TARGET"); path != "" {
		f, err := targets.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		suite.Run(t, suite.Target{Name: "target", Opener: opener(t, f)})
		return
	}
	process := targets.File{Agent: targets.Agent{Command: []string{buildAgent(t)}}}
	suite.Run(t,
		suite.Target{Name: "world", Opener: opener(t, targets.File{})},
		suite.Target{Name: "process", Opener: opener(t, process), Filter: "Area:outbound || PB-WAYS-001 || PB-ONCE-002 || PB-ONCE-014 || PB-DC-002"})
}

func opener(t *testing.T, f targets.File) *targets.Opener {
	t.Helper()
	o, err := targets.New(f)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// buildAgent builds the agent that production runs.
func buildAgent(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "passback-agent")
	build := exec.Command("go", "build", "-o", binary, "passback/cmd/passback-agent")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the agent: %v\n%s", err, out)
	}
	return binary
}

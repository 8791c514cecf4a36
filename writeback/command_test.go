package writeback_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"passback/writeback"
	"passback/writeback/protocol"
)

func TestWrongUsageExitsWithTwo(t *testing.T) {
	for line, want := range map[string]int{
		"": 2, "fly": 2, "run": 2, "run --confg x": 2, "run --config x y": 2, "enroll --config x": 2,
		"run --config /does/not/exist": 1, "enroll --config /does/not/exist --token-file x": 1, "--help": 0,
	} {
		var stderr bytes.Buffer
		root := writeback.Command()
		root.SetOut(new(bytes.Buffer))
		if got := writeback.Main(root, strings.Fields(line), &stderr); got != want {
			t.Errorf("passback-agent %s: exit code %d, want %d (%s)", line, got, want, &stderr)
		}
		if want != 0 && !strings.HasPrefix(stderr.String(), "passback-agent: ") {
			t.Errorf("passback-agent %s: said %q", line, &stderr)
		}
	}
}

// TestBinaryEnrolsServesAndStops runs the agent as an organisation does: as a process of its own.
func TestBinaryEnrolsServesAndStops(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a binary")
	}
	l := newLab(t)
	binary := filepath.Join(t.TempDir(), "passback-agent")
	if out, err := exec.Command("go", "build", "-o", binary, "passback/cmd/passback-agent").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.Command(binary, "enroll", "--config", l.path("agent.yaml"), "--token-file", l.path("token")).CombinedOutput(); err != nil {
		t.Fatalf("enroll: %v\n%s", err, out)
	}
	l.write("ready.json", "of an earlier run")
	agent := exec.Command(binary, "run", "--config", l.path("agent.yaml"), "--ready-file", l.path("ready.json"))
	var stderr bytes.Buffer
	agent.Stderr = &stderr
	must(t, agent.Start())
	t.Cleanup(func() { _ = agent.Process.Kill() })
	var ready struct {
		CAFile string `json:"ca_file"`
		Mode   protocol.Mode
	}
	eventually(t, "the ready file", func() bool {
		text, err := os.ReadFile(l.path("ready.json"))
		return err == nil && json.Unmarshal(text, &ready) == nil
	})
	if ready.CAFile != l.path("ca.pem") || ready.Mode != protocol.Active {
		t.Errorf("the ready file says %+v", ready)
	}
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("answered %+v", a)
	}
	must(t, agent.Process.Signal(syscall.SIGTERM))
	ended := make(chan error, 1)
	go func() { ended <- agent.Wait() }()
	select {
	case err := <-ended:
		must(t, err)
	case <-time.After(patience):
		t.Fatal("it does not stop")
	}
	if _, err := os.Stat(l.path("ready.json")); !os.IsNotExist(err) {
		t.Errorf("the ready file is still there: %v", err)
	}
	if strings.Contains(stderr.String(), "Spring-Evening-42") || strings.Contains(stderr.String(), bindPassword) {
		t.Error("a password was logged")
	}
}

// TestAgentCarriesNoFake: what runs on a domain's trusted host has no fake directory, no fault injector and no
// test framework in it.
func TestAgentCarriesNoFake(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "passback/cmd/passback-agent").Output()
	must(t, err)
	deps := string(out)
	if !strings.Contains(deps, "passback/writeback\n") {
		t.Fatalf("go list says %q", deps)
	}
	for dep := range strings.Lines(deps) {
		for _, not := range []string{"passback/fakead", "passback/fakerelay", "passback/sim", "passback/scenarios", "jimlambrt/gldap", "onsi/ginkgo", "testing\n"} {
			if strings.Contains(dep, not) {
				t.Errorf("the agent carries %s", strings.TrimSpace(dep))
			}
		}
	}
}

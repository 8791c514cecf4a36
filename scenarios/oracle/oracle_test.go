// Package oracle_test runs the scenarios of policy, feedback and at-most-once against a real domain controller, with the
// built agent and an account that has just the rights delegated that it needs. The domain controller is the one that
// fakead is compared with; `make oracle-agent` makes and starts it.
//
// What cannot be shown there is skipped and stands in testdata/ledger.txt, with its reason. A skip that is not in the
// ledger fails, and so does an entry of the ledger that was not skipped.
package oracle_test

import (
	"bufio"
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"passback/scenarios"
	"passback/scenarios/report"
	"passback/scenarios/targets"
)

const suites = "Area:policy || Area:feedback || Area:atmostonce"

func TestOnARealDomainController(t *testing.T) {
	address := os.Getenv("PASSBACK_ORACLE")
	if address == "" {
		t.Skip("no domain controller: run it by `make oracle-agent`, which makes one")
	}
	opener, err := targets.New(targets.File{Directory: directory(t, address), Agent: targets.Agent{Command: []string{buildAgent(t)}}})
	if err != nil {
		t.Fatal(err)
	}
	ledger := readLedger(t)
	r, err := report.Run(context.Background(), opener, report.Options{Filter: cmp.Or(os.Getenv("PASSBACK_ORACLE_LABELS"), suites), Progress: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	r.Summary(t.Output())
	for _, result := range r.Results {
		reason, listed := ledger[result.ID]
		switch {
		case result.Verdict == scenarios.Failed:
			t.Errorf("%s %s: %s\n%s", result.ID, result.Title, result.Reason, strings.Join(result.Steps, "\n"))
		case result.Verdict == scenarios.Skipped && reason != result.Reason:
			t.Errorf("%s is skipped because of %q; the ledger has %q", result.ID, result.Reason, reason)
		case result.Verdict == scenarios.Passed && listed:
			t.Errorf("%s passes: take it out of the ledger", result.ID)
		}
	}
	t.Logf("%d passed, %d failed, %d skipped, each as the ledger says", r.Count(scenarios.Passed), r.Count(scenarios.Failed), r.Count(scenarios.Skipped))
}

// directory is the target file's part that says where the domain controller is.
func directory(t *testing.T, address string) targets.Directory {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "admin.secret")
	if err := os.WriteFile(secret, []byte(os.Getenv("PASSBACK_ORACLE_PASSWORD")), 0o600); err != nil {
		t.Fatal(err)
	}
	return targets.Directory{
		URL: "ldaps://" + address, CAFile: os.Getenv("PASSBACK_ORACLE_CA"), Domain: "oracle.test",
		AdminDN: "CN=Administrator,CN=Users,DC=oracle,DC=test", AdminPasswordFile: secret, AgentAccount: "delegated",
	}
}

func buildAgent(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "passback-agent")
	if out, err := exec.Command("go", "build", "-o", binary, "passback/cmd/passback-agent").CombinedOutput(); err != nil {
		t.Fatalf("build the agent: %v\n%s", err, out)
	}
	return binary
}

// readLedger reads the skips that are known: an id and the reason on each line.
func readLedger(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open("testdata/ledger.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ledger := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if id, reason, ok := strings.Cut(line, " "); ok && id != "#" {
			ledger[id] = reason
		}
	}
	return ledger
}

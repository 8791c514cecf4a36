package ordeal_test

// The kill matrix: the agent is killed by SIGKILL at each point of a request's way, and at random instants, and what
// was answered is held against the directory's own record of writes.

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"passback/fakead"
	"passback/fakerelay"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

var kills = flag.Int("kills", 20, "how often the agent is killed at each stage, and at random instants")

// A fate is what becomes of what was held when the agent was killed.
type fate int

const (
	lost   fate = iota // it never arrives
	landed             // it takes effect before the next delivery
	late               // it takes effect after the next delivery was decided
)

// A stage is one of the spans in which an agent can die; its cases take turns.
type stage struct {
	name     string
	deadline time.Duration // of its requests; default protocol.DefaultDeadline
	cases    []killing
}

// A killing is one way to die, and what must be answered whatever the next delivery does.
type killing struct {
	name  string
	way   cloud.Way // default cloud.PortalReset
	who   person
	at    moment
	fate  fate
	amend func(*world) // between the death and the next start
	want  protocol.Outcome
}

// A person is what is special about who asks.
type person int

const (
	ordinary person = iota
	weak            // the policy refuses the new password
	gone            // the directory has no such account any more: no burn is possible
	locked
)

// A moment is where the agent is killed. Zero fields say nothing.
type moment struct {
	directory fakead.Stage // of a modify
	burn      bool         // of the one that keeps a refusal
	queue     string       // of the relay
	kind      fakerelay.Kind
	done      bool // it has happened, and the agent does not know
}

var (
	beforeModify   = moment{directory: fakead.BeforeModify}
	afterModify    = moment{directory: fakead.AfterModify}
	beforeBurn     = moment{directory: fakead.BeforeModify, burn: true}
	afterBurn      = moment{directory: fakead.AfterModify, burn: true}
	delivered      = moment{queue: protocol.QueueRequests, kind: fakerelay.Deliver, done: true}
	answering      = moment{queue: protocol.QueueAnswers, kind: fakerelay.Enqueue}
	answered       = moment{queue: protocol.QueueAnswers, kind: fakerelay.Enqueue, done: true}
	completing     = moment{queue: protocol.QueueRequests, kind: fakerelay.Complete}
	completed      = moment{queue: protocol.QueueRequests, kind: fakerelay.Complete, done: true}
	shortDeadline  = 4 * time.Second
	success        = protocol.Success
	policyRefusal  = protocol.PolicyViolation
	nobodyCanTell  = protocol.Unknown
	withoutAccount = protocol.UserNotFound
)

var stages = []stage{
	{name: "before the modify", cases: []killing{
		{name: "request in hand, nothing sent", at: delivered, want: success},
		{name: "modify sent and lost", at: beforeModify, want: success},
		{name: "modify lands before the next delivery", at: beforeModify, fate: landed, want: success},
		{name: "modify lands after the next delivery", at: beforeModify, fate: late, want: success},
		{name: "change lands after the next delivery", way: cloud.AccessPanel, at: beforeModify, fate: late, want: success},
	}},
	{name: "between the modify and the answer", cases: []killing{
		{name: "reset applied, result not told", at: afterModify, want: success},
		{name: "change applied, result not told", way: cloud.AccessPanel, at: afterModify, want: success},
		{name: "unlock applied, result not told", way: cloud.UnlockAlone, who: locked, at: afterModify, want: success},
		{name: "answer sent and lost", at: answering, want: success},
	}},
	{name: "between the answer and the completion", cases: []killing{
		{name: "answer stored, agent not told", at: answered, want: success},
		{name: "completion sent and lost", at: completing, want: success},
		{name: "completion lands before the next delivery", at: completing, fate: landed, want: success},
		{name: "completed, agent not told", at: completed, want: success},
		{name: "refusal answered, completion lost", who: weak, at: completing, want: policyRefusal},
	}},
	{name: "between completion and answer (no burn possible)", deadline: shortDeadline, cases: []killing{
		{name: "completion sent and lost", who: gone, at: completing, want: nobodyCanTell},
		{name: "completed, agent not told", who: gone, at: completed, want: nobodyCanTell},
		{name: "answer sent and lost", who: gone, at: answering, want: nobodyCanTell},
		{name: "answer stored, agent not told", who: gone, at: answered, want: withoutAccount},
	}},
	{name: "while burning", cases: []killing{
		{name: "burn sent and lost, refused again", who: weak, at: beforeBurn, want: policyRefusal},
		{name: "burn lands; the policy would take it now", who: weak, at: beforeBurn, fate: landed, amend: (*world).relax, want: policyRefusal},
		{name: "burn lands after a relaxed policy took it", who: weak, at: beforeBurn, fate: late, amend: (*world).relax, want: success},
		{name: "burnt, not told; the policy would take it now", who: weak, at: afterBurn, amend: (*world).relax, want: policyRefusal},
	}},
}

const (
	shards   = 2  // worlds of each stage
	together = 12 // worlds at a time
)

func TestKillMatrix(t *testing.T) {
	t.Parallel()
	binary := buildAgent(t)
	var results table
	var running sync.WaitGroup
	free := make(chan struct{}, together)
	for _, s := range stages {
		for shard := range shards {
			running.Go(func() {
				free <- struct{}{}
				defer func() { <-free }()
				if err := s.run(t, binary, shard, &results); err != nil {
					t.Errorf("%s: %v", s.name, err)
				}
			})
		}
	}
	for range shards {
		running.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			if err := atRandom(t, binary, *kills/shards, &results); err != nil {
				t.Errorf("%s: %v", randomStage, err)
			}
		})
	}
	running.Wait()
	t.Logf("\n%s", results.String())
}

func buildAgent(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "passback-agent")
	if out, err := exec.Command("go", "build", "-o", binary, "passback/cmd/passback-agent").CombinedOutput(); err != nil {
		t.Fatalf("build the agent: %v\n%s", err, out)
	}
	return binary
}

// run kills the agent of one world, its share of times.
func (s stage) run(t *testing.T, binary string, shard int, results *table) error {
	runs := *kills / shards
	w, err := newWorld(t, binary, s.deadline, runs)
	if err != nil {
		return err
	}
	defer w.close()
	for i := range runs {
		k := s.cases[(i*shards+shard)%len(s.cases)]
		verdict, err := w.kill(k, w.people[i])
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", k.name, err, w.agent.lately())
		}
		results.add(s.name, k.name, string(verdict))
	}
	return w.finish()
}

// A table counts what was answered.
type table struct {
	mu   sync.Mutex
	rows map[[3]string]int
}

func (r *table) add(stage, killing, result string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rows == nil {
		r.rows = map[[3]string]int{}
	}
	r.rows[[3]string{stage, killing, result}]++
}

// String lists the stages in their order.
func (r *table) String() string {
	order := map[string]int{}
	for i, s := range stages {
		order[s.name] = i - len(stages) // the random instants last
	}
	var text strings.Builder
	out := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "the agent was killed\tat\truns\tanswered, true by the directory's record of writes")
	rows := slices.SortedFunc(maps.Keys(r.rows), func(a, b [3]string) int {
		return cmp.Or(cmp.Compare(order[a[0]], order[b[0]]), cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]), cmp.Compare(a[2], b[2]))
	})
	for _, row := range rows {
		fmt.Fprintf(out, "%s\t%s\t%d\t%s\n", row[0], row[1], r.rows[row], row[2])
	}
	_ = out.Flush()
	return text.String()
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(m.Run())
}

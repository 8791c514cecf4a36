package ordeal_test

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"passback/clock"
	"passback/sim/cloud"
	"passback/sim/trace"
	"passback/writeback/protocol"
)

// Several agents of one tenant under load: one joins, leaves, or is killed, and nobody who asks loses a request by it.

var (
	join = flag.Bool("join", false, "run TestSecondAgentJoins, which waits the two minutes that a second agent waits")
	lock = flag.Duration("lock", requestLock, "how long a request of a killed agent waits for another; of a real queue: 30s")
	goes = flag.Int("goes", 2, "how often each of two agents leaves in TestAgentLeaves, and is killed in TestTakeOver")
)

const (
	crowdSize = 8
	aShare    = 20 // requests that an agent has answered once it is surely at work
)

// A crowd is people who ask without a pause, each for one reset after the other. None may fail.
type crowd struct {
	w      *world
	stop   context.CancelFunc
	asking sync.WaitGroup

	mu      sync.Mutex
	answers []answer
}

type answer struct {
	asked, told time.Time
	by          string // the agent's id
	late        bool   // it was delivered more than once: somebody waited for a lock to lapse
}

func isLate(a answer) bool { return a.late }

func (a answer) took() time.Duration { return a.told.Sub(a.asked) }

// newCrowd begins to ask.
func newCrowd(t *testing.T, w *world, people []*register) *crowd {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	c := &crowd{w: w, stop: stop}
	for _, person := range people {
		c.asking.Go(func() {
			for ctx.Err() == nil && c.ask(t, person) {
			}
		})
	}
	t.Cleanup(func() {
		stop()
		c.asking.Wait()
	})
	return c
}

// ask reports whether it succeeded.
func (c *crowd) ask(t *testing.T, person *register) bool {
	asked := clock.Real().Now()
	told, err := person.reset(c.w)
	if err != nil || told.Outcome != protocol.Success {
		t.Errorf("%s, %v\n%s", told.Outcome, err, c.w.story(person.sam, asked, told))
		return false
	}
	late := slices.ContainsFunc(c.w.sim.Trace.Of(string(told.TrackingID)), func(h trace.Hop) bool {
		return h.What == "deliver "+protocol.QueueRequests && h.Detail != ""
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers = append(c.answers, answer{asked, clock.Real().Now(), told.AgentID, late})
	return true
}

// servedBy waits until an agent has answered its share of what is asked from now on.
func (c *crowd) servedBy(t *testing.T, agent string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), protocol.FirstBeatDelay+patience)
	defer cancel()
	for since := clock.Real().Now(); c.count(func(a answer) bool { return a.by == agent && a.asked.After(since) }) < aShare; {
		if err := clock.Sleep(ctx, clock.Real(), 5*time.Millisecond); err != nil {
			t.Fatalf("the agent %s takes no share: %v", agent, err)
		}
	}
}

func (c *crowd) count(which func(answer) bool) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.answers {
		if which(a) {
			n++
		}
	}
	return n
}

// end lets everybody's last request be answered, holds the directory's record of writes against what was told, and
// says how it went.
func (c *crowd) end(t *testing.T, people []*register) {
	t.Helper()
	c.stop()
	c.asking.Wait()
	writes := map[string]int{}
	for _, write := range c.w.sim.Directory.PasswordWrites() {
		if write.Code == 0 {
			writes[write.Target]++
		}
	}
	for _, person := range people {
		state, err := c.w.sim.Directory.User(person.sam)
		if err != nil {
			t.Fatal(err)
		}
		if writes[state.DN] != person.requests {
			t.Errorf("%s: %d requests, and %d writes", person.sam, person.requests, writes[state.DN])
		}
	}
	by := map[string]int{}
	for _, a := range c.answers {
		by[a.by]++
	}
	slices.SortFunc(c.answers, func(a, b answer) int { return cmp.Compare(a.took(), b.took()) })
	n, late := len(c.answers), c.count(isLate)
	took := func(percent int) time.Duration { return c.answers[(n-1)*percent/100].took().Round(time.Millisecond) }
	t.Logf("%d requests, by each agent %v; delivered again: %d (%.2f %%); took %s (median), %s (99 of 100), %s (the longest)",
		n, by, late, 100*float64(late)/float64(n), took(50), took(99), took(100))
}

// inTime ends it where no agent was killed: nobody had to wait for a lock. One request may be on its way to a link in the
// very instant in which it is closed.
func (c *crowd) inTime(t *testing.T, people []*register) {
	t.Helper()
	c.end(t, people)
	if late := c.count(isLate); late > 1 {
		t.Errorf("%d requests waited for the lock of an agent that was not killed", late)
	}
}

// newcomer enrols another agent beside those there are, and returns what the cloud knows it by.
func (w *world) newcomer(t *testing.T) (p *process, id string) {
	t.Helper()
	before := w.sim.Cloud.Agents()
	p, err := newProcess(t.TempDir(), w.sim.AgentConfig(), unhurried, w.agent.command...)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.enrol(w.sim.Cloud.NewEnrolToken(0)); err != nil {
		t.Fatal(err)
	}
	w.others = append(w.others, p)
	for _, a := range w.sim.Cloud.Agents() {
		if !slices.ContainsFunc(before, func(b cloud.AgentState) bool { return a.ID == b.ID }) {
			return p, a.ID
		}
	}
	t.Fatal("the cloud does not know the agent that has just enrolled")
	return nil, ""
}

// aPair is a world of two agents at work: the second has its state folder say that it was active before, as after any
// restart, so that it begins at once.
func aPair(t *testing.T, lock time.Duration) (w *world, people []*register, agents map[string]*process) {
	t.Helper()
	w, people = newLocking(t, lock, crowdSize)
	first := w.sim.Cloud.Agents()[0].ID
	p, id := w.newcomer(t)
	text, err := json.Marshal(map[string]any{"agent_id": id, "since": clock.Real().Now().Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.stateDir, "active.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	p.run(t)
	return w, people, map[string]*process{first: w.agent, id: p}
}

// begin starts an agent, and has it killed at the end.
func (p *process) begin(t *testing.T) {
	t.Helper()
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.kill() })
}

// run begins, and waits until it serves.
func (p *process) run(t *testing.T) {
	t.Helper()
	p.begin(t)
	if err := p.serving(); err != nil {
		t.Fatal(err)
	}
}

// leave ends it by SIGTERM, as a service manager does.
func (p *process) leave(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Fatalf("the agent ended with %v\n%s", err, p.lately())
	}
}

// A second agent that joins under load costs nobody a request, and takes its share.
func TestAgentJoins(t *testing.T) {
	if !*join {
		t.Skip("a second agent begins two minutes after its first heartbeat: make agents")
	}
	t.Parallel()
	w, people := newEnduring(t, crowdSize)
	crowd := newCrowd(t, w, people)
	p, id := w.newcomer(t)
	p.begin(t)
	crowd.servedBy(t, id)
	crowd.inTime(t, people)
}

// An agent that leaves by SIGTERM under load, as for an update of its host, costs nobody a request.
func TestAgentLeaves(t *testing.T) {
	t.Parallel()
	w, people, agents := aPair(t, protocol.LockDuration)
	crowd := newCrowd(t, w, people)
	for range *goes {
		for id, p := range agents {
			crowd.servedBy(t, id)
			p.leave(t)
			p.run(t)
		}
	}
	crowd.inTime(t, people)
}

// An agent that is killed under load costs nobody a request either: the other finishes what it had in hand, once the
// relay's lock lapses, and applies nothing twice. Nobody else waits.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	w, people, agents := aPair(t, *lock)
	w.setDeadline(t, protocol.DefaultDeadline)
	crowd := newCrowd(t, w, people)
	type absence struct{ from, to time.Time }
	var absences []absence
	for i := 0; i < *goes || crowd.count(isLate) == 0; i++ { // until one had a request in hand
		for id, p := range agents {
			crowd.servedBy(t, id)
			from := clock.Real().Now()
			if err := p.kill(); err != nil {
				t.Fatal(err)
			}
			p.run(t)
			absences = append(absences, absence{from, clock.Real().Now()})
		}
	}
	crowd.end(t, people)
	for _, a := range crowd.answers {
		if a.late && !slices.ContainsFunc(absences, func(gone absence) bool { return a.asked.Before(gone.to) && a.told.After(gone.from) }) {
			t.Errorf("a request was delivered again, though both agents were there from %s to %s", a.asked, a.told)
		}
	}
}

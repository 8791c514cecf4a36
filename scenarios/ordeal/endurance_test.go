package ordeal_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"passback/clock"
	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback"
	"passback/writeback/protocol"
)

var (
	soak     = flag.Duration("soak", 0, "how long TestSoak goes on; 0: it is skipped")
	seed     = flag.Uint64("seed", 0, "draws the faults of TestSoak, and their times; 0: another one each time. What each strikes is the scheduler's to say")
	requests = flag.Int("requests", 1000, "how many TestMemory asks for")
)

const (
	faultEvery = 500 * time.Millisecond // on average
	maxRSS     = 40 << 10               // KB, of an agent
	abreast    = 16                     // people who ask at a time
	turn       = 300                    // requests of one person, before another's turn: a directory holds about 1300 markers
	// soakDeadline leaves an agent some seconds to send in, and has nobody wait for a minute for what was lost.
	soakDeadline = 25 * time.Second
)

const inAll = "Nine-Green-Kites" // is part of every password

// A register is what the directory may hold as one person's password: one value, or several after an unknown outcome.
type register struct {
	sam      string
	may      []string
	requests int
}

// reset asks for another password, and holds the outcome against the directory.
func (r *register) reset(w *world) (cloud.Result, error) {
	r.requests++
	fresh := fmt.Sprintf("Round-%d-"+inAll+"-%s", r.requests, strings.TrimPrefix(r.sam, "person"))
	result := w.sim.Cloud.Perform(context.Background(), cloud.Ask{Way: cloud.PortalReset, User: r.sam + "@" + domain, New: protocol.NewSecret(fresh)})
	switch result.Changed {
	case protocol.ChangedYes:
		r.may = []string{fresh}
	case protocol.ChangedMaybe:
		r.may = append(r.may, fresh)
	}
	state, err := w.sim.Directory.User(r.sam)
	if err != nil {
		return result, err
	}
	if !slices.ContainsFunc(r.may, state.PasswordIs) {
		return result, fmt.Errorf("%s: request %d was told as %s, and the directory holds neither its password nor one before", r.sam, r.requests, result.Outcome)
	}
	return result, nil
}

// newEnduring is a world whose agent says little and is limited little, and whose people ask again and again.
func newEnduring(t *testing.T, people int) (*world, []*register) {
	t.Helper()
	return newLocking(t, *lock, people)
}

// newLocking is newEnduring, where requests are locked for so long.
func newLocking(t *testing.T, lock time.Duration, people int) (*world, []*register) {
	t.Helper()
	settings := cloud.DefaultSettings()
	settings.Deadline = soakDeadline
	s, err := sim.NewWorld(sim.Options{WithoutAgent: true, EmptyCompany: true, RequestLock: lock, Settings: &settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w := &world{sim: s, policy: s.Directory.Policy()}
	w.policy.MinAge, w.policy.History = 0, 0
	s.Directory.SetPolicy(w.policy)
	if err := w.populate(people); err != nil {
		t.Fatal(err)
	}
	w.agent, err = newProcess(t.TempDir(), s.AgentConfig(), unhurried, buildAgent(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.agent.enrol(s.Cloud.NewEnrolToken(0)); err != nil {
		t.Fatal(err)
	}
	if err := w.agent.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.agent.kill() })
	if err := w.serving(); err != nil {
		t.Fatal(err)
	}
	var registers []*register
	for _, sam := range w.people {
		registers = append(registers, &register{sam: sam, may: []string{passwordBefore(sam)}})
	}
	return w, registers
}

// turns are people who ask one after the other.
type turns struct {
	people []*register
	asked  int
}

// next is who asks now.
func (t *turns) next() *register {
	now := t.people[t.asked/turn%len(t.people)]
	t.asked++
	return now
}

// unhurried is the configuration of an agent that says little and is limited little.
func unhurried(c *writeback.Config) {
	c.Log.Level = "warn"
	c.Limits = writeback.Limits{User: 1_000_000, Total: 100_000_000}
}

// TestSoak has people ask while things break at random: nothing that was told may be untrue, and when the faults end
// everybody's next request succeeds.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("a trial of hours: make soak-agent")
	}
	t.Parallel()
	w, people := newEnduring(t, abreast*int(1+*soak/time.Minute))
	ctx, cancel := context.WithTimeout(t.Context(), *soak)
	defer cancel()
	var asking sync.WaitGroup
	var mu sync.Mutex
	outcomes, armed := map[protocol.Outcome]int{}, 0
	for some := range slices.Chunk(people, len(people)/abreast) {
		asking.Go(func() {
			for queue := (turns{people: some}); ctx.Err() == nil; {
				person := queue.next()
				asked := clock.Real().Now()
				told, err := person.reset(w)
				if err != nil {
					t.Errorf("%v\n%s", err, w.story(person.sam, asked, told))
					return
				}
				mu.Lock()
				outcomes[told.Outcome]++
				mu.Unlock()
			}
		})
	}
	for *seed == 0 {
		*seed = rand.Uint64()
	}
	draw, faults := rand.New(rand.NewPCG(*seed, 0)), w.sim.Faults()
	for clock.Sleep(ctx, clock.Real(), time.Duration(draw.Int64N(int64(2*faultEvery)))) == nil {
		if err := w.sim.ArmFault(faults[draw.IntN(len(faults))].Name); err != nil {
			t.Error(err)
		}
		armed++
	}
	asking.Wait()
	w.sim.DisarmFaults()
	t.Logf("seed %d: %d faults; told: %v; the agent's memory: %d KB", *seed, armed, outcomes, rss(w.agent.cmd.Process.Pid))
	w.everybodySucceeds(t, people)
	w.told = append(w.told, told{sam: "somebody", ask: cloud.Ask{New: protocol.NewSecret(inAll)}})
	for _, person := range people {
		for _, password := range person.may {
			w.told = append(w.told, told{sam: person.sam, ask: cloud.Ask{New: protocol.NewSecret(password)}})
		}
	}
	if err := w.secretsIn(w.agent); err != nil {
		t.Error(err)
	}
}

// everybodySucceeds has them ask one after the other, once an agent that was cut off last is back, and tells the whole
// way of each request that fails.
func (w *world) everybodySucceeds(t *testing.T, people []*register) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := w.sim.Cloud.AwaitAlive(ctx, 1); err != nil {
		t.Fatal(err)
	}
	var seen frames
	defer w.sim.Relay.Trace(&seen)()
	for _, person := range people {
		asked := clock.Real().Now()
		if told, err := person.reset(w); err != nil || told.Outcome != protocol.Success {
			t.Errorf("after the faults: %s, %v\n%sthe relay's frames: %s", told.Outcome, err, w.story(person.sam, asked, told), seen.keep(t, person.sam+".frames"))
		}
	}
}

// TestMemory watches the agent's resident memory over many requests.
func TestMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("resident memory is read from /proc")
	}
	w, people := newEnduring(t, abreast*(1+*requests/turn/abreast))
	var queues []*turns
	for some := range slices.Chunk(people, len(people)/abreast) {
		queues = append(queues, &turns{people: some})
	}
	var asked atomic.Int64
	for tenth := range 10 {
		var asking sync.WaitGroup
		until := int64(*requests * (tenth + 1) / 10)
		for _, queue := range queues {
			asking.Go(func() {
				for asked.Add(1) <= until {
					if told, err := queue.next().reset(w); err != nil || told.Outcome != protocol.Success {
						t.Errorf("%s, %v", told.Outcome, err)
						return
					}
				}
			})
		}
		asking.Wait()
		asked.Store(until)
		t.Logf("after %d requests: %d KB", until, rss(w.agent.cmd.Process.Pid))
	}
	if kb := rss(w.agent.cmd.Process.Pid); kb == 0 || kb > maxRSS {
		t.Errorf("the agent's memory after %d requests: %d KB, want at most %d", *requests, kb, maxRSS)
	}
}

// rss is a process's resident memory in KB, by proc_pid_status(5); 0 where it cannot be told.
func rss(pid int) (kb int) {
	text, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if n, err := fmt.Sscanf(line, "VmRSS: %d kB", &kb); n == 1 && err == nil {
			return kb
		}
	}
	return 0
}

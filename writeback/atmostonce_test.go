package writeback

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"passback/fakead"
	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// A fault meets one modify.
type fault int

const (
	none fault = iota
	cut        // before it lands, or its result
	held       // lands late, its sender cut off
)

// A trip is one delivery of a request.
type trip struct {
	agent   int
	twice   bool // its lock lapses at once: the other agent takes it too
	crashes bool // before it settles
}

// A journey is what is drawn for one request.
type journey struct {
	weak  bool // the policy refuses its password
	trips []trip
}

// A plan is what is drawn for two requests of one person, the second of which supersedes the first where that
// ended unknown.
type plan struct {
	journeys      [2]journey
	before, after []fault // of the modifies, in the order in which they come
	together      bool    // the person did not wait: the second is sent while the first is worked on
	landBetween   bool    // what was held lands before the second request, else after it
}

func (p plan) harmless() bool {
	quiet := func(j journey) bool { return len(j.trips) == 1 && !j.trips[0].twice && !j.trips[0].crashes }
	return !p.together && quiet(p.journeys[0]) && quiet(p.journeys[1]) && !slices.ContainsFunc(slices.Concat(p.before, p.after), func(f fault) bool { return f != none })
}

func drawPlan(t *rapid.T) plan {
	faults := func(kinds ...fault) *rapid.Generator[[]fault] {
		return rapid.SliceOfN(rapid.SampledFrom(append(kinds, none, none, none)), 0, 8)
	}
	trips := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) trip {
		return trip{rapid.IntRange(0, 1).Draw(t, "agent"), rapid.Float64Range(0, 1).Draw(t, "twice") > 0.7, rapid.Bool().Draw(t, "crashes")}
	}), 1, protocol.MaxDeliveryCount)
	var p plan
	for q := range p.journeys {
		p.journeys[q] = journey{rapid.Float64Range(0, 1).Draw(t, "weak") > 0.8, trips.Draw(t, "trips")}
	}
	p.before, p.after = faults(cut, held, held).Draw(t, "before"), faults(cut).Draw(t, "after")
	p.together, p.landBetween = rapid.Bool().Draw(t, "together"), rapid.Bool().Draw(t, "landBetween")
	return p
}

// A world carries out one plan.
type world struct {
	b      *bench
	agents []*agent
	sam    string

	mu            sync.Mutex
	plan          plan
	before, after int // modifies met so far
	release       chan struct{}
	released      bool
	flying        sync.WaitGroup // modifies that the controller has and has not judged yet
	answers       [2][]protocol.Outcome
}

// meet is the hook that makes the faults happen.
func (w *world) meet(o fakead.Operation) fakead.Action {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := func(faults []fault, i *int) (f fault) {
		if *i < len(faults) {
			f = faults[*i]
		}
		*i++
		return f
	}
	if o.Stage == fakead.AfterModify {
		w.flying.Done()
		if next(w.plan.after, &w.after) == cut {
			return fakead.Disconnect()
		}
		return fakead.Pass()
	}
	f := next(w.plan.before, &w.before)
	if f == cut {
		return fakead.Disconnect()
	}
	w.flying.Add(1)
	if f == held && !w.released {
		for i, a := range w.agents {
			if strings.HasPrefix(o.Caller, fmt.Sprintf("CN=%s%d,", service, i)) {
				a.cut()
			}
		}
		return fakead.Hold(w.release)
	}
	return fakead.Pass()
}

func (w *world) land() {
	w.mu.Lock()
	if !w.released {
		w.released = true
		close(w.release)
	}
	w.mu.Unlock()
	w.flying.Wait()
}

// carry takes a request through its deliveries, as the relay and an agent's loop would.
func (w *world) carry(q int, job task) {
	for i, trip := range w.plan.journeys[q].trips {
		job.delivery.count = i + 1
		var other sync.WaitGroup
		if trip.twice {
			job := job
			job.delivery.count++
			other.Go(func() { w.settle(q, w.agents[1-trip.agent].apply(context.Background(), job), true) })
		}
		d := w.agents[trip.agent].apply(context.Background(), job)
		other.Wait()
		if trip.crashes {
			continue
		}
		w.settle(q, d, !trip.twice)
		return
	}
}

// settle says what was decided. Whoever has lost the lock cannot complete, so says nothing that must be completed first.
func (w *world) settle(q int, d decision, locked bool) {
	if d.settle == completeThenAnswer && !locked {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[q] = append(w.answers[q], d.outcome)
}

func (w *world) run() [2]task {
	var jobs [2]task
	for q, p := range []string{newPassword, newerPassword} {
		jobs[q] = w.b.request(w.sam, protocol.Reset)
		if w.plan.journeys[q].weak {
			p = "short"
		}
		jobs[q].secrets.New = protocol.NewSecret(p)
	}
	if w.plan.together {
		jobs[1].request.Supersedes = []protocol.TrackingID{jobs[0].request.TrackingID}
		var first sync.WaitGroup
		first.Go(func() { w.carry(0, jobs[0]) })
		w.carry(1, jobs[1])
		first.Wait()
	} else {
		w.carry(0, jobs[0])
		if w.plan.landBetween {
			w.land()
		}
		if len(w.answers[0]) == 0 || w.answers[0][0] == protocol.Unknown {
			jobs[1].request.Supersedes = []protocol.TrackingID{jobs[0].request.TrackingID}
		}
		w.carry(1, jobs[1])
	}
	w.land()
	return jobs
}

// Whatever happens on the way, each request is applied at most once, what is answered is true, and an older
// password never lands on a newer one: the invariants of the exploration, held against the agent's own code.
func TestAtMostOnce(t *testing.T) {
	b := newBench(t)
	policy := b.dc.Policy()
	policy.MinAge, policy.History = 0, 0 // nothing but the markers stands in the way of a second write
	b.dc.SetPolicy(policy)
	var agents []*agent
	for i := range 2 {
		name := fmt.Sprint(service, i)
		b.must(b.dc.AddUser(fakead.User{SAM: name, Password: servicePass}))
		b.must(b.dc.Delegate(name, serviceRights))
		agents = append(agents, b.agent(func(o *directory.Options) { o.User = name + "@" + b.dc.Domain() }))
	}
	people := 0
	rapid.Check(t, func(rt *rapid.T) {
		people++
		w := &world{b: b, agents: agents, sam: fmt.Sprint("person", people), plan: drawPlan(rt), release: make(chan struct{})}
		b.addUser(fakead.User{SAM: w.sam})
		remove := b.dc.Hook(w.meet)
		jobs := w.run()
		remove()
		w.check(rt, jobs)
	})
}

func (w *world) check(t *rapid.T, jobs [2]task) {
	state := w.b.state(w.sam)
	markers := state.Values(protocol.DefaultMarkerAttribute)
	var applied [2]bool
	count, password := 0, firstPassword
	for q, p := range []string{newPassword, newerPassword} {
		bare := values(jobs[q].request.TrackingID, "")[0]
		twin := slices.ContainsFunc(markers, func(v string) bool { return strings.HasPrefix(v, bare+" refused ") })
		if applied[q] = slices.Contains(markers, bare) && !twin; applied[q] {
			count++
			password = p
		}
	}
	if taken, _ := w.b.writes(w.sam); taken != count {
		t.Errorf("%d writes for %d applied requests", taken, count)
	}
	if !state.PasswordIs(password) {
		t.Errorf("the password is not that of the last request that was applied (%v)", applied)
	}
	for q, answers := range w.answers {
		for _, answer := range answers {
			switch changed := answer.Info().Changed; {
			case changed == protocol.ChangedYes && !applied[q], changed == protocol.ChangedNo && applied[q]:
				t.Errorf("request %d: answered %s, applied %t; markers %q", q, answer, applied[q], markers)
			case changed == protocol.ChangedMaybe && w.plan.harmless():
				t.Errorf("request %d: unknown, although nothing went wrong", q)
			}
		}
	}
}

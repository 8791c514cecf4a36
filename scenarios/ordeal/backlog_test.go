package ordeal_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"passback/clock"
	"passback/sim/cloud"
	"passback/writeback/directory"
	"passback/writeback/protocol"
)

var waiting = flag.Int("waiting", 500, "how many requests wait in TestBacklog when the agent starts")

const (
	waves     = 10
	atATime   = 8                                 // requests that an agent works on: an order holds within so many
	tooLittle = directory.Timeout + 5*time.Second // before a deadline no password leaves any more
)

// TestBacklog starts an agent before many requests: it begins them in the order in which they came, and whoever asks
// while it works them off is answered too. Those that come too late for the directory are refused, and the refusal is
// kept there, faster than the relay drops them.
func TestBacklog(t *testing.T) {
	w, people := newEnduring(t, *waiting+abreast)
	newcomers, people := people[:abreast], people[abreast:]
	t.Run("in time", func(t *testing.T) {
		w.wait(t, protocol.MaxDeadline)
		b := w.queueUp(t, people)
		w.workOff(t, newcomers)
		b.asking.Wait()
		for id, told := range b.told {
			if told.Outcome != protocol.Success {
				t.Errorf("request %s, which waited: %s, %s", id, told.Outcome, told.AdminText)
			}
		}
		b.begunInOrder(t, w.agent.stateDir)
	})
	t.Run("too late", func(t *testing.T) {
		late := people[:max(1, *waiting/waves)]
		w.wait(t, tooLittle)
		b := w.queueUp(t, late)
		w.workOff(t, newcomers)
		b.asking.Wait()
		for id, told := range b.told {
			state, err := w.sim.Directory.User(b.people[id].sam)
			if err != nil {
				t.Fatal(err)
			}
			kept := slices.ContainsFunc(state.Values(protocol.DefaultMarkerAttribute), func(value string) bool {
				return strings.Contains(value, string(id)+" refused")
			})
			if told.Outcome != protocol.Expired || !kept || !slices.ContainsFunc(b.people[id].may, state.PasswordIs) {
				t.Errorf("request %s, too late for the directory: %s, %s; its refusal is kept there: %t", id, told.Outcome, told.AdminText, kept)
			}
		}
	})
}

// wait kills the agent, without a goodbye, so that the cloud goes on to send. Requests have this deadline then.
func (w *world) wait(t *testing.T, deadline time.Duration) {
	t.Helper()
	if err := w.agent.kill(); err != nil {
		t.Fatal(err)
	}
	w.setDeadline(t, deadline)
}

func (w *world) setDeadline(t *testing.T, deadline time.Duration) {
	t.Helper()
	settings := w.sim.Cloud.Settings()
	settings.Deadline = deadline
	if err := w.sim.Cloud.SetSettings(settings); err != nil {
		t.Fatal(err)
	}
}

// workOff starts the agent, and has everybody of newcomers ask it at once.
func (w *world) workOff(t *testing.T, newcomers []*register) {
	t.Helper()
	w.setDeadline(t, protocol.DefaultDeadline)
	if err := w.agent.start(); err != nil {
		t.Fatal(err)
	}
	if err := w.serving(); err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	defer asking.Wait()
	for _, person := range newcomers {
		asking.Go(func() {
			if told, err := person.reset(w); err != nil || told.Outcome != protocol.Success {
				t.Errorf("%s, who came while others waited: %s, %v", person.sam, told.Outcome, err)
			}
		})
	}
}

// A backlog is requests that wait in the relay.
type backlog struct {
	asking sync.WaitGroup
	people map[protocol.TrackingID]*register
	wave   map[protocol.TrackingID]int // each was sent when all of the wave before it were
	size   int                         // of a wave

	mu   sync.Mutex
	told map[protocol.TrackingID]cloud.Result
}

// queueUp has people ask in waves, and returns when every request is in the relay.
func (w *world) queueUp(t *testing.T, people []*register) *backlog {
	t.Helper()
	queue, err := w.sim.Relay.Queue(protocol.QueueRequests)
	if err != nil {
		t.Fatal(err)
	}
	b := &backlog{
		people: map[protocol.TrackingID]*register{}, wave: map[protocol.TrackingID]int{}, told: map[protocol.TrackingID]cloud.Result{},
		size: (len(people) + waves - 1) / waves,
	}
	for wave := range slices.Chunk(people, b.size) {
		for _, person := range wave {
			b.ask(t, w, person, len(b.people)/b.size)
		}
		for queue.Count() < len(b.people) {
			if err := clock.Sleep(t.Context(), clock.Real(), time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
	}
	return b
}

func (b *backlog) ask(t *testing.T, w *world, person *register, wave int) {
	t.Helper()
	id, err := protocol.NewTrackingID()
	if err != nil {
		t.Fatal(err)
	}
	person.requests++
	fresh := fmt.Sprintf("Waiting-%d-Nine-Green-Kites-%s", person.requests, strings.TrimPrefix(person.sam, "person"))
	b.people[id], b.wave[id] = person, wave
	b.asking.Go(func() {
		told := w.sim.Cloud.Perform(t.Context(), cloud.Ask{ID: id, Way: cloud.PortalReset, User: person.sam + "@" + domain, New: protocol.NewSecret(fresh)})
		b.mu.Lock()
		defer b.mu.Unlock()
		b.told[id] = told
		if told.Changed == protocol.ChangedYes {
			person.may = []string{fresh}
		}
	})
}

// begun is a line of the agent's journal.
type begun struct {
	ID       protocol.TrackingID `json:"tracking_id"`
	Received time.Time           `json:"received"`
	Delivery int                 `json:"delivery"`
}

// begunInOrder reads in the agent's journal when each was received: a wave may be ahead of the one before it by as many
// as are worked on at a time.
func (b *backlog) begunInOrder(t *testing.T, stateDir string) {
	t.Helper()
	var lines []begun
	for lines = b.journal(t, stateDir); len(lines) < len(b.people); lines = b.journal(t, stateDir) { // a line follows its answer
		if err := clock.Sleep(t.Context(), clock.Real(), time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	slices.SortFunc(lines, func(x, y begun) int { return x.Received.Compare(y.Received) })
	for i, l := range lines {
		off := math.Abs(float64(i) - (float64(b.wave[l.ID])+0.5)*float64(b.size))
		if l.Delivery == 1 && off > float64(b.size)/2+atATime { // the agent that was killed may have taken one with it
			t.Fatalf("the request begun as number %d is of wave %d of %d", i, b.wave[l.ID], b.size)
		}
	}
	t.Logf("%d requests begun in order, within %s", len(lines), lines[len(lines)-1].Received.Sub(lines[0].Received).Round(time.Millisecond))
}

// journal returns the lines of b's requests.
func (b *backlog) journal(t *testing.T, stateDir string) (lines []begun) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(stateDir, "journal.jsonl*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var l begun
			if err := json.Unmarshal(line, &l); err != nil {
				continue // it is being written
			}
			if _, ours := b.wave[l.ID]; ours {
				lines = append(lines, l)
			}
		}
	}
	return lines
}

package writeback

// What happens to a request when things go wrong at each point of its way: each test is one path of the
// exploration that apply.go is named after.

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"passback/clock"
	"passback/fakead"
	"passback/writeback/protocol"
)

func TestResultLostAfterItWasApplied(t *testing.T) {
	b := newBench(t)
	b.addUser(fakead.User{SAM: "alice"})
	b.once(fakead.AfterModify, setsPassword, fakead.Disconnect)
	b.want(b.agent().apply(t.Context(), b.request("alice", protocol.Reset)), protocol.Success, answerThenComplete)
	if taken, all := b.writes("alice"); taken != 1 || all != 1 {
		t.Errorf("%d of %d writes taken, want one", taken, all)
	}
}

func TestModifyLostBeforeItLanded(t *testing.T) {
	b := newBench(t)
	b.addUser(fakead.User{SAM: "alice"})
	b.once(fakead.BeforeModify, setsPassword, fakead.Disconnect)
	job := b.request("alice", protocol.Reset)
	b.want(b.agent().apply(t.Context(), job), protocol.DirectoryUnavailable, answerThenComplete)
	if got := b.markers("alice"); !sameValues(got, values(job.request.TrackingID, protocol.DirectoryUnavailable)) {
		t.Errorf("markers %q", got)
	}
}

func TestModifyLandsAfterItsRefusal(t *testing.T) {
	b := newBench(t)
	b.addUser(fakead.User{SAM: "alice"})
	a := b.agent()
	late := b.stall(a)
	b.want(a.apply(t.Context(), b.request("alice", protocol.Reset)), protocol.DirectoryUnavailable, answerThenComplete)
	if code := late.land(); code != 20 {
		t.Errorf("the late modify ended with %d, want 20", code)
	}
	if !b.state("alice").PasswordIs(firstPassword) {
		t.Error("a password landed after its refusal was answered")
	}
}

func TestBurnIsLostToo(t *testing.T) {
	for _, stage := range []fakead.Stage{fakead.BeforeModify, fakead.AfterModify} {
		b := newBench(t)
		b.addUser(fakead.User{SAM: "alice"})
		b.once(stage, isBurn, fakead.Disconnect)
		job := b.request("alice", protocol.Reset)
		job.secrets.New = protocol.NewSecret("short")
		b.want(b.agent().apply(t.Context(), job), protocol.PolicyViolation, answerThenComplete)
	}
}

func TestNobodyCanTell(t *testing.T) {
	for _, stage := range []fakead.Stage{fakead.BeforeModify, fakead.AfterModify} {
		b := newBench(t)
		b.addUser(fakead.User{SAM: "alice"})
		a := b.agent()
		b.once(stage, setsPassword, func() fakead.Action {
			a.down.Store(true)
			return fakead.Disconnect()
		})
		b.want(a.apply(t.Context(), b.request("alice", protocol.Reset)), protocol.Unknown, answerThenComplete)
	}
}

func TestBurnIsDeniedAfterALostResult(t *testing.T) {
	b := newBench(t)
	b.addUser(fakead.User{SAM: "alice"})
	a := b.agent()
	late := b.stall(a)
	b.once(fakead.BeforeModify, isBurn, func() fakead.Action {
		b.must(b.dc.Delegate(service, fakead.Rights{ResetPassword: true}))
		return fakead.Pass()
	})
	b.want(a.apply(t.Context(), b.request("alice", protocol.Reset)), protocol.Unknown, answerThenComplete) // first delivery, but in doubt
	late.land()
}

func TestRedeliveryAfterACrash(t *testing.T) {
	b := newBench(t)
	b.addUser(fakead.User{SAM: "alice"})
	a := b.agent()
	late := b.stall(a)
	job := b.request("alice", protocol.Reset)
	crashed := make(chan struct{})
	go func() { // the first agent stands still, its modify on its way
		defer close(crashed)
		a.apply(t.Context(), job)
	}()
	<-late.held
	<-crashed // what it says is never heard
	job.delivery.count = 2
	d := b.agent().apply(t.Context(), job)
	b.want(d, protocol.DirectoryUnavailable, answerThenComplete) // it had burnt the request
	late.land()
	if !b.state("alice").PasswordIs(firstPassword) {
		t.Error("the first agent's modify landed")
	}
}

// The first agent's modify is still on its way when another takes the request: one of the two is applied.
func TestModifyLandsAfterAnotherAgentApplied(t *testing.T) {
	b := newBench(t)
	b.addUser(fakead.User{SAM: "alice"})
	dead := b.agent()
	release, landed := make(chan struct{}), make(chan int, 1)
	defer b.dc.Hook(func(o fakead.Operation) fakead.Action {
		if o.Stage == fakead.AfterModify && o.Code != 0 {
			landed <- o.Code
		}
		return fakead.Pass()
	})()
	held := make(chan struct{})
	b.once(fakead.BeforeModify, setsPassword, func() fakead.Action { close(held); return fakead.Hold(release) })
	job := b.request("alice", protocol.Reset)
	first := make(chan decision, 1)
	go func() { first <- dead.apply(t.Context(), job) }()
	<-held
	job.delivery.count = 2
	b.want(b.agent().apply(t.Context(), job), protocol.Success, answerThenComplete)
	close(release)
	b.want(<-first, protocol.Success, answerThenComplete) // 20, read: applied
	if code := <-landed; code != 20 {
		t.Errorf("the first agent's modify ended with %d, want 20", code)
	}
	if taken, _ := b.writes("alice"); taken != 1 {
		t.Errorf("the password was written %d times", taken)
	}
}

// newer is a second request of the same person, which names the first.
func (b *bench) newer(sam string, older task) task {
	job := b.request(sam, protocol.Reset)
	job.secrets.New = protocol.NewSecret(newerPassword)
	job.request.Supersedes = []protocol.TrackingID{older.request.TrackingID}
	return job
}

func TestSupersededModifyLandsLate(t *testing.T) {
	b := newBench(t)
	policy := b.dc.Policy()
	policy.MinAge = 0 // nothing but the marker stands in its way
	b.dc.SetPolicy(policy)
	b.addUser(fakead.User{SAM: "alice"})
	release, first := make(chan struct{}), make(chan decision, 1)
	held := make(chan struct{})
	b.once(fakead.BeforeModify, setsPassword, func() fakead.Action { close(held); return fakead.Hold(release) })
	older, slow := b.request("alice", protocol.Reset), b.agent()
	go func() { first <- slow.apply(t.Context(), older) }()
	<-held

	newer := b.newer("alice", older)
	b.want(b.agent().apply(t.Context(), newer), protocol.Success, answerThenComplete)
	want := append(values(newer.request.TrackingID, ""), values(older.request.TrackingID, protocol.Superseded)...)
	if got := b.markers("alice"); !sameValues(got, want) {
		t.Errorf("markers %q, want %q", got, want)
	}
	close(release)
	b.want(<-first, protocol.Superseded, answerThenComplete)
	if !b.state("alice").PasswordIs(newerPassword) {
		t.Error("the older password landed last")
	}
}

// The superseded request is decided while the newer one is on its way: 20, which is not about the newer one.
func TestSupersededRequestIsDecidedMeanwhile(t *testing.T) {
	b := newBench(t)
	policy := b.dc.Policy()
	policy.MinAge = 0
	b.dc.SetPolicy(policy)
	b.addUser(fakead.User{SAM: "alice"})
	older := b.request("alice", protocol.Reset)
	newer := b.newer("alice", older)
	other := b.agent()
	b.once(fakead.BeforeModify, setsPassword, func() fakead.Action {
		b.want(other.apply(t.Context(), older), protocol.Success, answerThenComplete)
		return fakead.Pass()
	})
	b.want(b.agent().apply(t.Context(), newer), protocol.Success, answerThenComplete)
	if taken, all := b.writes("alice"); taken != 2 || all != 3 || !b.state("alice").PasswordIs(newerPassword) {
		t.Errorf("%d of %d writes taken; want the older, a 20, and the newer last", taken, all)
	}
	if want := append(values(newer.request.TrackingID, ""), values(older.request.TrackingID, "")...); !sameValues(b.markers("alice"), want) {
		t.Errorf("markers %q, want %q", b.markers("alice"), want)
	}
}

// Two requests in a row, and then the first one comes again: whatever became of it, it does not undo the second.
func TestTheFirstOfTwoRequestsComesAgain(t *testing.T) {
	b := newBench(t)
	policy := b.dc.Policy()
	policy.MinAge, policy.History = 0, 0 // nothing but the marker stands in its way
	b.dc.SetPolicy(policy)
	for _, tt := range []struct {
		what     string
		password string // of the first
		taken    int    // writes, of both
		unheard  bool   // the first never reached an agent, so the second supersedes it
		again    protocol.Outcome
	}{
		{"it was applied", newPassword, 2, false, protocol.Success},
		{"it was refused", "short", 1, false, protocol.PolicyViolation},
		{"it was never taken", newPassword, 1, true, protocol.Superseded},
	} {
		sam := "user-" + fmt.Sprint(tt.taken, tt.unheard)
		b.addUser(fakead.User{SAM: sam})
		first := b.request(sam, protocol.Reset)
		first.secrets.New = protocol.NewSecret(tt.password)
		second := b.newer(sam, first)
		if !tt.unheard {
			b.agent().apply(t.Context(), first)
			second.request.Supersedes = nil
		}
		b.want(b.agent().apply(t.Context(), second), protocol.Success, answerThenComplete)
		first.secrets.New, first.delivery.count = protocol.NewSecret(newPassword), 2 // which would be accepted now
		b.want(b.agent().apply(t.Context(), first), tt.again, answerThenComplete)
		if taken, _ := b.writes(sam); taken != tt.taken || !b.state(sam).PasswordIs(newerPassword) {
			t.Errorf("%s: %d writes taken, want %d, the second request's last", tt.what, taken, tt.taken)
		}
	}
}

func TestSeveralSupersededRequests(t *testing.T) {
	b := newBench(t)
	b.addUser(fakead.User{SAM: "alice"})
	a := b.agent()
	job := b.request("alice", protocol.Reset)
	var want []string
	for range protocol.MaxSupersedes {
		id := b.newID()
		job.request.Supersedes = append(job.request.Supersedes, id)
		want = append(want, values(id, protocol.Superseded)...)
	}
	b.want(a.apply(t.Context(), job), protocol.Success, answerThenComplete)
	if got := b.markers("alice"); !sameValues(got, append(want, values(job.request.TrackingID, "")...)) {
		t.Errorf("%d markers, want %d", len(got), len(want)+1)
	}
}

func TestNothingIsVisible(t *testing.T) {
	b := newBench(t)
	b.addUser(fakead.User{SAM: "alice"})
	job := b.request("alice", protocol.Reset)
	b.once(fakead.BeforeModify, setsPassword, func() fakead.Action {
		b.must(b.dc.SetAttribute("alice", protocol.DefaultMarkerAttribute, values(job.request.TrackingID, "")...))
		return fakead.Pass()
	})
	b.once(fakead.AfterModify, setsPassword, func() fakead.Action { // as for an account that may not read the attribute
		b.must(b.dc.SetAttribute("alice", protocol.DefaultMarkerAttribute))
		return fakead.Pass()
	})
	d := b.agent().apply(t.Context(), job)
	b.want(d, protocol.Unknown, answerThenComplete)
	if d.engine == "" {
		t.Error("event 6329 says nothing")
	}
}

func TestOldValuesAreRemoved(t *testing.T) {
	b := newBench(t)
	now := clock.Real().Now()
	old, older, recent := b.idOf(now.Add(-61*time.Minute)), b.idOf(now.Add(-26*time.Hour)), b.idOf(now.Add(-59*time.Minute))
	for what, op := range map[string]string{"set": newPassword, "burn": "short"} {
		sam := "user-" + what
		others := append(values(recent, ""), "somebody else's value", "passback/1 not-an-id")
		b.addUser(fakead.User{SAM: sam, Attributes: map[string][]string{protocol.DefaultMarkerAttribute: slices.Concat(values(old, protocol.Superseded), values(older, ""), others)}})
		job := b.request(sam, protocol.Reset)
		job.secrets.New = protocol.NewSecret(op)
		d := b.agent().apply(t.Context(), job)
		refused := d.outcome
		if refused == protocol.Success {
			refused = ""
		}
		if got, want := b.markers(sam), append(others, values(job.request.TrackingID, refused)...); !sameValues(got, want) {
			t.Errorf("%s: markers %q, want %q", what, got, want)
		}
	}
}

func TestAnotherWriterRemovedTheOldValues(t *testing.T) {
	for what, p := range map[string]string{"set": newPassword, "burn": "short"} {
		b := newBench(t)
		old := b.idOf(clock.Real().Now().Add(-2 * time.Hour))
		b.addUser(fakead.User{SAM: "alice", Attributes: map[string][]string{protocol.DefaultMarkerAttribute: values(old, "")}})
		which := setsPassword
		if what == "burn" {
			which = isBurn
		}
		code := make(chan int, 4)
		b.once(fakead.BeforeModify, which, func() fakead.Action {
			b.must(b.dc.SetAttribute("alice", protocol.DefaultMarkerAttribute))
			return fakead.Pass()
		})
		b.Cleanup(b.dc.Hook(func(o fakead.Operation) fakead.Action {
			if o.Stage == fakead.AfterModify && which(o) {
				code <- o.Code
			}
			return fakead.Pass()
		}))
		job := b.request("alice", protocol.Reset)
		job.secrets.New = protocol.NewSecret(p)
		want := protocol.Success
		if what == "burn" {
			want = protocol.PolicyViolation
		}
		b.want(b.agent().apply(t.Context(), job), want, answerThenComplete)
		var codes []int
		for len(code) > 0 {
			codes = append(codes, <-code)
		}
		if !slices.Equal(codes, []int{16, 0}) {
			t.Errorf("%s: the modifies ended with %v, want 16 and 0", what, codes)
		}
	}
}

func TestARefusalThatThisVersionDoesNotKnow(t *testing.T) {
	b := newBench(t)
	id := b.newID()
	bare := values(id, "")[0]
	b.addUser(fakead.User{SAM: "alice", Attributes: map[string][]string{protocol.DefaultMarkerAttribute: {bare, bare + " refused byALaterVersion"}}})
	job := b.request("alice", protocol.Reset)
	job.request.TrackingID = id
	b.want(b.agent().apply(t.Context(), job), protocol.InternalError, answerThenComplete) // a refusal, never a success
}

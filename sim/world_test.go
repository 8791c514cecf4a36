package sim_test

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/clock"
	"passback/fakerelay"
	"passback/sim"
	"passback/sim/cloud"
	"passback/sim/trace"
	"passback/writeback/protocol"
)

func TestOrdinaryPersonIsResetByThePortal(t *testing.T) {
	w := sim.RunT(t)
	alice := w.People()[0]
	fresh := protocol.NewSecret("Nine-Green-Kites-41")

	result := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.PortalReset, User: alice.UPN, New: fresh})

	if result.Outcome != protocol.Success || !result.Sent || result.DC != "dc1.corp.example" {
		t.Fatalf("told %s (%s), sent %t, by %q", result.Outcome, result.Detail, result.Sent, result.DC)
	}
	if err := bind(t, w, alice.UPN, fresh.Reveal()); err != nil {
		t.Errorf("the new password does not bind: %v", err)
	}
	for range 2 { // the synchronisation must not undo it
		if s := w.Cloud.SignIn(t.Context(), alice.UPN, fresh); s.Status != cloud.SignedIn || s.CheckedBy != "cloud" {
			t.Errorf("signing in: %s, checked by %s", s.Status, s.CheckedBy)
		}
		if s := w.Cloud.SignIn(t.Context(), alice.UPN, protocol.NewSecret(alice.Password)); s.Status != cloud.SignInWrong {
			t.Errorf("signing in with the old password: %s", s.Status)
		}
		if err := w.Synchronise(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, place := range []trace.Place{trace.Cloud, trace.Relay, trace.Agent, trace.Directory} {
		met := func(h trace.Hop) bool { return h.Place == place }
		if hops := w.Trace.Of(string(result.TrackingID)); !slices.ContainsFunc(hops, met) {
			t.Errorf("the trace shows no hop at the %s: %v", place, hops)
		}
	}
}

// What each of the built-in company is there to show.
func TestCompanyShowsWhatItSays(t *testing.T) {
	w := sim.RunT(t)
	for _, c := range []struct {
		name    string
		way     cloud.Way
		outcome protocol.Outcome
		gate    string
	}{
		{"bob", cloud.PortalReset, protocol.Success, ""},
		{"carol", cloud.AccessPanel, protocol.AccountLockedOut, ""},
		{"carol", cloud.UnlockAlone, protocol.Success, ""},
		{"carol", cloud.AccessPanel, protocol.Success, ""},
		{"dave", cloud.ForcedChange, protocol.Success, ""},
		{"erin", cloud.ForcedChange, protocol.Success, ""},
		{"frank", cloud.PortalReset, protocol.AccountDisabled, ""},
		{"grace", cloud.AdminReset, protocol.ProtectedAccount, ""},
		{"heidi", cloud.AccessPanel, protocol.CannotChange, ""},
		{"heidi", cloud.PortalReset, protocol.Success, ""},
		{"ivan", cloud.PortalReset, protocol.PolicyViolation, ""},
		{"judy", cloud.PortalReset, protocol.Success, ""},
		{"ken", cloud.ForcedChange, protocol.Success, ""},
		{"laura", cloud.AdminReset, protocol.Success, ""},
		{"mallory", cloud.PortalReset, protocol.InvalidRequest, "SSPR_0012"},
		{"niaj", cloud.PortalReset, protocol.InvalidRequest, "SSPR_0014"},
		{"peggy", cloud.PortalReset, protocol.Success, ""},
		{"sybil", cloud.PortalReset, protocol.Success, ""},
		{"zoe", cloud.PortalReset, protocol.Success, ""},
		{"walter", cloud.PortalReset, protocol.Success, ""},
	} {
		p := person(t, w, c.name)
		ask := cloud.Ask{Way: c.way, User: p.UPN, Old: protocol.NewSecret(p.Password), New: protocol.NewSecret("Nine-Green-Kites-41")}
		switch c.way {
		case cloud.AdminReset:
			ask.Actor, ask.Old = w.AdminUPN(), protocol.Secret{}
		case cloud.PortalReset:
			ask.Old = protocol.Secret{}
		case cloud.UnlockAlone:
			ask.Old, ask.New = protocol.Secret{}, protocol.Secret{}
		}
		result := w.Cloud.Perform(t.Context(), ask)
		if result.Outcome != c.outcome || c.gate != "" && result.SSPR != c.gate {
			t.Errorf("%s by %s: told %s %s (%s %s), want %s %s", c.name, c.way, result.Outcome, result.SSPR, result.Reason, result.Detail, c.outcome, c.gate)
		}
	}
}

func TestScopeIsTheMembersOfOneGroup(t *testing.T) {
	w := sim.RunT(t)
	s := w.Cloud.Settings()
	s.SSPR, s.ScopeGroup = cloud.ScopeSelected, "SSPR-Users"
	if err := w.Cloud.SetSettings(s); err != nil {
		t.Fatal(err)
	}
	if g := w.Cloud.Check(cloud.PortalReset, "olivia@corp.example"); g == nil || g.SSPR != "SSPR_0013" {
		t.Errorf("Olivia is outside of the group, and the gate is %+v", g)
	}
	if g := w.Cloud.Check(cloud.PortalReset, "alice@corp.example"); g != nil {
		t.Errorf("Alice is a member, and is refused: %+v", g)
	}
}

func TestTemporaryPasswordOfAnAdministrator(t *testing.T) {
	w := sim.RunT(t)
	temporary, own := protocol.NewSecret("Nine-Green-Kites-41"), protocol.NewSecret("Eight-Blue-Boats-17")
	for _, name := range []string{"alice", "judy"} { // hash-synchronised, and federated
		p := person(t, w, name)
		result := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.AdminReset, User: p.UPN, Actor: w.AdminUPN(), New: temporary})
		if result.Outcome != protocol.Success || !result.MustChange {
			t.Fatalf("%s: told %s, must change %t", name, result.Outcome, result.MustChange)
		}
		if s := w.Cloud.SignIn(t.Context(), p.UPN, temporary); s.Status != cloud.SignInChange {
			t.Errorf("%s signs in with the temporary password: %s", name, s.Status)
		}
		changed := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.ForcedChange, User: p.UPN, Old: temporary, New: own})
		if changed.Outcome != protocol.Success {
			t.Errorf("%s changes it: told %s (%s)", name, changed.Outcome, changed.Detail)
		}
		if s := w.Cloud.SignIn(t.Context(), p.UPN, own); s.Status != cloud.SignedIn {
			t.Errorf("%s signs in with the own password: %s", name, s.Status)
		}
	}
}

func TestNotWrittenBackDivergesVisibly(t *testing.T) {
	w := sim.RunT(t)
	fresh := protocol.NewSecret("Nine-Green-Kites-41")
	alice := w.People()[0]
	for _, ask := range []cloud.Ask{
		{Way: cloud.AdminCenterReset, User: alice.UPN, Actor: w.AdminUPN(), New: fresh},
		{Way: cloud.GraphChange, User: alice.UPN, Old: fresh, New: protocol.NewSecret("Eight-Blue-Boats-17")},
	} {
		result := w.Cloud.Perform(t.Context(), ask)
		if result.Outcome != protocol.Success && ask.Way == cloud.AdminCenterReset || result.Sent || result.Warning == "" && result.Succeeded() {
			t.Errorf("%s: told %s, sent %t, warning %q", ask.Way, result.Outcome, result.Sent, result.Warning)
		}
		if err := bind(t, w, alice.UPN, alice.Password); err != nil {
			t.Errorf("%s changed the directory: %v", ask.Way, err)
		}
	}
	if writes := w.Directory.PasswordWrites(); len(writes) != 0 {
		t.Errorf("the directory was written to: %v", writes)
	}
	if s := w.Cloud.SignIn(t.Context(), alice.UPN, protocol.NewSecret(alice.Password)); s.Status != cloud.SignInWrong {
		t.Errorf("the cloud still takes the directory's password: %s", s.Status)
	}
}

func TestCloudCopyFailsAfterTheDirectory(t *testing.T) {
	w := sim.RunT(t)
	alice := w.People()[0].UPN
	fresh := protocol.NewSecret("Nine-Green-Kites-41")
	w.Cloud.SignIn(t.Context(), alice, protocol.NewSecret(w.People()[0].Password)) // the copy is learnt
	if err := w.ArmFault("cloud.copy-fails"); err != nil {
		t.Fatal(err)
	}
	result := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.PortalReset, User: alice, New: fresh})
	if result.Outcome != protocol.CloudWriteFailed || !result.Succeeded() {
		t.Fatalf("told %s", result.Outcome)
	}
	if s := w.Cloud.SignIn(t.Context(), alice, fresh); s.Status != cloud.SignInWrong {
		t.Errorf("before the synchronisation the new password signs in: %s", s.Status)
	}
	if err := w.Synchronise(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := w.Cloud.SignIn(t.Context(), alice, fresh); s.Status != cloud.SignedIn {
		t.Errorf("after the synchronisation the new password does not sign in: %s", s.Status)
	}
}

func TestUnknownIsSupersededByTheNextRequest(t *testing.T) {
	w := sim.RunT(t)
	alice := w.People()[0].UPN
	s := w.Cloud.Settings()
	s.Deadline = 300 * time.Millisecond
	if err := errors.Join(w.Cloud.SetSettings(s), w.ArmFault("relay.lose-request")); err != nil {
		t.Fatal(err)
	}
	lost := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.PortalReset, User: alice, New: protocol.NewSecret("Nine-Green-Kites-41")})
	if lost.Outcome != protocol.Unknown || lost.Changed != protocol.ChangedMaybe {
		t.Fatalf("told %s", lost.Outcome)
	}
	s.Deadline = 0
	if err := w.Cloud.SetSettings(s); err != nil {
		t.Fatal(err)
	}
	next := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.PortalReset, User: alice, New: protocol.NewSecret("Eight-Blue-Boats-17")})
	if next.Outcome != protocol.Success {
		t.Fatalf("the next one: told %s (%s)", next.Outcome, next.Detail)
	}
	state, err := w.Directory.User(alice)
	if err != nil {
		t.Fatal(err)
	}
	marks := state.Values(protocol.DefaultMarkerAttribute)
	twin := protocol.Marker{ID: lost.TrackingID, Refused: protocol.Superseded}.String()
	if !slices.Contains(marks, twin) {
		t.Errorf("the directory does not hold %q: %q", twin, marks)
	}
}

// Told nothing, the agent gives its answer again; it gets through when the fault has ended.
func TestLostAnswerIsGivenAgainWhenTheFaultEnds(t *testing.T) {
	w := sim.RunT(t)
	if err := w.ArmFault("relay.lose-answer"); err != nil {
		t.Fatal(err)
	}
	told := make(chan cloud.Result, 1)
	go func() {
		told <- w.Cloud.Perform(context.Background(), cloud.Ask{Way: cloud.PortalReset, User: w.People()[0].UPN, New: protocol.NewSecret("Nine-Green-Kites-41")})
	}()
	lostAgain := func(f fakerelay.Fault) bool { return f.MessageID != "" && f.Hits > 0 }
	for !slices.ContainsFunc(w.Relay.Faults(), lostAgain) {
		if err := clock.Sleep(t.Context(), clock.Real(), 10*time.Millisecond); err != nil || len(told) > 0 {
			t.Fatalf("the answer was lost once at most: %v", err)
		}
	}
	w.DisarmFaults()
	if result := <-told; result.Outcome != protocol.Success {
		t.Errorf("told %s (%s)", result.Outcome, result.Detail)
	}
}

func TestOneOperationAUserAtATime(t *testing.T) {
	w := sim.RunT(t)
	alice := w.People()[0].UPN
	arrived, goOn := make(chan struct{}), make(chan struct{})
	hold(t, w, arrived, goOn)
	first := make(chan cloud.Result)
	go func() {
		first <- w.Cloud.Perform(context.Background(), cloud.Ask{Way: cloud.PortalReset, User: alice, New: protocol.NewSecret("Nine-Green-Kites-41")})
	}()
	<-arrived
	second := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.PortalReset, User: alice, New: protocol.NewSecret("Eight-Blue-Boats-17")})
	close(goOn)
	if second.Gate == nil || second.Gate.Name != "OperationInProgress" || second.Sent {
		t.Errorf("the second one: told %s, %+v", second.Outcome, second.Gate)
	}
	if result := <-first; result.Outcome != protocol.Success {
		t.Errorf("the first one: told %s", result.Outcome)
	}
}

func TestResetOfTheWorld(t *testing.T) {
	w := sim.RunT(t)
	alice := w.People()[0]
	before, _ := w.Cloud.User(alice.UPN)
	w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.PortalReset, User: alice.UPN, New: protocol.NewSecret("Nine-Green-Kites-41")})

	if err := w.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}

	after, known := w.Cloud.User(alice.UPN)
	if !known || after.ID != before.ID {
		t.Errorf("Alice was %s and is %q", before.ID, after.ID)
	}
	if err := bind(t, w, alice.UPN, alice.Password); err != nil {
		t.Errorf("the seeded password does not bind again: %v", err)
	}
	result := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.PortalReset, User: alice.UPN, New: protocol.NewSecret("Nine-Green-Kites-41")})
	if result.Outcome != protocol.Success {
		t.Errorf("the same reset again: told %s (%s)", result.Outcome, result.Detail)
	}
}

func TestSecondRelayTakesOver(t *testing.T) {
	w := sim.RunT(t, sim.Options{SecondRelay: true})
	if err := w.Relays[0].Close(); err != nil {
		t.Fatal(err)
	}
	// A world is ready when its first relay is; until the second is too, a reset is refused before anything is sent.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		result := w.Cloud.Perform(ctx, cloud.Ask{Way: cloud.PortalReset, User: w.People()[0].UPN, New: protocol.NewSecret("Nine-Green-Kites-41")})
		if result.Outcome == protocol.Success {
			return
		}
		if result.Outcome != protocol.WritebackUnavailable || clock.Sleep(ctx, clock.Real(), 20*time.Millisecond) != nil {
			t.Fatalf("told %s (%s)", result.Outcome, result.Detail)
		}
	}
}

func TestKilledAgentComesBack(t *testing.T) {
	w := sim.RunT(t, sim.Options{WithoutAgent: true})
	a, err := w.StartAgent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a.Kill()
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.Cloud.AwaitAlive(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	result := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.PortalReset, User: w.People()[0].UPN, New: protocol.NewSecret("Nine-Green-Kites-41")})
	if result.Outcome != protocol.Success {
		t.Errorf("told %s (%s)", result.Outcome, result.Detail)
	}
}

// person of the built-in company by the name before the @.
func person(t *testing.T, w *sim.World, name string) sim.Person {
	t.Helper()
	for _, p := range w.People() {
		if strings.HasPrefix(p.UPN, name+"@") {
			return p
		}
	}
	t.Fatalf("nobody is called %s", name)
	return sim.Person{}
}

// bind is a simple bind over LDAPS by the stock client.
func bind(t *testing.T, w *sim.World, upn, password string) error {
	t.Helper()
	conn, err := ldap.DialURL(w.Directory.LDAPSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: w.CA.Pool()}))
	if err != nil {
		t.Fatalf("dial the directory: %v", err)
	}
	defer conn.Close()
	return conn.Bind(upn, password)
}

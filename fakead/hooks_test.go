package fakead_test

import (
	"testing"
	"time"

	"passback/fakead"
)

// passwordHook answers at one stage of a modify that sets a password, and passes everything else.
func passwordHook(stage fakead.Stage, action fakead.Action) func(fakead.Operation) fakead.Action {
	return func(o fakead.Operation) fakead.Action {
		if o.Stage == stage && o.SetsPassword() {
			return action
		}
		return fakead.Pass()
	}
}

func TestDisconnectAroundAModify(t *testing.T) {
	for stage, applied := range map[fakead.Stage]bool{fakead.BeforeModify: false, fakead.AfterModify: true} {
		dc := fakead.RunT(t)
		seed(t, dc, fakead.User{SAM: "alice"})
		remove := dc.Hook(passwordHook(stage, fakead.Disconnect()))
		request := resetRequest(dnOf(t, dc, "alice"), newPassword)
		if err := asAdministrator(t, dc).Modify(request); err == nil {
			t.Errorf("%s: the modify was answered", stage)
		}
		if stateOf(t, dc, "alice").PasswordIs(newPassword) != applied {
			t.Errorf("%s: applied is not %t", stage, applied)
		}
		remove()
		if err := asAdministrator(t, dc).Modify(request); err != nil {
			t.Errorf("%s: after the hook was removed: %v", stage, err)
		}
	}
}

// A held modify lands late, although its client has given up; another connection is not held up.
func TestHoldAModify(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "bob"})
	release, reached, landed := make(chan struct{}), make(chan struct{}), make(chan int, 1)
	alice := dnOf(t, dc, "alice")
	dc.Hook(func(o fakead.Operation) fakead.Action {
		switch {
		case o.Target != alice:
			return fakead.Pass()
		case o.Stage == fakead.AfterModify:
			landed <- o.Code
			return fakead.Pass()
		default:
			close(reached)
			return fakead.Hold(release)
		}
	})
	impatient := asAdministrator(t, dc)
	answered := make(chan error, 1)
	go func() { answered <- impatient.Modify(resetRequest(alice, newPassword)) }()
	<-reached
	_ = impatient.Close()
	if err := <-answered; err == nil {
		t.Error("a held modify was answered")
	}
	if err := asAdministrator(t, dc).Modify(resetRequest(dnOf(t, dc, "bob"), newPassword)); err != nil {
		t.Errorf("another modify: %v", err)
	}
	if stateOf(t, dc, "alice").PasswordIs(newPassword) {
		t.Error("applied before it was released")
	}
	close(release)
	if code := <-landed; code != 0 || !stateOf(t, dc, "alice").PasswordIs(newPassword) {
		t.Errorf("after the release: code %d", code)
	}
}

// Close does not wait for a test that forgot to release, and what was held is not applied.
func TestCloseEndsAHold(t *testing.T) {
	dc, err := fakead.New(fakead.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seed(t, dc, fakead.User{SAM: "alice", PasswordSet: time.Now()})
	reached := make(chan struct{})
	dc.Hook(func(o fakead.Operation) fakead.Action {
		close(reached)
		return fakead.Hold(make(chan struct{}))
	})
	c := asAdministrator(t, dc)
	answered := make(chan error, 1)
	go func() { answered <- c.Modify(resetRequest(dnOf(t, dc, "alice"), newPassword)) }()
	<-reached
	if err := dc.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err == nil {
		t.Error("success was answered")
	}
	if stateOf(t, dc, "alice").PasswordIs(newPassword) {
		t.Error("the held modify was applied")
	}
}

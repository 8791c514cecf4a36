package directory_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"passback/writeback/directory"
	"passback/writeback/protocol"
)

func TestEmptyPasswordIsNoBind(t *testing.T) {
	if _, err := directory.New(directory.Options{Domain: "corp.example", User: "svc"}); err == nil {
		t.Error("an empty password would bind as nobody")
	}
}

func TestARefusedBindIsTriedOnce(t *testing.T) {
	l := newLab(t)
	dn, _ := l.addUser("svc", nil)
	g := &gate{}
	d := l.open(func(o *directory.Options) {
		o.User, o.Password, o.Dial = dn, protocol.NewSecret("Wrong-Password-1"), g.dial
	})
	for range 3 {
		_, err := d.Open(t.Context(), l.host)
		if directory.KindOf(err) != directory.BindRefused {
			t.Fatalf("want the bind's refusal, got %v", err)
		}
		if strings.Contains(err.Error(), "Wrong-Password-1") {
			t.Fatalf("the error tells the password: %v", err)
		}
	}
	if _, err := d.WriteTo(t.Context()); directory.KindOf(err) != directory.BindRefused {
		t.Errorf("write to: %v", err)
	}
	if n := len(g.dials()); n != 1 {
		t.Errorf("connected %d times, want 1: the account would lock itself out", n)
	}
}

// Whatever asks at once, under a policy that locks an account out at its second wrong password.
func TestTheAgentsAccountIsNotLockedOut(t *testing.T) {
	l := newLab(t)
	if l.fake == nil {
		t.Skip("a real domain's lockout is not made stricter")
	}
	policy := l.fake.Policy()
	policy.LockoutThreshold, policy.LockoutDuration, policy.LockoutWindow = 2, time.Hour, time.Hour
	l.fake.SetPolicy(policy)
	dn, _ := l.addUser("svc", nil)
	d := l.open(func(o *directory.Options) { o.User, o.Password = dn, protocol.NewSecret("Wrong-Password-1") })
	var asking sync.WaitGroup
	for range 20 {
		asking.Go(func() { _, _ = d.WriteTo(t.Context()) })
		asking.Go(func() { _, _ = d.Open(t.Context(), l.host) })
	}
	asking.Wait()
	svc, err := l.fake.User("svc")
	l.must(err)
	if svc.BadPasswords != 1 || svc.Locked {
		t.Errorf("%d wrong passwords were counted, want 1; locked out: %t", svc.BadPasswords, svc.Locked)
	}
}

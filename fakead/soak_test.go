package fakead_test

// A soak: many connections do all kinds of things for an hour of the domain's time, and leave nothing behind: no goroutine,
// no memory beyond what the directory holds. CI soaks shortly; `make soak` longer.

import (
	"crypto/tls"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/clock"
	"passback/fakead"
)

var soakRounds = flag.Int("soak", 1, "how often each connection of the soak does everything, a minute of the domain's time each; 60 make an hour")

const soakConnections = 64

func TestSoak(t *testing.T) {
	idle := runtime.NumGoroutine()
	running := clock.NewRunning()
	dc := fakead.RunT(t, fakead.Options{Clock: running})
	policy := dc.Policy()
	policy.LockoutThreshold, policy.MinAge = 5, 0
	dc.SetPolicy(policy)
	for i := range soakConnections {
		seed(t, dc, fakead.User{SAM: fmt.Sprintf("person%02d", i)})
	}
	soak(t, dc) // what a server keeps once it has been used: schema, descriptors, pools
	before := heap()
	for range *soakRounds {
		soak(t, dc)
		running.Advance(time.Minute)
	}
	// What the domain keeps of a round, tombstones, events and recorded writes, is a third of this; a leak of what one
	// round of connections needs would be three times as much.
	const slack, kept = 8 << 20, 1 << 20
	if after := heap(); after > before+slack+uint64(*soakRounds)*kept {
		t.Errorf("%d bytes of heap, and %d before: more than what %d rounds keep", after, before, *soakRounds)
	}
	if err := dc.Close(); err != nil {
		t.Error(err)
	}
	if left := runtime.NumGoroutine() - idle; left >= soakConnections {
		t.Errorf("%d goroutines are left", left)
	}
}

// soak lets each connection do everything once, and closes it.
func soak(t *testing.T, dc *fakead.Server) {
	t.Helper()
	var all sync.WaitGroup
	for i := range soakConnections {
		all.Go(func() {
			c, err := ldap.DialURL(dc.LDAPSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: dc.CA().Pool()}))
			if err != nil {
				t.Errorf("connection %d: %v", i, err)
				return
			}
			defer c.Close()
			if err := oneRound(dc, c, fmt.Sprintf("person%02d", i)); err != nil {
				t.Errorf("connection %d: %v", i, err)
			}
		})
	}
	all.Wait()
}

// oneRound is one round of one connection, on an account of its own.
func oneRound(dc *fakead.Server, c *ldap.Conn, sam string) error {
	person, err := dc.User(sam)
	if err != nil {
		return err
	}
	secret := fmt.Sprintf("Summer-%d?", rand.Int64())
	extra := "CN=extra of " + sam + "," + users
	add := ldap.NewAddRequest(extra, nil)
	add.Attribute("objectClass", []string{"contact"})
	for _, step := range []struct {
		what string
		do   func() error
		code uint16
	}{
		{"a wrong password", func() error { return c.Bind(person.DN, "wrong") }, 49},
		{"administrator", func() error { return c.Bind(dc.AdminDN(), dc.AdminPassword()) }, 0},
		{"a reset", func() error { return c.Modify(resetRequest(person.DN, secret)) }, 0},
		{"too short a password", func() error { return c.Modify(resetRequest(person.DN, "x")) }, 53},
		{"an unlock", func() error { return c.Modify(replaceRequest(person.DN, "", "lockoutTime", "0")) }, 0},
		{"an entry", func() error { return c.Add(add) }, 0},
		{"a rename", func() error { return rename(c, extra, "CN=renamed "+sam, "") }, 0},
		{"its end", func() error { return c.Del(ldap.NewDelRequest("CN=renamed "+sam+","+users, nil)) }, 0},
		{"a search", func() error { _, err := c.Search(subtree(base, "(sAMAccountName="+sam+")")); return err }, 0},
		{"pages", func() error { _, err := c.SearchWithPaging(subtree(users, "(objectClass=user)", "cn"), 20); return err }, 0},
		{"the account itself", func() error { return c.Bind(person.DN, secret) }, 0},
	} {
		if err := step.do(); !ldap.IsErrorWithCode(err, step.code) && (err != nil || step.code != 0) {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// heap is what is in use after two collections.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

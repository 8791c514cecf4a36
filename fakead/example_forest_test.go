package fakead_test

import (
	"crypto/tls"
	"fmt"
	"log"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/clock"
	"passback/fakead"
)

// Two domain controllers, of which one has not heard of a reset on the other.
func ExampleServer_HoldReplication() {
	running := clock.NewRunning()
	forest, err := fakead.NewForest(fakead.ForestOptions{Options: fakead.Options{Clock: running}})
	if err != nil {
		log.Fatal(err)
	}
	defer forest.Close()
	pdc, stale := forest.DC("dc1"), forest.DC("dc2")
	if err := pdc.AddUser(fakead.User{SAM: "alice", Password: "Winter-2026!"}); err != nil {
		log.Fatal(err)
	}
	forest.Replicate()

	release := stale.HoldReplication()
	if err := pdc.SetPassword("alice", "Summer-2027?", time.Time{}); err != nil {
		log.Fatal(err)
	}
	running.Advance(2 * time.Hour) // by when dc1 no longer takes the one before
	binds := func(dc *fakead.Server, password string) bool {
		conn, err := ldap.DialURL(dc.LDAPSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: dc.CA().Pool()}))
		if err != nil {
			log.Fatal(err)
		}
		defer conn.Close()
		return conn.Bind("alice@corp.example", password) == nil
	}
	fmt.Println("the old password, on dc1 and dc2:", binds(pdc, "Winter-2026!"), binds(stale, "Winter-2026!"))
	fmt.Println("the new one on dc2, which asks the PDC emulator:", binds(stale, "Summer-2027?"))
	restore := stale.Cut()
	fmt.Println("and when it cannot:", binds(stale, "Summer-2027?"))
	restore()
	release()
	fmt.Println("the old one on dc2 in the end:", binds(stale, "Winter-2026!"))
	// Output:
	// the old password, on dc1 and dc2: false true
	// the new one on dc2, which asks the PDC emulator: true
	// and when it cannot: false
	// the old one on dc2 in the end: false
}

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

// A domain controller in a test: seed it, bind to it, be locked out, wait half an hour, be let in.
func Example() {
	running := clock.NewRunning()
	dc, err := fakead.New(fakead.Options{Clock: running})
	if err != nil {
		log.Fatal(err)
	}
	defer dc.Close()
	policy := dc.Policy()
	policy.LockoutThreshold = 3
	dc.SetPolicy(policy)
	if err := dc.AddUser(fakead.User{SAM: "alice", Password: "Winter-2026!"}); err != nil {
		log.Fatal(err)
	}

	conn, err := ldap.DialURL(dc.LDAPSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: dc.CA().Pool()}))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println("right password:", conn.Bind("alice@corp.example", "Winter-2026!"))
	for range 3 {
		_ = conn.Bind("alice@corp.example", "a guess")
	}
	err = conn.Bind("alice@corp.example", "Winter-2026!")
	fmt.Println("after three wrong ones:", ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials))
	running.Advance(30 * time.Minute)
	fmt.Println("half an hour later:", conn.Bind("alice@corp.example", "Winter-2026!"))
	// Output:
	// right password: <nil>
	// after three wrong ones: true
	// half an hour later: <nil>
}

// A service account resets a password under the whole policy, and the directory tells who wrote what.
func ExampleServer_Delegate() {
	dc, err := fakead.New(fakead.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dc.Close()
	for _, u := range []fakead.User{{SAM: "svc", Password: "Winter-2026!"}, {SAM: "alice", MustChange: true, Password: "Winter-2026!"}} {
		if err := dc.AddUser(u); err != nil {
			log.Fatal(err)
		}
	}
	if err := dc.Delegate("svc", fakead.Rights{ResetPassword: true, Unexpire: true}); err != nil {
		log.Fatal(err)
	}

	conn, err := ldap.DialURL(dc.LDAPSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: dc.CA().Pool()}))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Bind(`CORP\svc`, "Winter-2026!"); err != nil {
		log.Fatal(err)
	}
	hints := ldap.NewControlString("1.2.840.113556.1.4.2239", true, "\x30\x03\x02\x01\x01")
	for _, password := range []string{"short", "Winter-2026!", "Summer-2027?"} {
		m := resetRequest("CN=alice,CN=Users,DC=corp,DC=example", password)
		m.Controls = []ldap.Control{hints}
		_ = conn.Modify(m)
	}
	for _, w := range dc.PasswordWrites() {
		fmt.Println(w.Code, w.Rule)
	}
	// Output:
	// 53 length
	// 53 history
	// 0
}

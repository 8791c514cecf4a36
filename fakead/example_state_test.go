package fakead_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"log"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// A fine-grained policy of a group, and which one a user is under.
func ExampleServer_AddPSO() {
	dc, err := fakead.New(fakead.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dc.Close()
	_ = dc.AddUser(fakead.User{SAM: "alice", Password: "Winter-2026!"})
	_ = dc.AddGroup(fakead.Group{SAM: "Operators", Members: []string{"alice"}})
	_ = dc.AddPSO(fakead.PSO{
		Name: "operators", Precedence: 10, AppliesTo: []string{"Operators"},
		Policy: fakead.Policy{MinLength: 16, History: 24, LockoutThreshold: 3},
	})
	alice, _ := dc.User("alice")
	fmt.Println(alice.PolicyName)
	fmt.Println(alice.Policy.MinLength, dc.Policy().MinLength)
	// Output:
	// CN=operators,CN=Password Settings Container,CN=System,DC=corp,DC=example
	// 16 7
}

// A domain that is prepared once, and what each test begins with.
func ExampleServer_Restore() {
	dc, err := fakead.New(fakead.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dc.Close()
	_ = dc.AddUser(fakead.User{SAM: "alice", Password: "Winter-2026!"})
	prepared := dc.Snapshot()

	_ = dc.AddUser(fakead.User{SAM: "bob"})
	if err := dc.Restore(prepared); err != nil {
		log.Fatal(err)
	}
	_, err = dc.User("bob")
	fmt.Println(err)
	// Output: bob: no such object in the directory
}

// A copy of a domain in another server. Passwords stay behind.
func ExampleServer_WriteLDIF() {
	dc, err := fakead.New(fakead.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dc.Close()
	_ = dc.AddUser(fakead.User{SAM: "alice", Password: "Winter-2026!"})
	var domain bytes.Buffer
	if err := dc.WriteLDIF(&domain); err != nil {
		log.Fatal(err)
	}

	twin, err := fakead.New(fakead.Options{LDIF: &domain})
	if err != nil {
		log.Fatal(err)
	}
	defer twin.Close()
	before, _ := dc.User("alice")
	after, _ := twin.User("alice")
	fmt.Println(before.GUID == after.GUID, after.PasswordIs("Winter-2026!"))
	// Output: true false
}

// What the domain controller's security log says of a wrong password.
func ExampleServer_Events() {
	dc, err := fakead.New(fakead.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dc.Close()
	_ = dc.AddUser(fakead.User{SAM: "alice", Password: "Winter-2026!"})
	conn, err := ldap.DialURL(dc.LDAPSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: dc.CA().Pool()}))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	_ = conn.Bind("alice@corp.example", "a guess")
	for _, e := range dc.Events() {
		fmt.Println(e.ID, e.Data["TargetUserName"], e.Data["SubStatus"])
	}
	// Output: 4625 alice@corp.example 0xc000006a
}

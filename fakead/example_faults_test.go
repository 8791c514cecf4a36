package fakead_test

import (
	"crypto/tls"
	"fmt"
	"log"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// A domain from the LDIF that ldifde, ldapsearch or WriteLDIF wrote, and a list of words that no new password may contain.
func ExampleOptions() {
	company := strings.NewReader(`dn: OU=Sales,DC=corp,DC=example
objectClass: organizationalUnit

dn: CN=Alice,OU=Sales,DC=corp,DC=example
objectClass: user
sAMAccountName: alice
`)
	banned, err := fakead.BannedWords(strings.NewReader("contoso\npassword\n"))
	if err != nil {
		log.Fatal(err)
	}
	dc, err := fakead.New(fakead.Options{OS: "2025", LDIF: company, Filters: []fakead.PasswordFilter{banned}})
	if err != nil {
		log.Fatal(err)
	}
	defer dc.Close()
	alice, err := dc.User("alice")
	fmt.Println(alice.DN, err)
	// Output: CN=Alice,OU=Sales,DC=corp,DC=example <nil>
}

// A fault at a chosen point: the connection breaks after a reset was applied, before the answer. Only the directory
// knows that the password is set.
func ExampleServer_Hook() {
	dc, err := fakead.New(fakead.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dc.Close()
	_ = dc.AddUser(fakead.User{SAM: "alice", Password: "Winter-2026!"})
	remove := dc.Hook(func(o fakead.Operation) fakead.Action {
		if o.Stage == fakead.AfterModify && o.SetsPassword() {
			return fakead.Disconnect()
		}
		return fakead.Pass()
	})
	defer remove()

	conn, err := ldap.DialURL(dc.LDAPSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: dc.CA().Pool()}))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Bind(dc.AdminDN(), dc.AdminPassword()); err != nil {
		log.Fatal(err)
	}
	err = conn.Modify(resetRequest("CN=alice,CN=Users,DC=corp,DC=example", "Summer-2027?"))
	alice, _ := dc.User("alice")
	fmt.Println("the client was answered:", err == nil)
	fmt.Println("the password is set:", alice.PasswordIs("Summer-2027?"))
	// Output:
	// the client was answered: false
	// the password is set: true
}

package fakead_test

import (
	"crypto/tls"
	"fmt"
	"sync"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// Many clients at once, over LDAPS and StartTLS; of those that add the same value only one succeeds.
func TestConcurrentClients(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	dn := dnOf(t, dc, "alice")
	const clients, rounds = 8, 10
	var applied [rounds]int
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			c, err := dialEither(dc, i%2 == 0)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for round := range rounds {
				if err := c.Bind(dc.AdminDN(), dc.AdminPassword()); err != nil {
					t.Error(err)
					return
				}
				password := fmt.Sprintf("Client-%d-%d", i, round)
				err := c.Modify(withMarker(resetRequest(dn, password), fmt.Sprintf("r%d", round)))
				switch {
				case err == nil:
					mu.Lock()
					applied[round]++
					mu.Unlock()
				case !ldap.IsErrorWithCode(err, ldap.LDAPResultAttributeOrValueExists):
					t.Error(err)
				}
				if _, err := c.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", nil, nil)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for round, n := range applied {
		if n != 1 {
			t.Errorf("round %d was applied %d times", round, n)
		}
	}
}

func dialEither(dc *fakead.Server, startTLS bool) (*ldap.Conn, error) {
	config := &tls.Config{RootCAs: dc.CA().Pool(), ServerName: "localhost"}
	if !startTLS {
		return ldap.DialURL(dc.LDAPSURL(), ldap.DialWithTLSConfig(config))
	}
	c, err := ldap.DialURL(dc.LDAPURL())
	if err != nil {
		return nil, err
	}
	return c, c.StartTLS(config)
}

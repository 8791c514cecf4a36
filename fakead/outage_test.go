package fakead_test

import (
	"errors"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

func TestADCThatIsDownRefusesAndComesBackOnItsPorts(t *testing.T) {
	_, dc1, dc2 := twoDCs(t)
	url := dc2.LDAPSURL()
	conn := asAdministrator(t, dc2)
	dc2.Stop()
	if _, err := conn.WhoAmI(nil); err == nil {
		t.Error("a connection outlives its domain controller")
	}
	if _, err := ldap.DialURL(dc2.LDAPURL()); err == nil {
		t.Error("a domain controller that is down accepts a connection")
	}
	seed(t, dc1, fakead.User{SAM: "alice"})
	dc1.Replicate()
	if err := dc2.Start(); err != nil {
		t.Fatal(err)
	}
	if dc2.LDAPSURL() != url {
		t.Errorf("it came back on %s, not on %s", dc2.LDAPSURL(), url)
	}
	connectAs(t, dc2, "alice@corp.example", oldPassword) // it has caught up
}

func TestADCDiesWithoutSayingWhatItDid(t *testing.T) {
	forest, dc1, dc2 := twoDCs(t)
	seed(t, dc1, fakead.User{SAM: "alice"})
	forest.Replicate()
	remove := dc1.Hook(func(o fakead.Operation) fakead.Action {
		if o.Stage == fakead.AfterModify {
			return fakead.Crash()
		}
		return fakead.Pass()
	})
	change := ldap.NewModifyRequest(dnOf(t, dc1, "alice"), nil)
	change.Replace("unicodePwd", []string{quoted(newPassword)})
	if err := asAdministrator(t, dc1).Modify(change); err == nil || errors.As(err, new(*ldap.Error)) {
		t.Errorf("modify: %v, want a broken connection", err)
	}
	if !dc1.IsDown() || stateOf(t, dc2, "alice").PasswordIs(newPassword) {
		t.Error("dc1 is not down, or told dc2 before it died")
	}
	remove()
	if err := dc1.Start(); err != nil {
		t.Fatal(err)
	}
	if !stateOf(t, dc2, "alice").PasswordIs(newPassword) {
		t.Error("what dc1 had applied did not reach dc2 when it came back")
	}
}

func TestASlowDCAnswersInTheEnd(t *testing.T) {
	dc := fakead.RunT(t)
	conn := asAdministrator(t, dc)
	dc.SetDelay(time.Hour)
	conn.SetTimeout(time.Millisecond)
	if _, err := conn.WhoAmI(nil); !ldap.IsErrorWithCode(err, ldap.ErrorNetwork) {
		t.Errorf("an operation of an hour: %v, want a timeout", err)
	}
	dc.SetDelay(time.Microsecond)
	asAdministrator(t, dc)
}

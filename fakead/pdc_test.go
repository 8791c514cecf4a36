package fakead_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/clock"
	"passback/fakead"
)

// refused tells whether a bind failed with this number after "data".
func refusedWith(t *testing.T, err error, data string) {
	t.Helper()
	if !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) || !strings.Contains(err.Error(), "data "+data+",") {
		t.Errorf("bind: %v, want data %s", err, data)
	}
}

func reset(t *testing.T, dc *fakead.Server, name, password string) {
	t.Helper()
	change := ldap.NewModifyRequest(dnOf(t, dc, name), nil)
	change.Replace("unicodePwd", []string{quoted(password)})
	change.Add("extensionName", []string{"marker of " + password[:3]})
	if err := asAdministrator(t, dc).Modify(change); err != nil {
		t.Fatal(err)
	}
}

func TestAWrongPasswordIsTriedAtThePDCEmulator(t *testing.T) {
	running := clock.NewRunning()
	forest, dc1, dc2 := twoDCs(t, fakead.ForestOptions{Options: fakead.Options{Clock: running}})
	seed(t, dc1, fakead.User{SAM: "alice"})
	forest.Replicate()
	release := dc1.HoldReplication()
	reset(t, dc1, "alice", newPassword)
	if !stateOf(t, dc2, "alice").PasswordIs(oldPassword) {
		t.Fatal("replication is not held")
	}
	connectAs(t, dc2, "alice@corp.example", newPassword) // dc2 does not know it; dc1 does
	restore := dc2.Cut()
	refusedWith(t, connect(t, dc2).Bind("alice@corp.example", newPassword), "52e")
	running.Advance(2 * time.Hour) // more than dc1 accepts the old one for
	connectAs(t, dc2, "alice@corp.example", oldPassword)
	restore()
	release()
	refusedWith(t, connect(t, dc2).Bind("alice@corp.example", oldPassword), "52e")
}

func TestANewPasswordReachesThePDCEmulatorAtOnce(t *testing.T) {
	forest, dc1, dc2 := twoDCs(t)
	seed(t, dc1, fakead.User{SAM: "alice"}, fakead.User{SAM: "bob"})
	forest.Replicate()
	release := dc1.HoldReplication()
	defer release()
	reset(t, dc2, "alice", newPassword)
	alice := stateOf(t, dc1, "alice")
	if !alice.PasswordIs(newPassword) {
		t.Error("dc1 does not know the new password")
	}
	if len(alice.Values("extensionName")) != 1 {
		t.Error("the marker did not come with the password: PasswordUpdate replicates the whole object")
	}
	restore := dc2.Cut()
	reset(t, dc2, "bob", newPassword)
	if stateOf(t, dc1, "bob").PasswordIs(newPassword) {
		t.Error("a password crossed a cut network")
	}
	restore()
}

func TestThePDCEmulatorCountsWrongPasswordsOfAll(t *testing.T) {
	forest := fakead.RunForestT(t, fakead.ForestOptions{DCs: make([]fakead.DC, 3)})
	dc1, dc2, dc3 := forest.DC("dc1"), forest.DC("dc2"), forest.DC("dc3")
	policy := dc1.Policy()
	policy.LockoutThreshold = 4
	dc1.SetPolicy(policy) // urgent: the others have it at once
	seed(t, dc1, fakead.User{SAM: "alice"})
	forest.Replicate()
	for range 2 {
		for _, dc := range []*fakead.Server{dc2, dc3} {
			refusedWith(t, connect(t, dc).Bind("alice@corp.example", "a guess"), "52e")
		}
	}
	for _, dc := range forest.DCs() { // and so is a lockout
		if alice := stateOf(t, dc, "alice"); !alice.Locked {
			t.Errorf("alice is not locked on %s: %d wrong passwords", dc.HostName(), alice.BadPasswords)
		}
		refusedWith(t, connect(t, dc).Bind("alice@corp.example", oldPassword), "775")
	}
}

func TestAGoodLogonEndsTheCountAtThePDCEmulator(t *testing.T) {
	forest, dc1, dc2 := twoDCs(t)
	policy := dc1.Policy()
	policy.LockoutThreshold = 4
	dc1.SetPolicy(policy)
	seed(t, dc1, fakead.User{SAM: "alice"})
	forest.Replicate()
	refusedWith(t, connect(t, dc2).Bind("alice@corp.example", "a guess"), "52e")
	if n := stateOf(t, dc1, "alice").BadPasswords; n != 1 {
		t.Fatalf("dc1 counts %d, want 1", n)
	}
	connectAs(t, dc2, "alice@corp.example", oldPassword)
	for _, dc := range forest.DCs() {
		if n := stateOf(t, dc, "alice").BadPasswords; n != 0 {
			t.Errorf("%s counts %d, want 0", dc.HostName(), n)
		}
	}
}

func TestThePDCEmulatorMoves(t *testing.T) {
	forest, dc1, dc2 := twoDCs(t)
	if !dc1.Holds(fakead.PDCEmulator) || dc2.Holds(fakead.PDCEmulator) {
		t.Fatal("dc1 is not the PDC emulator of a new domain")
	}
	if err := dc2.TakeRole(fakead.PDCEmulator); err != nil {
		t.Fatal(err)
	}
	for _, dc := range forest.DCs() {
		head, err := asAdministrator(t, dc).Search(ldap.NewSearchRequest(dc.BaseDN(), ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{"fSMORoleOwner"}, nil))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := head.Entries[0].GetAttributeValue("fSMORoleOwner"), rootDSEOf(t, dc2).GetAttributeValue("dsServiceName"); got != want {
			t.Errorf("on %s the role's owner is %s, want %s", dc.HostName(), got, want)
		}
	}
	dc1.Stop()
	if err := dc2.TakeRole(fakead.RIDMaster); err != nil { // seized
		t.Fatal(err)
	}
	if err := dc1.Start(); err != nil {
		t.Fatal(err)
	}
	if dc1.Holds(fakead.RIDMaster) {
		t.Error("dc1 has not heard that its role was seized")
	}
}

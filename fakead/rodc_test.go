package fakead_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/clock"
	"passback/fakead"
)

// branch starts a writable domain controller and a read-only one, on which alice's password may be cached and bob's
// may not.
func branch(t *testing.T) (forest *fakead.Forest, dc, rodc *fakead.Server) {
	t.Helper()
	forest = fakead.RunForestT(t, fakead.ForestOptions{DCs: []fakead.DC{{}, {Host: "branch", Site: "Branch", ReadOnly: true}}})
	dc, rodc = forest.DC("dc1"), forest.DC("branch")
	seed(t, dc, fakead.User{SAM: "alice", Groups: []string{"Allowed RODC Password Replication Group"}}, fakead.User{SAM: "bob"})
	forest.Replicate()
	return forest, dc, rodc
}

func TestAReadOnlyDCRefersWrites(t *testing.T) {
	_, dc, rodc := branch(t)
	alice := dnOf(t, dc, "alice")
	modify := ldap.NewModifyRequest(alice, nil)
	modify.Replace("description", []string{"new"})
	add := ldap.NewAddRequest("CN=carol,CN=Users,"+dc.BaseDN(), nil)
	add.Attribute("objectClass", []string{"user"})
	admin := asAdministrator(t, rodc)
	for what, err := range map[string]error{
		"modify": admin.Modify(modify), "add": admin.Add(add), "delete": admin.Del(ldap.NewDelRequest(alice, nil)),
		"rename": admin.ModifyDN(ldap.NewModifyDNRequest(alice, "CN=al", true, "")),
	} {
		if !ldap.IsErrorWithCode(err, ldap.LDAPResultReferral) || !strings.Contains(err.Error(), "0000202B: RefErr") || !strings.Contains(err.Error(), "dc1.corp.example") {
			t.Errorf("%s: %v, want a referral to dc1", what, err)
		}
	}
	if err := admin.Del(ldap.NewDelRequest("CN=nobody,CN=Users,"+dc.BaseDN(), nil)); !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		t.Errorf("delete of nothing: %v", err)
	}
	if capabilities := rootDSEOf(t, rodc).GetAttributeValues("supportedCapabilities"); !slices.Contains(capabilities, "1.2.840.113556.1.4.1920") {
		t.Errorf("supportedCapabilities %q do not say that it is read-only", capabilities)
	}
}

func TestAReadOnlyDCHoldsNoPasswordsButThoseAllowed(t *testing.T) {
	_, dc, rodc := branch(t)
	holds := func(name string) bool { return stateOf(t, rodc, name).PasswordIs(oldPassword) }
	if holds("alice") || holds("bob") {
		t.Fatal("a new read-only domain controller holds passwords")
	}
	for _, name := range []string{"alice", "bob"} {
		connectAs(t, rodc, name+"@corp.example", oldPassword) // forwarded
	}
	if !holds("alice") || holds("bob") {
		t.Errorf("after a logon it holds alice's: %t, bob's: %t, want only alice's", holds("alice"), holds("bob"))
	}
	if err := rodc.CachePassword("bob"); err == nil {
		t.Error("it may cache bob's password")
	}
	dc.Stop()
	connectAs(t, rodc, "alice@corp.example", oldPassword)
	refusedWith(t, connect(t, rodc).Bind("bob@corp.example", oldPassword), "51f")
	refusedWith(t, connect(t, rodc).Bind("alice@corp.example", "a guess"), "52e")
}

func TestACachedPasswordGoesWhenItIsReplaced(t *testing.T) {
	forest, dc, rodc := branch(t)
	if err := rodc.CachePassword("alice"); err != nil {
		t.Fatal(err)
	}
	reset(t, dc, "alice", newPassword)
	forest.Replicate()
	if alice := stateOf(t, rodc, "alice"); alice.PasswordIs(oldPassword) || alice.PasswordIs(newPassword) {
		t.Error("it holds a password of alice's after that was replaced elsewhere")
	}
	connectAs(t, rodc, "alice@corp.example", newPassword)
	if !stateOf(t, rodc, "alice").PasswordIs(newPassword) {
		t.Error("the new password was not cached at the logon")
	}
}

// What is written to a read-only domain controller from Go is no originating update: whatever comes from a partner, even
// if that was written earlier, replaces it.
func TestAReadOnlyDomainControllerYieldsToItsPartners(t *testing.T) {
	running := clock.NewRunning()
	forest := fakead.RunForestT(t, fakead.ForestOptions{Options: fakead.Options{Clock: running}, DCs: []fakead.DC{{}, {ReadOnly: true}}})
	hub, branch := forest.DC("dc1"), forest.DC("dc2")
	seed(t, hub, fakead.User{SAM: "alice"})
	forest.Replicate()
	release := branch.HoldReplication()
	if err := hub.SetAttribute("alice", "title", "Engineer"); err != nil {
		t.Fatal(err)
	}
	running.Advance(time.Hour)
	if err := branch.SetAttribute("alice", "title", "Lawyer"); err != nil {
		t.Fatal(err)
	}
	release()
	if got := stateOf(t, branch, "alice").Values("title"); len(got) != 1 || got[0] != "Engineer" {
		t.Errorf("title is %q", got)
	}
}

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

// twoDCs starts dc1, which is PDC emulator, and dc2.
func twoDCs(t *testing.T, options ...fakead.ForestOptions) (forest *fakead.Forest, dc1, dc2 *fakead.Server) {
	t.Helper()
	forest = fakead.RunForestT(t, options...)
	return forest, forest.DC("dc1"), forest.DC("dc2")
}

func TestWhatIsWrittenOnOneDCReachesTheOther(t *testing.T) {
	forest, dc1, dc2 := twoDCs(t)
	seed(t, dc1, fakead.User{SAM: "alice"})
	if err := dc1.AddGroup(fakead.Group{SAM: "staff", Members: []string{"alice"}}); err != nil {
		t.Fatal(err)
	}
	forest.Replicate()
	on1, on2 := stateOf(t, dc1, "alice"), stateOf(t, dc2, "alice")
	if on1.GUID != on2.GUID || !on2.PasswordIs(oldPassword) {
		t.Errorf("alice on dc2: %+v", on2)
	}
	if groups := on2.Values("memberOf"); len(groups) != 1 {
		t.Errorf("memberOf on dc2: %q", groups)
	}
	connectAs(t, dc2, "alice@corp.example", oldPassword)

	admin := asAdministrator(t, dc2)
	change := ldap.NewModifyRequest(on2.DN, nil)
	change.Replace("description", []string{"of sales"})
	if err := admin.Modify(change); err != nil {
		t.Fatal(err)
	}
	if err := admin.Del(ldap.NewDelRequest(dnOf(t, dc2, "staff"), nil)); err != nil {
		t.Fatal(err)
	}
	forest.Replicate()
	if got := stateOf(t, dc1, "alice").Values("description"); !slices.Equal(got, []string{"of sales"}) {
		t.Errorf("description on dc1: %q", got)
	}
	if _, err := dc1.User("staff"); err == nil {
		t.Error("a group that was deleted on dc2 is still on dc1")
	}
}

func TestReplicationLagsByTheDomainsClock(t *testing.T) {
	running := clock.NewRunning()
	_, dc1, dc2 := twoDCs(t, fakead.ForestOptions{Options: fakead.Options{Clock: running}, Lag: time.Hour})
	running.Advance(2 * time.Hour) // what the promotion left to replicate
	seed(t, dc1, fakead.User{SAM: "alice"})
	running.Advance(59 * time.Minute)
	if _, err := dc2.User("alice"); err == nil {
		t.Error("alice is on dc2 before the lag is over")
	}
	running.Advance(2 * time.Minute)
	stateOf(t, dc2, "alice")
}

func TestReplicationIsHeldPerPartner(t *testing.T) {
	forest := fakead.RunForestT(t, fakead.ForestOptions{DCs: make([]fakead.DC, 3)})
	dc1, dc2, dc3 := forest.DC("dc1"), forest.DC("dc2"), forest.DC("dc3")
	release1 := dc2.HoldReplication(dc1)
	release3 := dc2.HoldReplication(dc3)
	seed(t, dc1, fakead.User{SAM: "alice"})
	forest.Replicate()
	stateOf(t, dc3, "alice")
	if _, err := dc2.User("alice"); err == nil {
		t.Error("alice is on dc2, which is held apart")
	}
	release3()
	stateOf(t, dc2, "alice") // by way of dc3
	release1()
}

func TestTheLastWriterOfAnAttributeWins(t *testing.T) {
	running := clock.NewRunning()
	forest, dc1, dc2 := twoDCs(t, fakead.ForestOptions{Options: fakead.Options{Clock: running}})
	seed(t, dc1, fakead.User{SAM: "alice"})
	forest.Replicate()
	release := dc1.HoldReplication()
	for _, w := range []struct {
		dc                *fakead.Server
		attribute, values string
	}{
		{dc1, "description", "first"}, {dc2, "description", "second"},
		{dc1, "title", "once"}, {dc1, "title", "twice"}, {dc2, "title", "later, but once"},
		{dc1, "extensionName", "of dc1"}, {dc2, "extensionName", "of dc2"},
	} {
		running.Advance(2 * time.Second)
		if err := w.dc.SetAttribute("alice", w.attribute, w.values); err != nil {
			t.Fatal(err)
		}
	}
	release()
	for _, dc := range forest.DCs() {
		alice := stateOf(t, dc, "alice")
		for attribute, want := range map[string]string{
			"description":   "second",
			"title":         "twice",  // the version counts before the time
			"extensionName": "of dc2", // the whole attribute is one value to replication: what dc1 added is gone
		} {
			if got := alice.Values(attribute); !slices.Equal(got, []string{want}) {
				t.Errorf("%s on %s: %q, want %q", attribute, dc.HostName(), got, want)
			}
		}
	}
}

func TestLinksAreReplicatedValueByValue(t *testing.T) {
	forest, dc1, dc2 := twoDCs(t)
	seed(t, dc1, fakead.User{SAM: "alice"}, fakead.User{SAM: "bob"}, fakead.User{SAM: "carol"})
	if err := dc1.AddGroup(fakead.Group{SAM: "staff", Members: []string{"carol"}}); err != nil {
		t.Fatal(err)
	}
	forest.Replicate()
	release := dc1.HoldReplication()
	group := dnOf(t, dc1, "staff")
	join := func(dc *fakead.Server, add bool, member string) {
		change := ldap.NewModifyRequest(group, nil)
		if values := []string{dnOf(t, dc, member)}; add {
			change.Add("member", values)
		} else {
			change.Delete("member", values)
		}
		if err := asAdministrator(t, dc).Modify(change); err != nil {
			t.Fatal(err)
		}
	}
	join(dc1, true, "alice")
	join(dc2, true, "bob")
	join(dc2, false, "carol")
	release()
	for _, dc := range forest.DCs() {
		members := stateOf(t, dc, "staff").Values("member")
		slices.Sort(members)
		if want := []string{dnOf(t, dc, "alice"), dnOf(t, dc, "bob")}; !slices.Equal(members, want) {
			t.Errorf("members on %s: %q, want %q", dc.HostName(), members, want)
		}
	}
}

func TestAPasswordReplicatesWithItsHistory(t *testing.T) {
	forest, dc1, dc2 := twoDCs(t)
	seed(t, dc1, fakead.User{SAM: "alice"})
	forest.Replicate()
	if err := dc1.SetPassword("alice", newPassword, dc1.Clock().Now().AddDate(0, 0, -3)); err != nil {
		t.Fatal(err)
	}
	forest.Replicate()
	alice := connectAs(t, dc2, "alice@corp.example", newPassword)
	change := ldap.NewModifyRequest(dnOf(t, dc2, "alice"), nil)
	change.Delete("unicodePwd", []string{quoted(newPassword)})
	change.Add("unicodePwd", []string{quoted(oldPassword)})
	if err := alice.Modify(change); !ldap.IsErrorWithCode(err, ldap.LDAPResultConstraintViolation) {
		t.Errorf("back to a password of the history that was made on dc1: %v", err)
	}
}

func TestWhatIsNotReplicatedStays(t *testing.T) {
	forest, dc1, dc2 := twoDCs(t)
	policy := dc1.Policy()
	policy.LockoutThreshold = 10
	dc1.SetPolicy(policy)
	seed(t, dc1, fakead.User{SAM: "alice"})
	forest.Replicate()
	if err := connect(t, dc1).Bind("alice@corp.example", "a guess"); err == nil {
		t.Fatal("a wrong password binds")
	}
	forest.Replicate()
	if n1, n2 := stateOf(t, dc1, "alice").BadPasswords, stateOf(t, dc2, "alice").BadPasswords; n1 != 1 || n2 != 0 {
		t.Errorf("badPwdCount: %d on dc1, %d on dc2, want 1 and 0", n1, n2)
	}
}

func TestEachDCHasUSNsAndIdentifiersOfItsOwn(t *testing.T) {
	forest, dc1, dc2 := twoDCs(t)
	release := dc1.HoldReplication()
	seed(t, dc1, fakead.User{SAM: "alice"})
	seed(t, dc2, fakead.User{SAM: "bob"})
	release()
	if a, b := stateOf(t, dc2, "alice").Values("objectSid"), stateOf(t, dc1, "bob").Values("objectSid"); slices.Equal(a, b) {
		t.Error("two accounts have one objectSid")
	}
	names := map[string]bool{}
	for _, dc := range forest.DCs() {
		root := rootDSEOf(t, dc)
		for _, attribute := range []string{"dnsHostName", "dsServiceName", "serverName", "ldapServiceName"} {
			if value := root.GetAttributeValue(attribute); names[value] || value == "" {
				t.Errorf("%s of %s is %q, as another's", attribute, dc.HostName(), value)
			} else {
				names[value] = true
			}
		}
		settings := root.GetAttributeValue("dsServiceName")
		entry, err := asAdministrator(t, forest.DC("dc1")).Search(ldap.NewSearchRequest(settings, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=nTDSDSA)", []string{"invocationId"}, nil))
		if err != nil || len(entry.Entries) != 1 {
			t.Errorf("%s on dc1: %v", settings, err)
		}
	}
}

func rootDSEOf(t *testing.T, dc *fakead.Server) *ldap.Entry {
	t.Helper()
	found, err := connect(t, dc).Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", nil, nil))
	if err != nil || len(found.Entries) != 1 {
		t.Fatalf("rootDSE of %s: %v", dc.HostName(), err)
	}
	return found.Entries[0]
}

func TestWhatGoSaysOfALockoutIsUrgentToo(t *testing.T) {
	_, dc1, dc2 := twoDCs(t, fakead.ForestOptions{Lag: time.Hour})
	seed(t, dc2, fakead.User{SAM: "alice", Locked: true})
	if !stateOf(t, dc1, "alice").Locked {
		t.Error("dc1 has not heard of a lockout on dc2")
	}
}

func TestOneOfSeveralDCsIsNotRestored(t *testing.T) {
	forest, dc1, _ := twoDCs(t)
	before := dc1.Snapshot()
	seed(t, dc1, fakead.User{SAM: "alice"})
	forest.Replicate()
	if err := dc1.Restore(before); err == nil || !strings.Contains(err.Error(), "other domain controllers") {
		t.Errorf("restore: %v", err)
	}
	stateOf(t, dc1, "alice")
}

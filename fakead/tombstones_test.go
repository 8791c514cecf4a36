package fakead_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/clock"
	"passback/fakead"
)

const deletedObjects = "CN=Deleted Objects," + base

// graves finds what is deleted.
func graves(t *testing.T, c *ldap.Conn, filter string) []*ldap.Entry {
	t.Helper()
	r := subtree(deletedObjects, filter)
	r.Controls = []ldap.Control{noValue("1.2.840.113556.1.4.417")}
	return ask(t, c, r).Entries
}

func TestADeletedEntryLeavesATombstone(t *testing.T) {
	dc := fakead.RunT(t)
	c := asAdministrator(t, dc)
	seed(t, dc, fakead.User{SAM: "alice", Name: "alice", Given: "Alice", Groups: []string{"Domain Guests"}})
	alice := stateOf(t, dc, "alice")
	if err := c.Del(ldap.NewDelRequest(alice.DN, nil)); err != nil {
		t.Fatal(err)
	}

	found := graves(t, c, "(sAMAccountName=alice)")
	if len(found) != 1 {
		t.Fatalf("%d tombstones", len(found))
	}
	stone := found[0]
	if !strings.HasPrefix(stone.DN, `CN=alice\0ADEL:`) || !strings.HasSuffix(stone.DN, ","+deletedObjects) {
		t.Errorf("it is called %s", stone.DN)
	}
	for name, want := range map[string]string{
		"isDeleted": "TRUE", "lastKnownParent": users, "msDS-LastKnownRDN": "alice", "sAMAccountName": "alice", "objectGUID": string(alice.GUID[:]),
		"givenName": "", "memberOf": "", "userPrincipalName": "", "sAMAccountType": "", "objectCategory": "",
	} {
		if got := stone.GetAttributeValue(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for name, filter := range map[string]string{"in the whole domain": "(isDeleted=TRUE)", "by its account name": "(sAMAccountName=alice)"} {
		if got := query(t, c, base, filter); len(got) != 0 {
			t.Errorf("%s it is found without the control", name)
		}
	}
	_, err := c.Search(subtree(stone.DN, everything))
	expect(t, "as a base, without the control", err, 32, "0000208D: NameErr: ")
	_, err = c.Search(subtree(deletedObjects, everything))
	expect(t, "its container as a base, without the control", err, 32, "0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0, best match of:\n\t'"+deletedObjects+"'\n")

	expect(t, "bind as who is deleted", connect(t, dc).Bind(`CORP\alice`, oldPassword), 49, "")
	if err := dc.AddUser(fakead.User{SAM: "alice"}); err != nil {
		t.Errorf("the names are not free again: %v", err)
	}
}

func TestATombstoneDecays(t *testing.T) {
	running := clock.NewRunning()
	dc := fakead.RunT(t, fakead.Options{Clock: running})
	c := asAdministrator(t, dc)
	addOU(t, dc, "OU=west")
	addOU(t, dc, "OU=inner,OU=west")
	if err := c.Del(ldap.NewDelRequest("OU=west,"+base, []ldap.Control{ldap.NewControlSubtreeDelete()})); err != nil {
		t.Fatal(err)
	}
	running.Advance(179 * 24 * time.Hour)
	if got := len(graves(t, c, "(ou=*)")); got != 2 {
		t.Errorf("after 179 days there are %d", got)
	}
	running.Advance(24 * time.Hour)
	if got := len(graves(t, c, "(ou=*)")); got != 0 {
		t.Errorf("after 180 days there are %d", got)
	}
}

func TestASnapshotHasItsTombstones(t *testing.T) {
	dc := fakead.RunT(t)
	c := asAdministrator(t, dc)
	seed(t, dc, fakead.User{SAM: "alice"})
	before := dc.Snapshot()
	if err := c.Del(ldap.NewDelRequest(dnOf(t, dc, "alice"), nil)); err != nil {
		t.Fatal(err)
	}
	after := dc.Snapshot()
	for want, snapshot := range []*fakead.Snapshot{before, after} {
		if err := dc.Restore(snapshot); err != nil {
			t.Fatal(err)
		}
		if got := len(graves(t, c, "(sAMAccountName=alice)")); got != want {
			t.Errorf("%d tombstones, want %d", got, want)
		}
	}
}

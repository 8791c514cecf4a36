package fakead_test

import (
	"crypto/tls"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"pgregory.net/rapid"

	"passback/clock"
	"passback/fakead"
)

// local are what each domain controller says for itself.
var local = map[string]bool{
	"uSNCreated": true, "uSNChanged": true, "whenChanged": true, "badPwdCount": true, "badPasswordTime": true, "lastLogon": true, "lastLogoff": true, "logonCount": true,
}

// localUSN is of metadata, what each domain controller says for itself.
var localUSN = regexp.MustCompile(`<usnLocalChange>\d+</usnLocalChange>`)

// content is what a domain controller holds of a check, without what is not replicated; passwords are told by which of
// those that were ever set is the current one.
func (w *world) content(t *rapid.T, dc *fakead.Server) []string {
	var all []string
	as(t, dc, func(c *ldap.Conn) error {
		found, err := c.Search(ldap.NewSearchRequest(dc.BaseDN(), ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
			"(name=*"+w.tag+"*)", []string{"*", "memberOf", "nTSecurityDescriptor", "msDS-ReplAttributeMetaData", "msDS-ReplValueMetaData"}, nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range found.Entries {
			for _, a := range e.Attributes {
				for _, value := range a.Values {
					if !local[a.Name] {
						all = append(all, fmt.Sprintf("%s %s %q", e.DN, a.Name, localUSN.ReplaceAllString(value, "")))
					}
				}
			}
		}
		return nil
	})
	for _, name := range threePeople {
		user, err := dc.User(name + w.tag)
		for i, password := range w.passwords {
			if err == nil && user.PasswordIs(password) {
				all = append(all, fmt.Sprintf("%s has password %d", name, i))
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("nothing to compare")
	}
	slices.Sort(all)
	return all
}

// After any interleaving of writes, holds, cuts, outages and releases, all domain controllers hold the same. All
// checks use one forest; each has names of its own.
func TestReplicasConverge(t *testing.T) {
	running := clock.NewRunning()
	forest := fakead.RunForestT(t, fakead.ForestOptions{DCs: make([]fakead.DC, 3), Options: fakead.Options{Clock: running, LDAPPort: -1}})
	checks := 0
	rapid.Check(t, func(rt *rapid.T) {
		checks++
		w := world{forest: forest, clock: running, tag: fmt.Sprintf("-of-%d-", checks), passwords: []string{oldPassword}}
		w.start(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"write": w.write, "password": w.password, "member": w.member, "add": w.add, "add OU": w.addOU, "move": w.move, "delete": w.delete,
			"hold": w.hold, "cut": w.cut, "release": w.release, "stop": w.stop, "start": w.startAgain, "advance": w.advance, "replicate": w.replicate,
		})
		w.end(rt)
		want := w.content(rt, forest.DC("dc1"))
		for _, dc := range forest.DCs()[1:] {
			if got := w.content(rt, dc); !slices.Equal(got, want) {
				rt.Fatalf("only on dc1: %q\nonly on %s: %q", without(want, got), dc.HostName(), without(got, want))
			}
		}
	})
}

type world struct {
	forest    *fakead.Forest
	clock     *clock.Running
	tag       string // ends each name
	releases  []func()
	passwords []string
	added     int
}

var threePeople = []string{"alice", "bob", "carol"}

func (w *world) start(t *rapid.T) {
	dc := w.forest.DC("dc1")
	for _, name := range threePeople {
		if err := dc.AddUser(fakead.User{SAM: name + w.tag, Password: oldPassword}); err != nil {
			t.Fatal(err)
		}
	}
	if err := dc.AddGroup(fakead.Group{SAM: "staff" + w.tag, Members: []string{threePeople[0] + w.tag}}); err != nil {
		t.Fatal(err)
	}
	w.forest.Replicate()
}

// end takes back all that stands in the way of replication.
func (w *world) end(t *rapid.T) {
	for len(w.releases) > 0 {
		w.release(t)
	}
	for _, dc := range w.forest.DCs() {
		if err := dc.Start(); err != nil {
			t.Fatal(err)
		}
	}
	w.forest.Replicate()
}

func (w *world) dc(t *rapid.T) *fakead.Server { return rapid.SampledFrom(w.forest.DCs()).Draw(t, "dc") }

// someone is drawn; an account that a domain controller does not know is not written there.
func (w *world) someone(t *rapid.T) string {
	return rapid.SampledFrom(threePeople).Draw(t, "who") + w.tag
}

func (w *world) write(t *rapid.T) {
	attribute := rapid.SampledFrom([]string{"description", "extensionName", "title"}).Draw(t, "attribute")
	value := rapid.StringMatching(`[a-z]{1,3}`).Draw(t, "value")
	_ = w.dc(t).SetAttribute(w.someone(t), attribute, value)
}

func (w *world) password(t *rapid.T) {
	w.passwords = append(w.passwords, fmt.Sprintf("password %d", len(w.passwords)))
	_ = w.dc(t).SetPassword(w.someone(t), w.passwords[len(w.passwords)-1], time.Time{})
}

// as runs f as the administrator of a domain controller, unless it is down.
func as(t *rapid.T, dc *fakead.Server, f func(*ldap.Conn) error) {
	conn, err := ldap.DialURL(dc.LDAPSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: dc.CA().Pool()}))
	if err != nil {
		return
	}
	defer conn.Close()
	if err := conn.Bind(dc.AdminDN(), dc.AdminPassword()); err != nil {
		t.Fatal(err)
	}
	_ = f(conn) // refused where the object has gone, or has that value
}

func (w *world) member(t *rapid.T) {
	dc, in := w.dc(t), rapid.Bool().Draw(t, "in")
	change := ldap.NewModifyRequest("CN=staff"+w.tag+",CN=Users,"+dc.BaseDN(), nil)
	if value := []string{"CN=" + w.someone(t) + ",CN=Users," + dc.BaseDN()}; in {
		change.Add("member", value)
	} else {
		change.Delete("member", value)
	}
	as(t, dc, func(c *ldap.Conn) error { return c.Modify(change) })
}

func (w *world) add(t *rapid.T) {
	w.added++
	_ = w.dc(t).AddUser(fakead.User{SAM: fmt.Sprintf("new%d%s", w.added, w.tag), OU: w.place(t), Groups: []string{"staff" + w.tag}})
}

// place is where something is added or moved to: CN=Users, or one of two that may go.
func (w *world) place(t *rapid.T) string {
	return rapid.SampledFrom([]string{"CN=Users", "OU=East" + w.tag, "OU=West" + w.tag}).Draw(t, "place")
}

func (w *world) addOU(t *rapid.T) {
	_ = w.dc(t).AddOU(rapid.SampledFrom([]string{"OU=East", "OU=West"}).Draw(t, "place") + w.tag)
}

func (w *world) move(t *rapid.T) {
	dc, place := w.dc(t), w.place(t)
	user, err := dc.User(w.someone(t))
	if err != nil {
		return
	}
	name := rapid.SampledFrom([]string{"CN=alice", "CN=bob", "CN=other"}).Draw(t, "name") + w.tag
	as(t, dc, func(c *ldap.Conn) error {
		return c.ModifyDN(ldap.NewModifyDNRequest(user.DN, name, true, place+","+dc.BaseDN()))
	})
}

func (w *world) delete(t *rapid.T) {
	dc := w.dc(t)
	name := rapid.SampledFrom([]string{"CN=new1%s,CN=Users", "CN=new2%s,CN=Users", "CN=carol%s,CN=Users", "OU=East%s", "OU=West%s"}).Draw(t, "whom")
	request := ldap.NewDelRequest(fmt.Sprintf(name, w.tag)+","+dc.BaseDN(), []ldap.Control{ldap.NewControlSubtreeDelete()})
	as(t, dc, func(c *ldap.Conn) error { return c.Del(request) })
}

func (w *world) hold(t *rapid.T)       { w.releases = append(w.releases, w.dc(t).HoldReplication(w.dc(t))) }
func (w *world) cut(t *rapid.T)        { w.releases = append(w.releases, w.dc(t).Cut(w.dc(t))) }
func (w *world) stop(t *rapid.T)       { w.dc(t).Stop() }
func (w *world) advance(*rapid.T)      { w.clock.Advance(20 * time.Second) }
func (w *world) replicate(t *rapid.T)  { w.dc(t).Replicate() }
func (w *world) startAgain(t *rapid.T) { _ = w.dc(t).Start() }

func (w *world) release(*rapid.T) {
	if len(w.releases) > 0 {
		w.releases[0]()
		w.releases = w.releases[1:]
	}
}

// without are the lines of a that b lacks.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(line string) bool { return slices.Contains(b, line) })
}

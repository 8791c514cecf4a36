package tree_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"passback/fakead/tree"
)

const base = "DC=corp,DC=example"

var domainSID = tree.MustParseSID("S-1-5-21-1-2-3")

// A lab is a tree with a domain's head, CN=Users, and what a test adds.
type lab struct {
	*testing.T
	*tree.Tree
	now time.Time
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{T: t, now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	l.Tree = tree.New(tree.Options{Base: tree.MustParseDN(base), DomainSID: domainSID, Now: func() time.Time { return l.now }})
	if _, err := l.AddHead(tree.MustParseDN(base), []tree.Value{
		tree.Strings("objectClass", "domainDNS"),
		tree.Strings("objectSid", domainSID.String()),
		tree.Strings("wellKnownObjects", "B:32:A9D1CA15768811D1ADED00C04FD8D5CD:CN=Users,"+base),
	}); err != nil {
		t.Fatal(err)
	}
	l.add("CN=Users", "container")
	l.add("CN=Domain Users,CN=Users", "group", tree.Strings("objectSid", domainSID.WithRID(513).String()))
	return l
}

// add makes an entry of the directory's own below the base.
func (l *lab) add(name, class string, values ...tree.Value) *tree.Entry {
	l.Helper()
	dn := tree.MustParseDN(name + "," + base)
	values = append(values, tree.Strings("objectClass", class))
	if class == "group" || class == "user" {
		values = append(values, tree.Strings("sAMAccountName", dn[0].Value))
	}
	e, err := l.Add(dn, values, tree.Rules{System: true})
	if err != nil {
		l.Fatalf("add %s: %v", name, err)
	}
	return e
}

func (l *lab) user(name string, values ...tree.Value) *tree.Entry {
	l.Helper()
	return l.add("CN="+name+",CN=Users", "user", values...)
}

func (l *lab) group(name string, members ...*tree.Entry) *tree.Entry {
	l.Helper()
	return l.add("CN="+name+",CN=Users", "group", tree.Strings("member", dns(members)...))
}

func dns(entries []*tree.Entry) []string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.DN().String()
	}
	return names
}

// modify is a client's.
func (l *lab) modify(e *tree.Entry, changes ...tree.Change) error {
	return l.Modify(e, changes, tree.Rules{})
}

func (l *lab) mustModify(e *tree.Entry, changes ...tree.Change) {
	l.Helper()
	if err := l.modify(e, changes...); err != nil {
		l.Fatal(err)
	}
}

func change(op tree.Op, name string, values ...string) tree.Change {
	return tree.Change{Op: op, Value: tree.Strings(name, values...)}
}

func expectValues(t *testing.T, e *tree.Entry, name string, want ...string) {
	t.Helper()
	var got []string
	for _, v := range e.Get(name) {
		got = append(got, string(v))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s of %s: got %q, want %q", name, e.DN(), got, want)
	}
}

// expectRefusal wants an LDAP result code and a Windows error.
func expectRefusal(t *testing.T, err error, code int, windows uint32) {
	t.Helper()
	var refusal *tree.Error
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal with code %d", err, code)
	}
	if refusal.Code != code || refusal.Windows != windows {
		t.Errorf("got code %d, %08X; want %d, %08X", refusal.Code, refusal.Windows, code, windows)
	}
}

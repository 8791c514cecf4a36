package tree_test

import (
	"slices"
	"testing"

	"passback/fakead/tree"
)

// find returns the first components of what matches below CN=Users.
func (l *lab) find(filter string) []string {
	l.Helper()
	f, err := parseFilter(filter)
	if err != nil {
		l.Fatalf("%s: %v", filter, err)
	}
	var names []string
	for e := range l.Search(tree.Query{Base: l.Find(tree.MustParseDN("CN=Users," + base)), Scope: tree.SingleLevel, Filter: f}) {
		names = append(names, e.DN()[0].Value)
	}
	slices.Sort(names)
	return names
}

func peopleLab(t *testing.T) *lab {
	l := newLab(t)
	alice := l.user("alice", tree.Strings("givenName", "Alice"), tree.Strings("sn", "Müller"), tree.Strings("displayName", "Alice (Sales) *"),
		tree.Strings("userAccountControl", "66048"), tree.Strings("pwdLastSet", "9000000000000000000"),
		tree.Strings("mS-DS-ConsistencyGuid", "\x00\x01\xff("), tree.Strings("whenCreated", "20200101000000.0Z"))
	bob := l.user("bob", tree.Strings("sn", "Miller"), tree.Strings("pwdLastSet", "-5"))
	inner := l.group("inner", alice)
	outer := l.group("outer", inner, bob)
	l.mustModify(inner, change(tree.AddValues, "member", outer.DN().String())) // a circle
	l.mustModify(bob, change(tree.ReplaceValues, "manager", alice.DN().String()))
	return l
}

func TestFilters(t *testing.T) {
	l := peopleLab(t)
	alice := l.BySAM("alice")
	guid := alice.GUID()
	escaped := ""
	for _, b := range guid {
		escaped += `\` + string("0123456789abcdef"[b>>4]) + string("0123456789ABCDEF"[b&15])
	}
	dn := alice.DN().String()
	all := []string{"Domain Users", "alice", "bob", "inner", "outer"}
	for filter, want := range map[string][]string{
		"(sAMAccountName=ALICE)":                   {"alice"},
		"(sn=muller)":                              {"alice"},
		"(sn=M*ller)":                              {"alice", "bob"},
		"(sn=*ll*)":                                {"alice", "bob"},
		"(sn=mi*)":                                 {"bob"},
		"(sn=*x*)":                                 nil,
		"(sn~=miller)":                             {"bob"},
		"(sn>=mj)":                                 {"alice"},
		"(sn=*)":                                   {"alice", "bob"},
		`(displayName=alice \28sales\29 \2a)`:      {"alice"},
		"(objectGUID=" + escaped + ")":             {"alice"},
		"(objectGUID=" + guid.String() + ")":       {"alice"},
		"(objectGUID={" + guid.String() + "})":     {"alice"},
		"(objectGUID=x)":                           nil,
		`(MS-DS-consistencyguid=\00\01\ff\28)`:     {"alice"},
		"(mS-DS-ConsistencyGuid=0001ff28)":         nil,
		"(objectSid=" + alice.SID().String() + ")": {"alice"},
		"(objectClass=user)":                       {"alice", "bob"},
		"(objectClass=1.2.840.113556.1.5.9)":       {"alice", "bob"},
		"(objectClass=*)":                          all,
		"(objectCategory=person)":                  {"alice", "bob"},
		"(objectCategory=CN=Person,CN=Schema,CN=Configuration," + base + ")": {"alice", "bob"},
		"(distinguishedName=cn=ALICE,cn=users," + base + ")":                 {"alice"},
		"(manager=" + dn + ")":                                               {"bob"},
		"(manager=<GUID=" + guid.String() + ">)":                             {"bob"},
		"(manager=alice)":                                                    nil,
		"(memberOf=CN=inner,CN=Users," + base + ")":                          {"alice", "outer"},
		"(memberOf:1.2.840.113556.1.4.1941:=CN=outer,CN=Users," + base + ")": {"alice", "bob", "inner", "outer"},
		"(member:1.2.840.113556.1.4.1941:=" + dn + ")":                       {"inner", "outer"},
		"(userAccountControl:1.2.840.113556.1.4.803:=65536)":                 {"alice"},
		"(userAccountControl:1.2.840.113556.1.4.803:=65538)":                 nil,
		"(userAccountControl:1.2.840.113556.1.4.804:=65538)":                 {"alice", "bob"},
		"(groupType:1.2.840.113556.1.4.803:=2147483648)":                     {"Domain Users", "inner", "outer"},
		"(pwdLastSet>=0)":                                                    {"alice"},
		"(pwdLastSet<=0)":                                                    {"bob"},
		"(userAccountControl>=1000)":                                         {"alice"}, // a number, not a string
		"(whenCreated<=20210101000000.0Z)":                                   {"alice"},
		"(whenCreated<=20210101000000Z)":                                     {"alice"},
		"(cn:=bob)":                                                          {"bob"},
		"(cn:dn:=bob)":                                                       {"bob"},
		"(cn:1.2.3:=bob)":                                                    nil,
		"(:dn:2.5.13.5:=bob)":                                                nil,
		"(anr=ali)":                                                          {"alice"},
		"(anr==ali)":                                                         nil,
		"(anr=alice mü)":                                                     {"alice"},
		"(anr=mü alice)":                                                     {"alice"},
		"(&)":                                                                all,
		"(|)":                                                                nil,
		"(&(objectClass=user)(!(sn=miller)))":                                {"alice"},
		" ( | (cn=alice) (cn=bob) ) ":                                        {"alice", "bob"},
	} {
		if got := l.find(filter); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", filter, got, want)
		}
	}
}

// What the directory cannot judge is neither true nor false.
func TestUndefinedClauses(t *testing.T) {
	l := peopleLab(t)
	l.Set(l.BySAM("alice"), "unicodePwd", "hash")
	for filter, want := range map[string][]string{
		"(nosuch=x)":                                    nil,
		"(!(nosuch=x))":                                 nil,
		"(|(nosuch=x)(cn=bob))":                         {"bob"},
		"(&(nosuch=x)(cn=bob))":                         nil,
		"(!(&(nosuch=x)(cn=bob)))":                      {"Domain Users", "alice", "inner", "outer"},
		"(!(|(nosuch=x)(cn=bob)))":                      nil,
		"(unicodePwd=*)":                                nil,
		"(!(unicodePwd=*))":                             {"Domain Users", "alice", "bob", "inner", "outer"},
		"(unicodePwd=hash)":                             nil,
		"(canonicalName=*)":                             nil,
		"(msDS-ResultantPSO=*)":                         nil,
		"(!(tokenGroups=S-1-5-32-544))":                 {"Domain Users", "alice", "bob", "inner", "outer"},
		"(manager>=CN=x)":                               nil,
		"(manager=CN=al*)":                              nil,
		"(!(userAccountControl=x))":                     nil,
		"(!(sn:1.2.840.113556.1.4.803:=1))":             nil,
		"(!(cn:1.2.840.113556.1.4.1941:=" + base + "))": nil,
		"(!(title=x))":                                  {"Domain Users", "alice", "bob", "inner", "outer"}, // absent is false
	} {
		if got := l.find(filter); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", filter, got, want)
		}
	}
}

// An index must not change what is found.
func TestIndexesRespectTheScope(t *testing.T) {
	l := peopleLab(t)
	f, err := parseFilter("(|(sAMAccountName=alice)(sAMAccountName=bob)(sAMAccountName=alice))")
	if err != nil {
		t.Fatal(err)
	}
	head, alice := l.Find(tree.MustParseDN(base)), l.BySAM("alice")
	for _, c := range []struct {
		base  *tree.Entry
		scope tree.Scope
		want  int
	}{
		{head, tree.BaseObject, 0}, {head, tree.SingleLevel, 0}, {head, tree.WholeSubtree, 2},
		{alice.Parent(), tree.SingleLevel, 2}, {alice, tree.BaseObject, 1}, {alice, tree.SingleLevel, 0}, {alice, tree.WholeSubtree, 1},
	} {
		if got := len(slices.Collect(l.Search(tree.Query{Base: c.base, Scope: c.scope, Filter: f}))); got != c.want {
			t.Errorf("from %s, scope %d: got %d, want %d", c.base.DN(), c.scope, got, c.want)
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		"(&(objectClass=user)(!(cn=a*b*c)))", `(objectGUID=\00\ff)`, "(memberOf:1.2.840.113556.1.4.1941:=" + base + ")", "(userAccountControl:1.2.840.113556.1.4.803:=2)",
		"(anr=a b)", "(whenCreated>=20200101000000.0Z)", "(cn:dn:2.4.6.8.10:=x)", "(objectSid=S-1-5-32-544)", "(|)", "(objectCategory=person)",
	} {
		f.Add(s)
	}
	l := peopleLab(&testing.T{})
	head := l.Find(tree.MustParseDN(base))
	f.Fuzz(func(t *testing.T, s string) {
		filter, err := parseFilter(s)
		if err != nil {
			return
		}
		not, err := parseFilter("(!" + s + ")")
		if err != nil {
			return // one level too deep
		}
		matched := map[*tree.Entry]bool{}
		for e := range l.Search(tree.Query{Base: head, Scope: tree.WholeSubtree, Filter: filter}) {
			matched[e] = true
		}
		for e := range l.Search(tree.Query{Base: head, Scope: tree.WholeSubtree, Filter: not}) {
			if matched[e] {
				t.Errorf("%s matches %s, and so does its contrary", s, e.DN())
			}
		}
	})
}

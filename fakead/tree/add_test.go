package tree_test

import (
	"strconv"
	"testing"

	"passback/fakead/tree"
)

func formatRID(rid uint32) string { return strconv.FormatUint(uint64(rid), 10) }

func (l *lab) clientAdds(name string, values ...tree.Value) (*tree.Entry, error) {
	return l.Add(tree.MustParseDN(name+","+base), values, tree.Rules{})
}

func TestAUserNeedsOnlyAClass(t *testing.T) {
	l := newLab(t)
	alice, err := l.clientAdds("CN=alice,CN=Users", tree.Strings("objectClass", "user"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"cn": "alice", "name": "alice", "distinguishedName": "CN=alice,CN=Users," + base, "instanceType": "4",
		"objectCategory":     "CN=Person,CN=Schema,CN=Configuration," + base,
		"userAccountControl": "546", "primaryGroupID": "513", "sAMAccountType": "805306368", "pwdLastSet": "0", "badPwdCount": "0",
		"accountExpires": "9223372036854775807", "whenCreated": "20261123080000.0Z",
	} {
		expectValues(t, alice, name, want)
	}
	expectValues(t, alice, "objectClass", "top", "person", "organizationalPerson", "user")
	if alice.First("sAMAccountName") == "" || alice.SID().String() != domainSID.WithRID(tree.FirstRID).String() {
		t.Errorf("name %q, SID %s", alice.First("sAMAccountName"), alice.SID())
	}
}

func TestAGroupNeedsOnlyAClass(t *testing.T) {
	l := newLab(t)
	g, err := l.clientAdds("CN=g,CN=Users", tree.Strings("objectClass", "top", "group"))
	if err != nil {
		t.Fatal(err)
	}
	expectValues(t, g, "groupType", "-2147483646")
	expectValues(t, g, "sAMAccountType", "268435456")
	expectRefusal(t, l.modify(g, change(tree.ReplaceValues, "groupType", "-2147483644")), 53, 0x2141)
	expectRefusal(t, l.modify(g, change(tree.ReplaceValues, "groupType", "-2147483643")), 53, 0x2141)
	l.mustModify(g, change(tree.ReplaceValues, "groupType", "2147483656")) // as some clients write -2147483640
	expectValues(t, g, "groupType", "-2147483640")
	l.mustModify(g, change(tree.ReplaceValues, "groupType", "4"))
	expectValues(t, g, "sAMAccountType", "536870913")
}

func TestRefusedEntries(t *testing.T) {
	user := tree.Strings("objectClass", "user")
	for _, c := range []struct {
		name    string
		dn      string
		values  []tree.Value
		code    int
		windows uint32
	}{
		{"exists", "CN=Users", []tree.Value{tree.Strings("objectClass", "container")}, 68, 0x2071},
		{"no parent", "CN=x,OU=nowhere", []tree.Value{user}, 32, 0x208D},
		{"no class", "CN=x,CN=Users", nil, 65, 0x2014},
		{"unknown class", "CN=x,CN=Users", []tree.Value{tree.Strings("objectClass", "unicorn")}, 16, 0x57},
		{"abstract class", "CN=x,CN=Users", []tree.Value{tree.Strings("objectClass", "top")}, 65, 0x2014},
		{"two structural classes", "CN=x,CN=Users", []tree.Value{tree.Strings("objectClass", "user", "group")}, 65, 0x2014},
		{"wrong kind of name", "OU=x,CN=Users", []tree.Value{user}, 64, 0x2073},
		{"wrong place", "OU=x,CN=Users", []tree.Value{tree.Strings("objectClass", "organizationalUnit")}, 64, 0x2099},
		{"another name", "CN=x,CN=Users", []tree.Value{user, tree.Strings("cn", "y")}, 34, 0x2032},
		{"another name beside its own", "CN=x,CN=Users", []tree.Value{user, tree.Strings("cn", "x", "y")}, 34, 0x2032},
		{"a category that is no class", "CN=x,CN=Users", []tree.Value{user, tree.Strings("objectCategory", base)}, 65, 0x2014},
		{"a category that is not there", "CN=x,CN=Users", []tree.Value{user, tree.Strings("objectCategory", "CN=x,CN=Schema,CN=Configuration,"+base)}, 19, 0x20B5},
		{"unknown attribute", "CN=x,CN=Users", []tree.Value{user, tree.Strings("nosuch", "y")}, 16, 0x57},
		{"the SAM's attribute", "CN=x,CN=Users", []tree.Value{user, tree.Strings("objectSid", "S-1-5-21-1-2-3-9")}, 53, 0x209A},
		{"a GUID of one's own", "CN=x,CN=Users", []tree.Value{user, tree.Strings("objectGUID", "0123456789abcdef")}, 53, 0x2035},
		{"account of that name", "CN=x,CN=Users", []tree.Value{user, tree.Strings("sAMAccountName", "ALICE")}, 68, 0x524},
		{"another class's attribute", "CN=x,CN=Users", []tree.Value{user, tree.Strings("groupType", "2")}, 65, 0x207D},
		{"mandatory attributes missing", "CN=x,CN=PSC,CN=Users", []tree.Value{tree.Strings("objectClass", "msDS-PasswordSettings")}, 65, 0x207C},
		{"member that is nobody", "CN=x,CN=Users", []tree.Value{tree.Strings("objectClass", "group"), tree.Strings("member", "CN=n,"+base)}, 32, 0x525},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			l.user("alice")
			l.add("CN=PSC,CN=Users", "msDS-PasswordSettingsContainer")
			entries := l.Len()
			_, err := l.clientAdds(c.dn, c.values...)
			expectRefusal(t, err, c.code, c.windows)
			if l.Len() != entries {
				t.Error("a refused entry is there")
			}
		})
	}
}

func TestIdentifiersThatWereBroughtAlongAreNotGivenAgain(t *testing.T) {
	l := newLab(t)
	l.user("old", tree.Strings("objectSid", domainSID.WithRID(5000).String()))
	if _, rid := l.user("new").SID().RID(); rid != 5001 {
		t.Errorf("got RID %d, want 5001", rid)
	}
}

func TestExtendedNames(t *testing.T) {
	l := newLab(t)
	alice := l.user("alice")
	users := alice.Parent()
	for name, want := range map[string]*tree.Entry{
		"cn=alice,CN=Users," + base:                                    alice,
		"<GUID=" + alice.GUID().String() + ">":                         alice,
		"<SID=" + alice.SID().String() + ">":                           alice,
		"<WKGUID=A9D1CA15768811D1ADED00C04FD8D5CD," + base + ">":       users,
		"<wkguid=a9d1ca15768811d1aded00c04fd8d5cd,dc=CORP,dc=example>": users,
	} {
		if e, err := l.Resolve(name); err != nil || e != want {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, code := range map[string]int{
		"<GUID=00000000-0000-0000-0000-000000000000>": 32, "<GUID=x>": 34, "<SID=S-1-5-18>": 32, "<FOO=1>": 34, "<WKGUID=A9D1CA15768811D1ADED00C04FD8D5CD>": 34, "<WKGUID=A9D1CA15768811D1ADED00C04FD8D5CE," + base + ">": 32,
		"CN=nobody,CN=Users," + base: 32, "alice": 34,
	} {
		_, err := l.Resolve(name)
		windows := map[int]uint32{32: 0x208D, 34: 0x208F}[code]
		expectRefusal(t, err, code, windows)
	}
}

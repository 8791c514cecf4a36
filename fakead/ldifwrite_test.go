package fakead_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// worked is a domain in which things have happened: accounts in all states, odd values, nested groups, policies, and
// what a new domain has taken away from it.
func worked(t *testing.T) *fakead.Server {
	t.Helper()
	dc := fakead.RunT(t)
	policy := dc.Policy()
	policy.MinLength, policy.LockoutThreshold = 9, 2
	dc.SetPolicy(policy)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(dc.AddOU("OU=People"))
	must(dc.AddOU(`OU=Research\, Development,OU=People`))
	seed(t, dc,
		fakead.User{SAM: "alice", OU: "OU=People", DisplayName: "Älice Liddell", Attributes: map[string][]string{
			"description": {" begins and ends with a space "}, "info": {"two\nlines: of text"}, "mS-DS-ConsistencyGuid": {"\x00\xff\x80binary"},
			"extensionName": {"passback/1 b", "passback/1 a", "<not a URL"}, "comment": {strings.Repeat("long ", 100) + "."}, "userPassword": {"plainly-here"},
		}},
		fakead.User{SAM: "bob", OU: `OU=Research\, Development,OU=People`, Locked: true, AccountExpires: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)},
		fakead.User{SAM: "carol", Disabled: true, NeverExpires: true},
		fakead.User{SAM: "dora", MustChange: true, Groups: []string{"Domain Admins"}},
		fakead.User{SAM: "erin", CannotChange: true},
		fakead.User{SAM: "gone"},
	)
	must(dc.AddGroup(fakead.Group{SAM: "Team", OU: "OU=People", Members: []string{"alice", "bob"}}))
	must(dc.AddGroup(fakead.Group{SAM: "Company", Members: []string{"Team", "carol"}}))
	must(dc.AddPSO(fakead.PSO{Name: "team", Precedence: 5, Policy: fakead.Policy{MinLength: 12}, AppliesTo: []string{"Team"}}))
	must(dc.Delegate("carol", fakead.Rights{ResetPassword: true, WriteMarker: "extensionName", ReadPolicies: true}))
	must(dc.Delegate("Team", fakead.Rights{WriteLockoutTime: true}))

	admin := asAdministrator(t, dc)
	replace := func(dn, attribute string, values ...string) {
		t.Helper()
		m := ldap.NewModifyRequest(dn, nil)
		m.Replace(attribute, values)
		expect(t, attribute+" of "+dn, admin.Modify(m), 0, "")
	}
	replace("CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,"+base, "dSHeuristics", "000000000")
	replace(dc.AdminDN(), "description")
	replace("CN=Schema Admins,CN=Users,"+base, "member")
	replace("CN=Cert Publishers,CN=Users,"+base, "description", "not what it was")
	replace(dnOf(t, dc, "carol"), "primaryGroupID", read(t, admin, "CN=Company,CN=Users,"+base, "primaryGroupToken").GetAttributeValue("primaryGroupToken"))
	expect(t, "delete a user", admin.Del(ldap.NewDelRequest(dnOf(t, dc, "gone"), nil)), 0, "")
	expect(t, "delete what a new domain has", admin.Del(ldap.NewDelRequest("CN=S-1-5-17,CN=ForeignSecurityPrincipals,"+base, nil)), 0, "")
	_ = connect(t, dc).Bind("alice@corp.example", "wrong")
	return dc
}

func ldifOf(t *testing.T, dc *fakead.Server) string {
	t.Helper()
	var b strings.Builder
	if err := dc.WriteLDIF(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What WriteLDIF writes makes the same domain, from which it writes the same again.
func TestADomainSurvivesLDIF(t *testing.T) {
	dc := worked(t)
	first := ldifOf(t, dc)
	again := fakead.RunT(t, fakead.Options{LDIF: strings.NewReader(first), AdminPassword: dc.AdminPassword()})
	if second := ldifOf(t, again); first != second {
		t.Errorf("the second time it differs: %s", firstDifference(first, second))
	}
	admin := asAdministrator(t, again)
	for _, name := range []string{"alice", "bob", "carol", "dora", "erin", "Administrator", "krbtgt"} {
		want, got := stateOf(t, dc, name), stateOf(t, again, name)
		if got.DN != want.DN || got.GUID != want.GUID || got.Locked != want.Locked || got.Enabled != want.Enabled || got.MustChange != want.MustChange ||
			!got.PasswordSet.Equal(want.PasswordSet) || got.BadPasswords != want.BadPasswords || got.PolicyName != want.PolicyName || got.CannotChange != want.CannotChange || got.Protected != want.Protected || got.Policy != want.Policy {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		for _, attribute := range []string{"memberOf", "objectSid", "userAccountControl", "accountExpires", "info", "extensionName", "mS-DS-ConsistencyGuid", "whenCreated"} {
			if g, w := slices.Sorted(slices.Values(got.Values(attribute))), slices.Sorted(slices.Values(want.Values(attribute))); !slices.Equal(g, w) {
				t.Errorf("%s of %s: got %q, want %q", attribute, name, g, w)
			}
		}
	}
	if _, err := again.User("gone"); err == nil {
		t.Error("a deleted account came back")
	}
	expect(t, "nobody's password came along", connect(t, again).Bind("alice@corp.example", oldPassword), 49, bindText("52e"))
	if err := again.SetPassword("alice", newPassword, time.Time{}); err != nil {
		t.Fatal(err)
	}
	alice, unlock := connectAs(t, again, "alice@corp.example", newPassword), ldap.NewModifyRequest(dnOf(t, again, "bob"), nil)
	unlock.Replace("lockoutTime", []string{"0"})
	expect(t, "the right of her group came along", alice.Modify(unlock), 0, "")
	expect(t, "and no other", alice.Modify(resetRequest(dnOf(t, again, "bob"), newPassword)), 50, "")
	expect(t, "the next account gets an identifier of its own", admin.Add(userRequest("next")), 0, "")
}

func userRequest(name string) *ldap.AddRequest {
	add := ldap.NewAddRequest("CN="+name+",CN=Users,"+base, nil)
	add.Attribute("objectClass", []string{"user"})
	add.Attribute("sAMAccountName", []string{name})
	return add
}

func firstDifference(a, b string) string {
	left, right := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			return strings.Join(left[max(0, i-3):i+1], "\n") + "\nbut\n" + right[i]
		}
	}
	return "in length"
}

// Nothing that is secret, or made from a secret, leaves with LDIF or a dump.
func TestNoSecretLeavesWithLDIF(t *testing.T) {
	dc := worked(t)
	for what, text := range map[string]string{"LDIF": ldifOf(t, dc), "dump": dumpOf(dc)} {
		for _, secret := range []string{"unicodePwd", "ntPwdHistory", "supplementalCredentials", "userPassword", "plainly-here", oldPassword, dc.AdminPassword()} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %s", what, secret)
			}
		}
	}
}

func TestLDIFIsReadableByOthers(t *testing.T) {
	dc := worked(t)
	text := ldifOf(t, dc)
	for line := range strings.Lines(text) {
		if len(strings.TrimSuffix(line, "\n")) > 76 && !strings.HasPrefix(line, "#") {
			t.Errorf("a line of %d columns: %q", len(line), line)
		}
		for _, c := range []byte(line) {
			if c >= 0x80 {
				t.Errorf("a line that is not ASCII: %q", line)
				break
			}
		}
	}
	for _, want := range []string{
		"\ndn: OU=Research\\, Development,OU=People," + base + "\nobjectClass: top\nobjectClass: organizationalUnit\n",
		"\ndescription:: IGJlZ2lucyBhbmQgZW5kcyB3aXRoIGEgc3BhY2Ug\n",
		"\ninfo:: dHdvCmxpbmVzOiBvZiB0ZXh0\n",
		"\nextensionName:: PG5vdCBhIFVSTA==\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q", want)
		}
	}
}

func dumpOf(dc *fakead.Server) string {
	var b strings.Builder
	_ = dc.Dump(&b)
	return b.String()
}

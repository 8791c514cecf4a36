package fakead_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

const (
	base       = "DC=corp,DC=example"
	users      = "CN=Users," + base
	everything = "(objectClass=*)"
)

// query searches the subtree.
func query(t *testing.T, c *ldap.Conn, from, filter string, attributes ...string) []*ldap.Entry {
	t.Helper()
	return ask(t, c, subtree(from, filter, attributes...)).Entries
}

func subtree(from, filter string, attributes ...string) *ldap.SearchRequest {
	return ldap.NewSearchRequest(from, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
}

func ask(t *testing.T, c *ldap.Conn, r *ldap.SearchRequest) *ldap.SearchResult {
	t.Helper()
	answer, err := c.Search(r)
	if err != nil {
		t.Fatalf("search %s for %s: %v", r.BaseDN, r.Filter, err)
	}
	return answer
}

func read(t *testing.T, c *ldap.Conn, dn string, attributes ...string) *ldap.Entry {
	t.Helper()
	r := subtree(dn, everything, attributes...)
	r.Scope = ldap.ScopeBaseObject
	answer := ask(t, c, r)
	if len(answer.Entries) != 1 {
		t.Fatalf("%s: %d entries", dn, len(answer.Entries))
	}
	return answer.Entries[0]
}

func attributeNames(e *ldap.Entry) []string {
	var names []string
	for _, a := range e.Attributes {
		names = append(names, a.Name)
	}
	return names
}

func TestAPersonIsFoundByTheAnchorOfWriteback(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice", Given: "Alice", Surname: "Müller"}, fakead.User{SAM: "bob"})
	c := asAdministrator(t, dc)
	guid := read(t, c, dnOf(t, dc, "alice"), "objectGUID").GetRawAttributeValue("objectGUID")
	escaped := ""
	for _, b := range guid {
		escaped += fmt.Sprintf(`\%02x`, b)
	}
	for _, filter := range []string{
		"(objectGUID=" + escaped + ")",
		"(&(objectCategory=person)(objectGUID=" + strings.ToUpper(escaped) + "))",
		"(sn=muller)", "(userPrincipalName=ALICE@corp.example)",
		"(&(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2))(givenName=al*))",
	} {
		found := query(t, c, base, filter, "sAMAccountName")
		if len(found) != 1 || found[0].GetAttributeValue("sAMAccountName") != "alice" {
			t.Errorf("%s: found %d", filter, len(found))
		}
	}
}

func TestWhichAttributesAreReturned(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice", Groups: []string{"Guests"}})
	c, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
	all := attributeNames(read(t, c, dn))
	for _, name := range []string{"objectClass", "cn", "sAMAccountName", "memberOf", "whenCreated", "objectGUID", "pwdLastSet", "distinguishedName"} {
		if !slices.Contains(all, name) {
			t.Errorf("* lacks %s", name)
		}
	}
	for _, name := range []string{"unicodePwd", "ntPwdHistory", "msDS-User-Account-Control-Computed", "canonicalName", "tokenGroups", "allowedAttributes"} {
		if slices.Contains(all, name) {
			t.Errorf("* shows %s", name)
		}
	}
	for _, s := range []struct{ asked, want []string }{
		{[]string{"*"}, all},
		{[]string{"*", "+"}, all},
		{[]string{"*", "CANONICALNAME"}, append(slices.Clone(all), "canonicalName")},
		{[]string{"1.1"}, nil},
		{[]string{"+"}, nil},
		{[]string{"samaccountname", "nosuch", "mail", "unicodePwd", "supplementalCredentials", "sAMAccountName"}, []string{"sAMAccountName"}},
		{[]string{"objectGUID;binary", "1.2.840.113556.1.4.221"}, []string{"objectGUID;binary", "sAMAccountName"}},
		{[]string{"cn;lang-en", "cn;range=x", "mail;range=0-*"}, nil},
		{[]string{"cn;range=7-*"}, []string{"cn;range=7-*"}}, // beyond the last value: the end, and nothing
	} {
		if got := attributeNames(read(t, c, dn, s.asked...)); !slices.Equal(got, s.want) {
			t.Errorf("%q: got %q, want %q", s.asked, got, s.want)
		}
	}
	typesOnly := subtree(dn, everything, "sAMAccountName", "canonicalName")
	typesOnly.TypesOnly = true
	e := ask(t, c, typesOnly).Entries[0]
	if len(e.Attributes) != 2 || len(e.Attributes[0].Values)+len(e.Attributes[1].Values) != 0 {
		t.Error("types only came with values, or not at all")
	}
}

func TestConstructedAttributes(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice", Groups: []string{"Domain Admins"}})
	c, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
	for name, want := range map[string]string{
		"canonicalName": "corp.example/Users/alice", "msDS-PrincipalName": `CORP\alice`, "structuralObjectClass": "top",
		"subSchemaSubEntry": "CN=Aggregate,CN=Schema,CN=Configuration," + base, "msDS-User-Account-Control-Computed": "0",
	} {
		if got := read(t, c, dn, name).GetAttributeValue(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := read(t, c, "CN=Domain Users,"+users, "primaryGroupToken").GetAttributeValue("primaryGroupToken"); got != "513" {
		t.Errorf("primaryGroupToken of Domain Users: %q", got)
	}
	tokens := read(t, c, dn, "tokenGroups").GetRawAttributeValues("tokenGroups")
	if len(tokens) != 5 { // Domain Users, Users, Domain Admins, Administrators, Denied RODC Password Replication Group
		t.Errorf("%d groups in the token, want 5", len(tokens))
	}
	if found := query(t, c, dn, everything, "tokenGroups"); len(found[0].Attributes) != 0 {
		t.Error("tokenGroups was computed for a search that is not of one entry")
	}
	if len(read(t, c, dn, "allowedAttributesEffective").GetAttributeValues("allowedAttributesEffective")) < 50 {
		t.Error("an administrator may write almost nothing")
	}
}

func TestRangesOfValues(t *testing.T) {
	dc := fakead.RunT(t)
	var many []string
	for i := range 1600 {
		many = append(many, fmt.Sprintf("+44 %04d", i))
	}
	if err := dc.AddUser(fakead.User{SAM: "alice", Attributes: map[string][]string{"otherTelephone": many}}); err != nil {
		t.Fatal(err)
	}
	c, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
	for asked, want := range map[string]struct {
		name  string
		count int
	}{
		"otherTelephone":              {"otherTelephone;range=0-1499", 1500},
		"otherTelephone;range=1500-*": {"otherTelephone;range=1500-*", 100},
		"otherTelephone;Range=10-19":  {"otherTelephone;range=10-19", 10},
		"otherTelephone;range=0-1599": {"otherTelephone;range=0-1499", 1500},
	} {
		a := read(t, c, dn, asked).Attributes[0]
		if a.Name != want.name || len(a.Values) != want.count {
			t.Errorf("%s: got %s with %d values, want %s with %d", asked, a.Name, len(a.Values), want.name, want.count)
		}
	}
	if !slices.Contains(attributeNames(read(t, c, dn)), "otherTelephone;range=0-1499") {
		t.Error("* does not cut a long attribute")
	}
}

func TestWhereASearchBegins(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	c := asAdministrator(t, dc)
	alice := dnOf(t, dc, "alice")
	guid := read(t, c, alice, "objectGUID").GetRawAttributeValue("objectGUID")
	for name, want := range map[string]string{
		fmt.Sprintf("<GUID=%x>", guid):                           alice,
		"<WKGUID=A9D1CA15768811D1ADED00C04FD8D5CD," + base + ">": users,
		"cn=USERS , dc=corp,dc=EXAMPLE":                          users,
	} {
		if got := read(t, c, name).DN; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	for _, s := range []struct {
		base, matched, text string
		code                uint16
	}{
		{"OU=x,OU=y," + users, users, "0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0, best match of:\n\t'" + users + "'\n\x00", 32},
		{"DC=other,DC=test", "", "0000202B: RefErr: DSID-03100835, data 0, 1 access points\n\tref 1: 'other.test'\n\x00", 10},
		{"alice", "", "0000208F: NameErr: ", 34},
		{"", "", "0000208D: NameErr: ", 32},
	} {
		_, err := c.Search(subtree(s.base, everything))
		expect(t, s.base, err, s.code, s.text)
		var answer *ldap.Error
		if errors.As(err, &answer) && answer.MatchedDN != s.matched {
			t.Errorf("%s: matched %q, want %q", s.base, answer.MatchedDN, s.matched)
		}
	}
	_, err := c.Search(subtree("OU=a b,DC=other,DC=test", everything))
	var answer *ldap.Error
	if !errors.As(err, &answer) || referralOf(answer.Packet) != "ldap://other.test/OU=a%20b,DC=other,DC=test" {
		t.Errorf("got %v, want a referral", err)
	}
}

// referralOf finds the first URL of an LDAPResult's referral.
func referralOf(message *ber.Packet) string {
	for _, part := range message.Children[1].Children {
		if part.ClassType == ber.ClassContext && part.Tag == 3 {
			return part.Children[0].Data.String()
		}
	}
	return ""
}

func TestContinuationReferences(t *testing.T) {
	dc := fakead.RunT(t)
	c := asAdministrator(t, dc)
	const configuration = "CN=Configuration," + base
	for _, s := range []struct {
		base  string
		scope int
		oid   string
		want  []string
	}{
		{base, ldap.ScopeWholeSubtree, "", []string{"ldap://corp.example/" + configuration}},
		{base, ldap.ScopeSingleLevel, "", []string{"ldap://corp.example/" + configuration + "??base"}},
		{base, ldap.ScopeBaseObject, "", nil},
		{base, ldap.ScopeWholeSubtree, "1.2.840.113556.1.4.1339", nil},
		{users, ldap.ScopeWholeSubtree, "", nil},
		{configuration, ldap.ScopeWholeSubtree, "", []string{"ldap://corp.example/CN=Schema," + configuration}},
	} {
		r := subtree(s.base, "(cn=nobody)")
		r.Scope = s.scope
		if s.oid != "" {
			r.Controls = []ldap.Control{ldap.NewControlString(s.oid, true, "")}
		}
		if got := ask(t, c, r).Referrals; !slices.Equal(got, s.want) {
			t.Errorf("%s, scope %d, %s: got %q, want %q", s.base, s.scope, s.oid, got, s.want)
		}
	}
}

// LDAP_SERVER_SEARCH_OPTIONS with flag 2 joins all naming contexts; 30 03 02 01 02 is its value.
func TestThePhantomRoot(t *testing.T) {
	dc := fakead.RunT(t)
	c := asAdministrator(t, dc)
	for from, want := range map[string]int{"": 2, base: 2, "CN=Configuration," + base: 1} {
		r := subtree(from, "(|(cn=Directory Service)(cn=Administrator))", "1.1")
		r.Controls = []ldap.Control{ldap.NewControlString("1.2.840.113556.1.4.1340", true, "0\x03\x02\x01\x02")}
		if got := ask(t, c, r); len(got.Entries) != want || len(got.Referrals) != 0 {
			t.Errorf("from %q: %d entries, %d references, want %d and none", from, len(got.Entries), len(got.Referrals), want)
		}
	}
	r := subtree("", everything)
	r.Controls = []ldap.Control{ldap.NewControlString("1.2.840.113556.1.4.1340", true, "x")}
	_, err := c.Search(r)
	expect(t, "a value that is none", err, 12, "00000057: LdapErr: ")
}

// gldap cannot read some of these, and would drop the connection.
func TestOddFilters(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice", DisplayName: `a*(b)\c`})
	c := asAdministrator(t, dc)
	for filter, want := range map[string]int{
		"(:dn:2.5.13.5:=x)": 0, "(cn:dn:=Administrator)": 1, "(cn:dn:2.4.6.8.10:=Administrator)": 0, "(cn:=Administrator)": 1,
		`(displayName=a\2a\28b\29\5cc)`: 1, `(displayName=*\2a\28*\5c*)`: 1, "(&)": 2, "(|)": 0, "(displayName~=x)": 0,
		"(!(|(!(cn=Administrator))(nosuch;x-y=1)))": 0,
	} {
		found := query(t, c, base, "(&(|(sAMAccountName=alice)(cn=Administrator))"+filter+")", "1.1")
		if len(found) != want {
			t.Errorf("%s: found %d, want %d", filter, len(found), want)
		}
	}
}

func TestAMalformedFilterIsAnswered(t *testing.T) {
	dc := fakead.RunT(t)
	text := func(tag ber.Tag, value string) *ber.Packet {
		return ber.NewString(ber.ClassContext, ber.TypePrimitive, tag, value, "")
	}
	constructed := func(tag ber.Tag, parts ...*ber.Packet) *ber.Packet {
		p := ber.Encode(ber.ClassContext, ber.TypeConstructed, tag, nil, "")
		for _, part := range parts {
			p.AppendChild(part)
		}
		return p
	}
	for what, filter := range map[string]*ber.Packet{
		"an unknown choice":     text(15, "x"),
		"an empty not":          constructed(2),
		"a not of two":          constructed(2, text(7, "cn"), text(7, "cn")),
		"half an equality":      constructed(3, text(4, "cn")),
		"no attribute":          text(7, ""),
		"no kind of attribute":  text(7, "c(n"),
		"no value to match":     constructed(9, text(2, "cn")),
		"neither type nor rule": constructed(9, text(3, "x")),
	} {
		c := dialRaw(t, dc)
		_, _ = c.Write(message(7, searchOperation("", filter)).Bytes())
		if id, _, code, _ := c.receive(); id != 7 || code != 2 {
			t.Errorf("%s: answer to %d with code %d, want 7 and 2", what, id, code)
		}
	}
}

func TestSecretsCannotBeFoundOrRead(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	c := asAdministrator(t, dc)
	for _, filter := range []string{"(unicodePwd=*)", "(unicodePwd=x)", "(ntPwdHistory=*)", "(supplementalCredentials>=)"} {
		if found := query(t, c, base, filter, "1.1"); len(found) != 0 {
			t.Errorf("%s finds %d", filter, len(found))
		}
	}
	all, without := query(t, c, base, "(objectClass=*)", "1.1"), query(t, c, base, "(!(unicodePwd=x))", "1.1")
	if len(all) != len(without) {
		t.Errorf("of %d entries %d are without a secret", len(all), len(without))
	}
	if e := read(t, c, dnOf(t, dc, "alice"), "unicodePwd", "ntPwdHistory", "lmPwdHistory", "dBCSPwd"); len(e.Attributes) != 0 {
		t.Errorf("shows %q", attributeNames(e))
	}
}

func TestDeletedObjectsAreShownOnlyOnRequest(t *testing.T) {
	dc := fakead.RunT(t)
	c := asAdministrator(t, dc)
	r := subtree(base, "(cn=Deleted Objects)")
	if got := len(ask(t, c, r).Entries); got != 0 {
		t.Errorf("found %d without the control", got)
	}
	r.Controls = []ldap.Control{ldap.NewControlString("1.2.840.113556.1.4.417", true, "")}
	if got := len(ask(t, c, r).Entries); got != 1 {
		t.Errorf("found %d with the control", got)
	}
}

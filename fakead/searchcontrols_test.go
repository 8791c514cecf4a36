package fakead_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

const (
	oidSort           = "1.2.840.113556.1.4.473"
	oidSortResponse   = "1.2.840.113556.1.4.474"
	oidListView       = "2.16.840.1.113730.3.4.9"
	oidListViewAnswer = "2.16.840.1.113730.3.4.10"
	oidAttributeScope = "1.2.840.113556.1.4.1504"
	oidExtendedDN     = "1.2.840.113556.1.4.529"
	oidDirSync        = "1.2.840.113556.1.4.841"
)

func sequenceOf(parts ...*ber.Packet) *ber.Packet {
	p := ber.NewSequence("")
	for _, part := range parts {
		p.AppendChild(part)
	}
	return p
}

func octets(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

func integer(n int64) *ber.Packet {
	return ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, n, "")
}

func withValue(oid string, value *ber.Packet) ldap.Control {
	return ldap.NewControlString(oid, true, string(value.Bytes()))
}

// noValue is a critical control without a value, which go-ldap's own would be given an empty one.
type noValue string

func (c noValue) GetControlType() string { return string(c) }
func (c noValue) String() string         { return string(c) }

func (c noValue) Encode() *ber.Packet {
	return sequenceOf(octets(string(c)), ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, true, ""))
}

// sortBy is a sort key list; a name that begins with - is in reverse.
func sortBy(names ...string) ldap.Control {
	list := sequenceOf()
	for _, name := range names {
		name, reverse := strings.CutPrefix(name, "-")
		key := sequenceOf(octets(name))
		if reverse {
			key.AppendChild(ber.NewBoolean(ber.ClassContext, ber.TypePrimitive, 1, true, ""))
		}
		list.AppendChild(key)
	}
	return withValue(oidSort, list)
}

// byOffset asks for a view around a position.
func byOffset(before, after, offset, count int64) ldap.Control {
	target := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
	target.AppendChild(integer(offset))
	target.AppendChild(integer(count))
	return withValue(oidListView, sequenceOf(integer(before), integer(after), target))
}

func fromValue(before, after int64, value string) ldap.Control {
	target := ber.NewString(ber.ClassContext, ber.TypePrimitive, 1, value, "")
	return withValue(oidListView, sequenceOf(integer(before), integer(after), target))
}

// searchWith returns the first components of the names that a search finds, its error, and the value of one control.
func searchWith(c *ldap.Conn, r *ldap.SearchRequest, response string, controls ...ldap.Control) (names, value string, err error) {
	r.Controls = controls
	answer, err := c.Search(r)
	var found []string
	if answer == nil {
		return "", "", err
	}
	for _, e := range answer.Entries {
		first, _, _ := strings.Cut(e.DN, ",")
		found = append(found, strings.TrimPrefix(first, "CN="))
	}
	if control, ok := ldap.FindControl(answer.Controls, response).(*ldap.ControlString); ok {
		value = hex.EncodeToString([]byte(control.ControlValue))
	}
	return strings.Join(found, " "), value, err
}

// people has users whose names, titles and numbers are in different orders.
func people(t *testing.T) (*fakead.Server, *ldap.Conn) {
	t.Helper()
	dc := fakead.RunT(t)
	if err := dc.AddOU("OU=People"); err != nil {
		t.Fatal(err)
	}
	for _, p := range [][3]string{{"carol", "Architect", "10"}, {"Alice", "", "9"}, {"bob", "zoologist", "101"}, {"Dave", "Écuyer", "-1"}} {
		attributes := map[string][]string{"localeID": {p[2]}}
		if p[1] != "" {
			attributes["title"] = []string{p[1]}
		}
		seed(t, dc, fakead.User{SAM: p[0], OU: "OU=People", Attributes: attributes})
	}
	return dc, asAdministrator(t, dc)
}

const peopleOU = "OU=People," + base

func TestSorting(t *testing.T) {
	_, c := people(t)
	for name, w := range map[string]struct {
		key  ldap.Control
		want string
	}{
		"by name, whatever case":             {sortBy("cn"), "Alice bob carol Dave"},
		"in reverse":                         {sortBy("-cn"), "Dave carol bob Alice"},
		"numbers as numbers":                 {sortBy("localeID"), "Dave Alice carol bob"},
		"accents do not count; none is last": {sortBy("title"), "carol Dave bob Alice"},
		"none is first in reverse":           {sortBy("-title"), "Alice bob Dave carol"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := searchWith(c, subtree(peopleOU, "(objectClass=user)", "cn"), oidSortResponse, w.key)
			if err != nil || got != w.want {
				t.Errorf("got %s, %v; want %s", got, err, w.want)
			}
		})
	}
}

// What cannot be sorted by is refused where the control is critical, and told where it is not.
func TestSortingThatIsRefused(t *testing.T) {
	dc, c := people(t)
	rule := sequenceOf(octets("cn"))
	rule.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, "1.2.840.113556.1.4.1594", ""))
	for name, w := range map[string]struct {
		key   ldap.Control
		value string
	}{
		"an unknown attribute":   {sortBy("noSuchAttribute"), "3084000000030a0110"},
		"two keys":               {sortBy("cn", "sn"), "3084000000030a0135"},
		"a constructed one":      {sortBy("canonicalName"), "3084000000030a0112"},
		"a secret":               {sortBy("unicodePwd"), "3084000000030a0112"},
		"a language not there":   {withValue(oidSort, sequenceOf(rule)), "3084000000030a0112"},
		"no key":                 {sortBy(), ""},
		"a value that is no BER": {ldap.NewControlString(oidSort, true, "x"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := searchWith(c, subtree(peopleOU, "(objectClass=user)", "cn"), oidSortResponse, w.key)
			expect(t, "critical", err, 12, "00000057: LdapErr: DSID-0C090B16, comment: Error processing control, data 0, v4f7c")
			optional, _ := w.key.(*ldap.ControlString)
			optional.Criticality = false
			got, _, err := searchWith(c, subtree(peopleOU, "(objectClass=user)", "cn"), oidSortResponse, optional)
			if err != nil || len(strings.Fields(got)) != 4 {
				t.Errorf("not critical: %s, %v; want all in any order", got, err)
			}
			if value := sortResult(t, dc, optional); value != w.value {
				t.Errorf("sort result %s, want %s", value, w.value)
			}
		})
	}
}

// sortResult is the value of the control that a sorted answer ends with, which go-ldap does not decode.
func sortResult(t *testing.T, dc *fakead.Server, key ldap.Control) string {
	t.Helper()
	c := dialRaw(t, dc)
	filter := ber.NewString(ber.ClassContext, ber.TypePrimitive, 7, "objectClass", "")
	search := message(2, searchOperation(peopleOU, filter))
	controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
	controls.AppendChild(key.Encode())
	search.AppendChild(controls)
	c.send(message(1, bindOperation(3, dc.AdminDN(), dc.AdminPassword())), search)
	for {
		p, err := ber.ReadPacket(c)
		if err != nil {
			t.Fatal(err)
		}
		if p.Children[1].Tag != 5 {
			continue
		}
		if len(p.Children) < 3 {
			return ""
		}
		answer := p.Children[2].Children[0].Children
		return hex.EncodeToString(answer[len(answer)-1].Data.Bytes())
	}
}

func TestPagesOfASortedAnswer(t *testing.T) {
	_, c := people(t)
	request := subtree(peopleOU, "(objectClass=user)", "cn")
	request.Controls = []ldap.Control{sortBy("-cn"), ldap.NewControlPaging(3)}
	answer, err := c.SearchWithPaging(request, 3)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range answer.Entries {
		names = append(names, e.GetAttributeValue("cn"))
	}
	if want := []string{"Dave", "carol", "bob", "Alice"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

func TestVirtualListViews(t *testing.T) {
	_, c := people(t)
	for name, w := range map[string]struct {
		view        ldap.Control
		want, value string
	}{
		"the first and one more":    {byOffset(0, 1, 1, 0), "Alice bob", "308400000009" + "020101" + "020104" + "0a0100"},
		"around the third":          {byOffset(1, 1, 3, 0), "bob carol Dave", "308400000009" + "020103" + "020104" + "0a0100"},
		"the last, by its count":    {byOffset(1, 5, 50, 50), "carol Dave", "308400000009" + "020104" + "020104" + "0a0100"},
		"in the middle, by a guess": {byOffset(0, 0, 50, 100), "bob", "308400000009" + "020102" + "020104" + "0a0100"},
		"beyond the end":            {byOffset(0, 0, 99, 0), "Dave", "308400000009" + "020104" + "020104" + "0a0100"},
		"from a value":              {fromValue(1, 1, "c"), "bob carol Dave", "308400000009" + "020103" + "020104" + "0a0100"},
		"from after all":            {fromValue(1, 1, "z"), "Dave", "308400000009" + "020105" + "020104" + "0a0100"},
	} {
		t.Run(name, func(t *testing.T) {
			got, value, err := searchWith(c, subtree(peopleOU, "(objectClass=user)", "cn"), oidListViewAnswer, sortBy("cn"), w.view)
			if err != nil || got != w.want || value != w.value {
				t.Errorf("got %s, %s, %v; want %s, %s", got, value, err, w.want, w.value)
			}
		})
	}
	got, _, err := searchWith(c, subtree(peopleOU, "(objectClass=user)", "cn"), oidListViewAnswer, sortBy("title"), byOffset(0, 9, 1, 0))
	if err != nil || got != "carol Dave bob" {
		t.Errorf("who has no title is in no view of titles: %s, %v", got, err)
	}
	paged := ldap.NewControlPaging(5)
	_, _, err = searchWith(c, subtree(peopleOU, "(objectClass=user)", "cn"), oidListViewAnswer, sortBy("cn"), byOffset(0, 1, 1, 0), paged)
	if !ldap.IsErrorWithCode(err, ldap.LDAPResultUnavailableCriticalExtension) {
		t.Errorf("a view in pages: %v", err)
	}
	_, _, err = searchWith(c, subtree(peopleOU, "(objectClass=user)", "cn"), oidListViewAnswer, byOffset(0, 1, 1, 0))
	expect(t, "without a sort key", err, 12, "00000057: LdapErr: ")
}

func TestAttributeScopedQueries(t *testing.T) {
	dc, c := people(t)
	if err := dc.AddGroup(fakead.Group{SAM: "staff", Members: []string{"carol", "Alice", "Domain Guests"}}); err != nil {
		t.Fatal(err)
	}
	group := "CN=staff,CN=Users," + base
	scope := func(attribute string) ldap.Control {
		return withValue(oidAttributeScope, sequenceOf(octets(attribute)))
	}
	for name, w := range map[string]struct {
		scope             int
		attribute, filter string
		want, value       string
	}{
		"all members":            {ldap.ScopeBaseObject, "member", everything, "carol Alice Domain Guests", "3084000000030a0100"},
		"members that match":     {ldap.ScopeBaseObject, "member", "(objectClass=user)", "carol Alice", "3084000000030a0100"},
		"another scope":          {ldap.ScopeWholeSubtree, "member", everything, "", "3084000000030a0135"},
		"what names no entries":  {ldap.ScopeBaseObject, "cn", everything, "", "3084000000030a0115"},
		"what the entry has not": {ldap.ScopeBaseObject, "managedBy", everything, "", "3084000000030a0100"},
	} {
		t.Run(name, func(t *testing.T) {
			r := subtree(group, w.filter, "cn")
			r.Scope = w.scope
			got, value, err := searchWith(c, r, oidAttributeScope, scope(w.attribute))
			if err != nil || got != w.want || value != w.value {
				t.Errorf("got %q, %s, %v; want %q, %s", got, value, err, w.want, w.value)
			}
		})
	}
	r := subtree(group, everything, "cn")
	r.Scope = ldap.ScopeBaseObject
	got, _, err := searchWith(c, r, oidAttributeScope, scope("member"), sortBy("cn"))
	if err != nil || got != "Alice carol Domain Guests" {
		t.Errorf("sorted: %q, %v", got, err)
	}
}

func TestExtendedNames(t *testing.T) {
	dc, c := people(t)
	alice := read(t, c, dnOf(t, dc, "Alice"), "objectGUID", "objectSid")
	guid, sid := alice.GetRawAttributeValue("objectGUID"), alice.GetRawAttributeValue("objectSid")
	want := "<GUID=" + hex.EncodeToString(guid) + ">;<SID=" + hex.EncodeToString(sid) + ">;" + alice.DN
	for name, control := range map[string]ldap.Control{
		"without a value": noValue(oidExtendedDN),
		"with flag 0":     withValue(oidExtendedDN, sequenceOf(integer(0))),
	} {
		e := readBase(t, c, alice.DN, []ldap.Control{control}, "distinguishedName", "objectCategory")
		if e.DN != want || e.GetAttributeValue("distinguishedName") != want {
			t.Errorf("%s: %s", name, e.DN)
		}
		if category := e.GetAttributeValue("objectCategory"); !strings.HasPrefix(category, "<GUID=") || strings.Contains(category, "SID=") {
			t.Errorf("%s: %s", name, category)
		}
	}
	e := readBase(t, c, base, []ldap.Control{withValue(oidExtendedDN, sequenceOf(integer(1)))}, "wellKnownObjects")
	if !strings.Contains(e.DN, "-") || !strings.Contains(e.DN, ";<SID=S-1-5-21-") || !strings.HasPrefix(e.GetAttributeValue("wellKnownObjects"), "B:32:") ||
		!strings.Contains(e.GetAttributeValue("wellKnownObjects"), ":<GUID=") {
		t.Errorf("as strings: %s, %s", e.DN, e.GetAttributeValue("wellKnownObjects"))
	}
	_, _, err := searchWith(c, subtree(base, everything, "cn"), "", withValue(oidExtendedDN, sequenceOf(integer(2))))
	expect(t, "a form that there is not", err, 12, "00000057: LdapErr: ")
}

func TestDirSync(t *testing.T) {
	dc, c := people(t)
	request := func() *ldap.SearchRequest { return subtree(base, "(objectClass=user)", "sAMAccountName", "title") }
	first, err := c.DirSync(request(), 0, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Entries) < 4 {
		t.Fatalf("the first answer has %d entries", len(first.Entries))
	}
	cookie := func(r *ldap.SearchResult) []byte {
		control, _ := ldap.FindControl(r.Controls, oidDirSync).(*ldap.ControlDirSync)
		return control.Cookie
	}
	quiet, err := c.DirSync(request(), 0, 0, cookie(first))
	if err != nil || len(quiet.Entries) != 0 {
		t.Errorf("nothing changed, and there are %d entries, %v", len(quiet.Entries), err)
	}
	if err := c.Modify(replaceRequest(dnOf(t, dc, "bob"), "", "title", "Keeper")); err != nil {
		t.Fatal(err)
	}
	changed, err := c.DirSync(request(), 0, 0, cookie(quiet))
	if err != nil || len(changed.Entries) != 1 || changed.Entries[0].GetAttributeValue("title") != "Keeper" || len(changed.Entries[0].GetRawAttributeValue("objectGUID")) != 16 {
		t.Errorf("after one change: %v, %v", changed.Entries, err)
	}

	names := func(e *ldap.Entry) (all []string) {
		for _, a := range e.Attributes {
			all = append(all, a.Name)
		}
		slices.Sort(all)
		return all
	}
	if got := names(changed.Entries[0]); !slices.Equal(got, []string{"instanceType", "objectGUID", "title"}) {
		t.Errorf("of an entry with another title: %v", got)
	}
	untitled := ldap.NewModifyRequest(dnOf(t, dc, "bob"), nil)
	untitled.Delete("title", nil)
	if err := c.Modify(untitled); err != nil {
		t.Fatal(err)
	}
	elsewhere, err := c.DirSync(subtree(base, "(objectClass=user)", "displayName"), 0, 0, cookie(changed))
	if err != nil || len(elsewhere.Entries) != 0 {
		t.Errorf("asked for what has not changed: %v, %v", elsewhere.Entries, err)
	}
	without, err := c.DirSync(request(), 0, 0, cookie(changed))
	if err != nil || len(without.Entries) != 1 || len(without.Entries[0].GetAttributeValues("title")) != 0 || !slices.Contains(names(without.Entries[0]), "title") {
		t.Errorf("a title that is gone: %v, %v", without.Entries, err)
	}

	_, err = c.DirSync(subtree(users, everything), 0, 0, nil)
	expect(t, "below a naming context", err, 50, "00002105: SecErr: ")
	_, err = c.DirSync(request(), 0, 0, []byte("a cookie of nobody's"))
	expect(t, "another's cookie", err, 12, "00000057: LdapErr: ")
	bob := connectAs(t, dc, `CORP\bob`, oldPassword)
	_, err = bob.DirSync(request(), 0, 0, nil)
	expect(t, "without the right to replicate", err, 50, "00002105: SecErr: ")
	own, err := bob.DirSync(request(), 1, 0, nil)
	if err != nil || len(own.Entries) < 4 {
		t.Errorf("what bob may read: %d entries, %v", len(own.Entries), err)
	}
}

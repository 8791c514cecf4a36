package fakead_test

import (
	"encoding/binary"
	"encoding/xml"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"

	"passback/clock"
	"passback/fakead"
)

// written is a value of msDS-ReplAttributeMetaData or msDS-ReplValueMetaData.
type written struct {
	Name       string `xml:"pszAttributeName"`
	Target     string `xml:"pszObjectDn"`
	Deleted    string `xml:"ftimeDeleted"`
	Created    string `xml:"ftimeCreated"`
	Version    int    `xml:"dwVersion"`
	Changed    string `xml:"ftimeLastOriginatingChange"`
	Invocation string `xml:"uuidLastOriginatingDsaInvocationID"`
	Origin     int64  `xml:"usnOriginatingChange"`
	Local      int64  `xml:"usnLocalChange"`
	DSA        string `xml:"pszLastOriginatingDsaDN"`
}

// metadataOf reads one of the two attributes, in its order.
func metadataOf(t *testing.T, c *ldap.Conn, dn, attribute string) []written {
	t.Helper()
	var all []written
	for _, value := range namesFound(t, c, dn, ldap.ScopeBaseObject, "(objectClass=*)", attribute).Entries[0].GetAttributeValues(attribute) {
		text, ended := strings.CutSuffix(value, ">\n\x00")
		var w written
		if err := xml.Unmarshal([]byte(text+">"), &w); err != nil || !ended {
			t.Fatalf("%s of %s: %v in %q", attribute, dn, err, value)
		}
		all = append(all, w)
	}
	return all
}

// attributeWritten reads the metadata of one attribute; the zero value: it has none.
func attributeWritten(t *testing.T, c *ldap.Conn, dn, name string) written {
	t.Helper()
	for _, w := range metadataOf(t, c, dn, "msDS-ReplAttributeMetaData") {
		if w.Name == name {
			return w
		}
	}
	return written{}
}

func xmlTime(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05Z") }

// When, where and how often a password was set is told of each account, and what it is of none.
func TestMetadataTellsOfPasswords(t *testing.T) {
	running := clock.NewRunning()
	dc := fakead.RunT(t, fakead.Options{Clock: running})
	seed(t, dc, fakead.User{SAM: "alice"})
	admin, alice := asAdministrator(t, dc), dnOf(t, dc, "alice")
	secrets := []string{"unicodePwd", "ntPwdHistory", "dBCSPwd", "lmPwdHistory", "supplementalCredentials", "pwdLastSet"}
	for i, step := range []struct {
		what string
		do   func() error
		code uint16
		now  int // version of all of them
	}{
		{"as added", func() error { return nil }, 0, 1},
		{"a reset", func() error { return admin.Modify(resetRequest(alice, newPassword)) }, 0, 2},
		{"a refused one", func() error { return admin.Modify(resetRequest(alice, "short")) }, 53, 2},
		{"from Go", func() error { return dc.SetPassword("alice", "Spring-2028!", time.Time{}) }, 0, 3},
	} {
		before := attributeWritten(t, admin, alice, "unicodePwd")
		running.Advance(time.Hour)
		expect(t, step.what, step.do(), step.code, "")
		for _, name := range secrets {
			if w := attributeWritten(t, admin, alice, name); w.Version != step.now {
				t.Errorf("%s: %s has version %d, want %d", step.what, name, w.Version, step.now)
			}
		}
		w := attributeWritten(t, admin, alice, "unicodePwd")
		if changed := i == 1 || i == 3; changed != (w.Changed > before.Changed) || changed != (w.Local > before.Local) {
			t.Errorf("%s: from %+v to %+v", step.what, before, w)
		}
		if at, _ := time.Parse(time.RFC3339, w.Changed); w.Origin != w.Local || !strings.HasPrefix(w.DSA, "CN=NTDS Settings,CN=DC1,") || running.Now().Sub(at) > 4*time.Hour {
			t.Errorf("%s: %+v", step.what, w)
		}
	}
	e := namesFound(t, admin, alice, ldap.ScopeBaseObject, "(objectClass=*)", "*", "replPropertyMetaData", "msDS-ReplAttributeMetaData;binary").Entries[0]
	for _, a := range e.Attributes {
		for _, value := range a.Values {
			if strings.Contains(value, "Spring-2028!") || strings.Contains(value, quoted("Spring-2028!")) {
				t.Errorf("%s holds the password", a.Name)
			}
		}
	}
}

func TestMetadataIsShownToWhoAsksAndMayRead(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "bob"})
	alice := dnOf(t, dc, "alice")
	all := []string{"msDS-ReplAttributeMetaData", "msDS-ReplValueMetaData", "replPropertyMetaData"}
	for what, c := range map[string]*ldap.Conn{"administrator": asAdministrator(t, dc), "another user": connectAs(t, dc, "bob@corp.example", oldPassword)} {
		plain := namesFound(t, c, alice, ldap.ScopeBaseObject, "(objectClass=*)").Entries[0]
		for _, name := range all {
			if len(plain.GetAttributeValues(name)) > 0 {
				t.Errorf("%s: %s is shown unasked", what, name)
			}
		}
		if w := attributeWritten(t, c, alice, "pwdLastSet"); w.Version != 1 {
			t.Errorf("%s: %+v", what, w)
		}
		ranged := namesFound(t, c, alice, ldap.ScopeBaseObject, "(objectClass=*)", "msDS-ReplAttributeMetaData;range=1-3").Entries[0]
		if whole := metadataOf(t, c, alice, all[0]); len(ranged.Attributes) != 1 || ranged.Attributes[0].Name != "msDS-ReplAttributeMetaData;range=1-3" ||
			len(ranged.Attributes[0].Values) != 3 || !strings.Contains(ranged.Attributes[0].Values[0], whole[1].Name) {
			t.Errorf("%s: a range: %v", what, ranged.Attributes)
		}
	}
	const replPropertyMetaData = "281416c0-1968-11d0-a28f-00aa003049e2"
	admin := asAdministrator(t, dc)
	dacl := sddlOf(t, admin, dc, alice, daclPart)
	denied := strings.Replace(dacl, "(", "(OD;;RP;"+replPropertyMetaData+";;AU)(", 1)
	if err := writeSDDL(t, admin, dc, alice, daclPart, denied); err != nil {
		t.Fatal(err)
	}
	found := namesFound(t, connectAs(t, dc, "bob@corp.example", oldPassword), alice, ldap.ScopeBaseObject, "(objectClass=*)", all...).Entries[0]
	if len(found.Attributes) > 0 {
		t.Errorf("denied, and shown: %v", found.Attributes)
	}
}

// A member that came and went is told of with both times; links are told of by value alone.
func TestMetadataTellsOfMembers(t *testing.T) {
	running := clock.NewRunning()
	dc := fakead.RunT(t, fakead.Options{Clock: running})
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "bob"})
	admin := asAdministrator(t, dc)
	group := "CN=Print Operators,CN=Builtin," + dc.BaseDN()
	change := func(operation func(*ldap.ModifyRequest)) time.Time {
		running.Advance(time.Hour)
		at := running.Now()
		m := ldap.NewModifyRequest(group, nil)
		operation(m)
		if err := admin.Modify(m); err != nil {
			t.Fatal(err)
		}
		return at
	}
	alice, bob := []string{dnOf(t, dc, "alice")}, []string{dnOf(t, dc, "bob")}
	joined := change(func(m *ldap.ModifyRequest) { m.Add("member", alice) })
	change(func(m *ldap.ModifyRequest) { m.Add("member", bob) })
	left := change(func(m *ldap.ModifyRequest) { m.Delete("member", alice) })
	all := metadataOf(t, admin, group, "msDS-ReplValueMetaData")
	if len(all) != 2 || all[0].Target != alice[0] || all[1].Target != bob[0] {
		t.Fatalf("values: %+v", all)
	}
	near := func(text string, at time.Time) bool {
		got, err := time.Parse(time.RFC3339, text)
		return err == nil && got.Sub(at).Abs() < time.Minute
	}
	if w := all[0]; w.Version != 2 || !near(w.Created, joined) || !near(w.Changed, left) || w.Deleted != w.Changed {
		t.Errorf("who left: %+v", w)
	}
	if w := all[1]; w.Version != 1 || w.Created != w.Changed || w.Deleted != xmlTime(time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("who is there: %+v", w)
	}
	if w := attributeWritten(t, admin, group, "member"); w.Version != 0 {
		t.Errorf("member as an attribute: %+v", w)
	}
}

// The example of MS-ADTS 3.1.1.1.9, with its versions, times and USNs, which are a second and one apart.
func TestTheExampleOfStampsInTheSpecification(t *testing.T) {
	running := clock.NewRunning()
	dc := fakead.RunT(t, fakead.Options{Clock: running})
	seed(t, dc, fakead.User{SAM: "houston", Name: "Peter Houston"})
	if err := dc.AddGroup(fakead.Group{SAM: "DSYS"}); err != nil {
		t.Fatal(err)
	}
	admin := asAdministrator(t, dc)
	group, houston := "CN=DSYS,CN=Users,"+dc.BaseDN(), dnOf(t, dc, "houston")
	type stamps struct{ description, member, created, deleted int } // versions, and in which step
	steps := []struct {
		write func(*ldap.ModifyRequest)
		want  stamps
	}{
		{func(m *ldap.ModifyRequest) { m.Add("description", []string{"QWERTY"}) }, stamps{description: 1}},
		{func(m *ldap.ModifyRequest) { m.Add("member", []string{houston}) }, stamps{1, 1, 1, 0}},
		{func(m *ldap.ModifyRequest) { m.Delete("description", nil); m.Delete("member", nil) }, stamps{2, 2, 1, 2}},
		{func(m *ldap.ModifyRequest) { m.Add("member", []string{houston}) }, stamps{2, 3, 1, 0}},
		{func(m *ldap.ModifyRequest) { m.Replace("description", []string{"SHRDLU"}) }, stamps{3, 3, 1, 0}},
	}
	var at []string // of each step
	var first int64
	for i, step := range steps {
		m := ldap.NewModifyRequest(group, nil)
		step.write(m)
		running.Advance(time.Minute)
		if err := admin.Modify(m); err != nil {
			t.Fatal(err)
		}
		description, member := attributeWritten(t, admin, group, "description"), written{}
		for _, w := range metadataOf(t, admin, group, "msDS-ReplValueMetaData") {
			member = w
		}
		last := max(description.Origin, member.Origin)
		if i == 0 {
			first = last
		}
		at = append(at, max(description.Changed, member.Changed))
		deleted := "1601-01-01T00:00:00Z"
		if step.want.deleted > 0 {
			deleted = at[step.want.deleted]
		}
		if description.Version != step.want.description || member.Version != step.want.member || last != first+int64(i) ||
			member.Version > 0 && (member.Created != at[step.want.created] || member.Deleted != deleted) {
			t.Errorf("step %d: %+v and %+v at %d, want %+v", i, description, member, last, step.want)
		}
	}
}

// The binary forms hold the same.
func TestMetadataInBinary(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	admin, alice := asAdministrator(t, dc), dnOf(t, dc, "alice")
	if err := admin.Modify(resetRequest(alice, newPassword)); err != nil {
		t.Fatal(err)
	}
	texts := metadataOf(t, admin, alice, "msDS-ReplAttributeMetaData")
	read := func(attribute string) [][]byte {
		e := namesFound(t, admin, alice, ldap.ScopeBaseObject, "(objectClass=*)", attribute).Entries[0]
		return e.GetRawAttributeValues(attribute)
	}
	blobs := read("msDS-ReplAttributeMetaData;binary")
	if len(blobs) != len(texts) {
		t.Fatalf("%d blobs, %d texts", len(blobs), len(texts))
	}
	at := func(b []byte, offset int) string {
		var units []uint16
		for i := int(binary.LittleEndian.Uint32(b[offset:])); b[i] != 0 || b[i+1] != 0; i += 2 {
			units = append(units, binary.LittleEndian.Uint16(b[i:]))
		}
		return string(utf16.Decode(units))
	}
	for i, b := range blobs {
		if at(b, 0) != texts[i].Name || int(binary.LittleEndian.Uint32(b[4:])) != texts[i].Version || int64(binary.LittleEndian.Uint64(b[40:])) != texts[i].Local || at(b, 48) != texts[i].DSA {
			t.Errorf("%+v is %x", texts[i], b)
		}
	}
	const header, each, unicodePwd = 16, 48, 0x9005a
	vector := read("replPropertyMetaData")[0]
	if n := int(binary.LittleEndian.Uint64(vector[8:])); len(vector) != header+n*each || n != len(texts) {
		t.Fatalf("%d bytes of %d attributes, want %d", len(vector), n, len(texts))
	}
	var numbers []uint32
	for entry := range slices.Chunk(vector[header:], each) {
		number, version := binary.LittleEndian.Uint32(entry), binary.LittleEndian.Uint32(entry[4:])
		numbers = append(numbers, number)
		if number == unicodePwd && version != 2 {
			t.Errorf("unicodePwd has version %d", version)
		}
	}
	if !slices.IsSorted(numbers) || !slices.Contains(numbers, unicodePwd) {
		t.Errorf("attributes: %x", numbers)
	}
}

// Metadata tells of the domain controller that a write was made on, everywhere, and what was counted before there was a
// second one goes on counting.
func TestMetadataAmongDomainControllers(t *testing.T) {
	forest := fakead.RunForestT(t, fakead.ForestOptions{DCs: []fakead.DC{{}}})
	dc1 := forest.DC("dc1")
	seed(t, dc1, fakead.User{SAM: "alice"})
	alice := dnOf(t, dc1, "alice")
	if err := asAdministrator(t, dc1).Modify(resetRequest(alice, newPassword)); err != nil {
		t.Fatal(err)
	}
	dc2, err := forest.Promote(fakead.DC{})
	if err != nil {
		t.Fatal(err)
	}
	if err := asAdministrator(t, dc2).Modify(resetRequest(alice, "Spring-2028!")); err != nil {
		t.Fatal(err)
	}
	title := ldap.NewModifyRequest(alice, nil)
	title.Replace("title", []string{"Engineer"})
	if err := asAdministrator(t, dc1).Modify(title); err != nil {
		t.Fatal(err)
	}
	forest.Replicate()
	var seen [2]map[string]written
	for i, dc := range []*fakead.Server{dc1, dc2} {
		seen[i] = map[string]written{}
		for _, w := range metadataOf(t, asAdministrator(t, dc), alice, "msDS-ReplAttributeMetaData") {
			w.Local = 0
			seen[i][w.Name] = w
		}
		for name, want := range map[string]struct {
			version int
			on      string
		}{"unicodePwd": {3, "DC2"}, "pwdLastSet": {3, "DC2"}, "title": {1, "DC1"}, "sAMAccountName": {1, "DC1"}} {
			if w := seen[i][name]; w.Version != want.version || !strings.HasPrefix(w.DSA, "CN=NTDS Settings,CN="+want.on+",") {
				t.Errorf("%s: %s is %+v, want version %d of %s", dc.HostName(), name, w, want.version, want.on)
			}
		}
	}
	for name, w := range seen[0] {
		if seen[1][name] != w {
			t.Errorf("%s: %+v on one, %+v on the other", name, w, seen[1][name])
		}
	}
}

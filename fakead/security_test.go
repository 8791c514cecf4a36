package fakead_test

import (
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"passback/clock"
	"passback/fakead"
	"passback/fakead/security"
	"passback/fakead/tree"
)

const (
	allParts     = 15 // of the SD flags control
	daclPart     = 4
	holder       = "CN=AdminSDHolder,CN=System,"
	guidChange   = "ab721a53-1e2f-11d0-9819-00aa0040529b"
	guidReset    = "00299570-246d-11d0-a768-00aa006e0529"
	guidUser     = "bf967aba-0de6-11d0-a285-00aa003049e2"
	denialToSelf = "(OD;;CR;" + guidChange + ";;PS)"
	denialToAll  = "(OD;;CR;" + guidChange + ";;WD)"
)

// sdFlags is the SD flags control; none for 0.
func sdFlags(parts int) []ldap.Control {
	if parts == 0 {
		return nil
	}
	value := ber.NewSequence("")
	value.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, parts, ""))
	return []ldap.Control{ldap.NewControlString("1.2.840.113556.1.4.801", true, string(value.Bytes()))}
}

func readBase(t *testing.T, c *ldap.Conn, dn string, controls []ldap.Control, attributes ...string) *ldap.Entry {
	t.Helper()
	found, err := c.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", attributes, controls))
	if err != nil {
		t.Fatalf("read %s: %v", dn, err)
	}
	return found.Entries[0]
}

// sddlOf reads parts of a descriptor over LDAP, with the domain's groups by their aliases.
func sddlOf(t *testing.T, c *ldap.Conn, dc *fakead.Server, dn string, parts int) string {
	t.Helper()
	value := readBase(t, c, dn, sdFlags(parts), "nTSecurityDescriptor").GetRawAttributeValue("nTSecurityDescriptor")
	if len(value) == 0 {
		return ""
	}
	d, err := security.Parse(value)
	if err != nil {
		t.Fatalf("%s: %v", dn, err)
	}
	return d.SDDL(domainSID(t, c, dc))
}

func domainSID(t *testing.T, c *ldap.Conn, dc *fakead.Server) tree.SID {
	t.Helper()
	return tree.SID(readBase(t, c, dc.BaseDN(), nil, "objectSid").GetRawAttributeValue("objectSid"))
}

func writeSDDL(t *testing.T, c *ldap.Conn, dc *fakead.Server, dn string, parts int, sddl string) error {
	t.Helper()
	admin := asAdministrator(t, dc)
	d, err := security.ParseSDDL(sddl, domainSID(t, admin, dc))
	if err != nil {
		t.Fatal(err)
	}
	value, err := d.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	m := ldap.NewModifyRequest(dn, sdFlags(parts))
	m.Replace("nTSecurityDescriptor", []string{string(value)})
	return c.Modify(m)
}

func TestTheDescriptorIsReturnedOnlyWhenAskedFor(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	admin, alice := asAdministrator(t, dc), connectAs(t, dc, "alice@corp.example", oldPassword)
	for name, c := range map[string]struct {
		conn       *ldap.Conn
		parts      int
		attributes []string
		want       bool
	}{
		"among all":                     {admin, 0, nil, false},
		"beside *, with the control":    {admin, daclPart, []string{"*"}, true},
		"by name":                       {admin, 0, []string{"nTSecurityDescriptor"}, true},
		"by a user, who sees no SACL":   {alice, 0, []string{"nTSecurityDescriptor"}, false},
		"by a user, of the DACL":        {alice, daclPart, []string{"nTSecurityDescriptor"}, true},
		"by a user, of all by control":  {alice, allParts, []string{"nTSecurityDescriptor"}, false},
		"by a user, beside * by itself": {alice, 0, []string{"*"}, false},
	} {
		e := readBase(t, c.conn, dc.AdminDN(), sdFlags(c.parts), c.attributes...)
		if got := len(e.GetRawAttributeValue("nTSecurityDescriptor")) > 0; got != c.want {
			t.Errorf("%s: returned: %t", name, got)
		}
	}
}

// "User cannot change password" is the two ACEs that the console for users writes, whoever writes them.
func TestCannotChangeIsTwoDenials(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice", CannotChange: true}, fakead.User{SAM: "bob"})
	admin := asAdministrator(t, dc)
	if got := sddlOf(t, admin, dc, dnOf(t, dc, "alice"), daclPart); !strings.HasPrefix(got, "D:AI"+denialToSelf+denialToAll+"(") {
		t.Errorf("alice's DACL begins otherwise: %.200s", got)
	}
	if err := dc.SetCannotChange("alice", false); err != nil {
		t.Fatal(err)
	}
	if got := sddlOf(t, admin, dc, dnOf(t, dc, "alice"), daclPart); strings.Contains(got, "OD;") {
		t.Errorf("alice's DACL still denies: %.200s", got)
	}
	if stateOf(t, dc, "alice").CannotChange {
		t.Error("alice still cannot change the password")
	}
	bob := dnOf(t, dc, "bob")
	dacl := sddlOf(t, admin, dc, bob, daclPart)
	expect(t, "denials", writeSDDL(t, admin, dc, bob, daclPart, "D:"+denialToSelf+denialToAll+strings.TrimPrefix(dacl, "D:AI")), 0, "")
	if !stateOf(t, dc, "bob").CannotChange {
		t.Error("bob can change the password")
	}
	for _, who := range []string{"bob@corp.example", dc.AdminDN()} {
		password := oldPassword
		if who == dc.AdminDN() {
			password = dc.AdminPassword()
		}
		expect(t, who+" changes bob's", connectAs(t, dc, who, password).Modify(changeRequest(bob, oldPassword, newPassword)), 19, "00000005: AtrErr: ")
	}
	expect(t, "reset", admin.Modify(resetRequest(bob, newPassword)), 0, "")
}

// What Delegate gives is what one finds on the head of the domain and, inherited, on its users.
func TestDelegatedRightsAreACEs(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "svc"})
	if err := dc.Delegate("svc", fakead.Rights{ResetPassword: true}); err != nil {
		t.Fatal(err)
	}
	admin := asAdministrator(t, dc)
	svc := tree.SID(readBase(t, admin, dnOf(t, dc, "svc"), nil, "objectSid").GetRawAttributeValue("objectSid")).String()
	inherited := "(OA;CIID;CR;" + guidReset + ";" + guidUser + ";" + svc + ")"
	if got := sddlOf(t, admin, dc, dc.BaseDN(), daclPart); !strings.Contains(got, "(OA;CIIO;CR;"+guidReset+";"+guidUser+";"+svc+")") || !strings.Contains(got, "(OD;;CR;ccc2dc7d-") {
		t.Errorf("the head's DACL is %s", got)
	}
	if got := sddlOf(t, admin, dc, dnOf(t, dc, "alice"), daclPart); !strings.Contains(got, inherited) {
		t.Errorf("alice's DACL is %s", got)
	}
	if err := dc.Delegate("svc", fakead.Rights{Unexpire: true}); err != nil {
		t.Fatal(err)
	}
	if got := sddlOf(t, admin, dc, dnOf(t, dc, "alice"), daclPart); strings.Contains(got, svc) {
		t.Errorf("alice's DACL still is %s", got)
	}
	if got := sddlOf(t, admin, dc, dc.BaseDN(), daclPart); strings.Count(got, svc) != 1 {
		t.Errorf("the head's DACL still is %s", got)
	}
}

// AdminSDHolder's pass takes whoever joins a group of administrators out of inheritance, and nobody back in.
func TestAdminSDHolderPassesEveryHour(t *testing.T) {
	now := clock.NewRunning()
	dc := fakead.RunT(t, fakead.Options{Clock: now})
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "svc"})
	if err := dc.AddGroup(fakead.Group{SAM: "ops", Members: []string{"alice"}}); err != nil {
		t.Fatal(err)
	}
	if err := dc.Delegate("svc", fakead.Rights{ResetPassword: true, Unexpire: true}); err != nil {
		t.Fatal(err)
	}
	admin, svc, alice := asAdministrator(t, dc), connectAs(t, dc, "svc@corp.example", oldPassword), dnOf(t, dc, "alice")
	member := func(op func(*ldap.ModifyRequest, string, []string)) {
		t.Helper()
		m := ldap.NewModifyRequest("CN=Account Operators,CN=Builtin,"+dc.BaseDN(), nil)
		op(m, "member", []string{"CN=ops,CN=Users," + dc.BaseDN()})
		expect(t, "membership", admin.Modify(m), 0, "")
	}
	member((*ldap.ModifyRequest).Add)
	expect(t, "before the pass", svc.Modify(resetRequest(alice, newPassword)), 0, "")
	now.Advance(time.Hour + time.Minute)
	expect(t, "after it", svc.Modify(resetRequest(alice, newPassword)), 50, textNoResetRight)
	if got, want := sddlOf(t, admin, dc, alice, daclPart), sddlOf(t, admin, dc, holder+dc.BaseDN(), daclPart); got != want {
		t.Errorf("alice's DACL is not AdminSDHolder's:\n%s\n%s", got, want)
	}
	member((*ldap.ModifyRequest).Delete)
	now.Advance(2 * time.Hour)
	if !stateOf(t, dc, "alice").Protected {
		t.Error("adminCount went when the membership did")
	}
	expect(t, "after the membership", svc.Modify(resetRequest(alice, newPassword)), 50, textNoResetRight)
	expect(t, "inheritance again", writeSDDL(t, admin, dc, alice, daclPart, "D:(A;;GA;;;DA)"), 0, "")
	expect(t, "a reset by inheritance", svc.Modify(resetRequest(alice, newPassword)), 0, "")
}

// dSHeuristics leaves the groups of operators out of the protection, by the bits of its sixteenth character.
func TestOperatorsLeftOutOfAdminSDHolder(t *testing.T) {
	now := clock.NewRunning()
	dc := fakead.RunT(t, fakead.Options{Clock: now})
	service := "CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration," + dc.BaseDN()
	expect(t, "dSHeuristics", asAdministrator(t, dc).Modify(replaceRequest(service, "", "dSHeuristics", "0000000001000001")), 0, "")
	seed(t, dc, fakead.User{SAM: "accounts", Groups: []string{"Account Operators"}}, fakead.User{SAM: "backups", Groups: []string{"Backup Operators"}})
	now.Advance(2 * time.Hour)
	if stateOf(t, dc, "accounts").Protected || !stateOf(t, dc, "backups").Protected {
		t.Error("0000000001000001 leaves out others than Account Operators")
	}
}

// What AdminSDHolder says is what the protected have after the next pass.
func TestAChangedAdminSDHolder(t *testing.T) {
	now := clock.NewRunning()
	dc := fakead.RunT(t, fakead.Options{Clock: now})
	seed(t, dc, fakead.User{SAM: "boss", Groups: []string{"Domain Admins"}}, fakead.User{SAM: "svc"})
	admin, svc := asAdministrator(t, dc), connectAs(t, dc, "svc@corp.example", oldPassword)
	reset := func() error { return svc.Modify(resetRequest(dnOf(t, dc, "boss"), newPassword)) }
	dacl := strings.TrimPrefix(sddlOf(t, admin, dc, holder+dc.BaseDN(), daclPart), "D:PAI")
	expect(t, "AdminSDHolder", writeSDDL(t, admin, dc, holder+dc.BaseDN(), daclPart, "D:P(OA;;CR;"+guidReset+";;AU)"+dacl), 0, "")
	expect(t, "before the pass", reset(), 50, textNoResetRight)
	now.Advance(time.Hour + time.Minute)
	expect(t, "after it", reset(), 0, "")
}

// A connection keeps the groups that its account had when it was bound.
func TestGroupsCountFromTheBindOn(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "helper"})
	if err := dc.AddGroup(fakead.Group{SAM: "helpdesk"}); err != nil {
		t.Fatal(err)
	}
	if err := dc.Delegate("helpdesk", fakead.Rights{ResetPassword: true, Unexpire: true}); err != nil {
		t.Fatal(err)
	}
	reset := resetRequest(dnOf(t, dc, "alice"), newPassword)
	c := connectAs(t, dc, "helper@corp.example", oldPassword)
	expect(t, "without the group", c.Modify(reset), 50, textNoResetRight)
	join := ldap.NewModifyRequest("CN=helpdesk,CN=Users,"+dc.BaseDN(), nil)
	join.Add("member", []string{dnOf(t, dc, "helper")})
	expect(t, "join", asAdministrator(t, dc).Modify(join), 0, "")
	expect(t, "joined at meanwhile", c.Modify(reset), 50, textNoResetRight)
	if err := c.Bind("helper@corp.example", oldPassword); err != nil {
		t.Fatal(err)
	}
	expect(t, "bound anew", c.Modify(reset), 0, "")
}

func TestWhatMayBeWrittenIsTold(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "svc"})
	if err := dc.Delegate("svc", fakead.Rights{WritePwdLastSet: true, WriteMarker: marker}); err != nil {
		t.Fatal(err)
	}
	alice := dnOf(t, dc, "alice")
	svc := readBase(t, connectAs(t, dc, "svc@corp.example", oldPassword), alice, nil, "allowedAttributesEffective", "sDRightsEffective")
	if got := svc.GetAttributeValues("allowedAttributesEffective"); len(got) != 2 {
		t.Errorf("svc may write %v", got)
	}
	if got := svc.GetAttributeValue("sDRightsEffective"); got != "0" {
		t.Errorf("svc may write parts %s", got)
	}
	if got := readBase(t, asAdministrator(t, dc), alice, nil, "sDRightsEffective").GetAttributeValue("sDRightsEffective"); got != "15" {
		t.Errorf("Administrator may write parts %s", got)
	}
}

func TestAnAttributeDeniedToWhoMayReadAllElse(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice", DisplayName: "Alice A", Attributes: map[string][]string{"description": {"somebody"}}}, fakead.User{SAM: "svc"})
	alice, displayName := dnOf(t, dc, "alice"), "bf967953-0de6-11d0-a285-00aa003049e2"
	expect(t, "deny", writeSDDL(t, asAdministrator(t, dc), dc, alice, daclPart, "D:PAI(OD;;RP;"+displayName+";;AU)(A;;GA;;;AU)"), 0, "")
	e := readBase(t, connectAs(t, dc, "svc@corp.example", oldPassword), alice, nil, "displayName", "description")
	if e.GetAttributeValue("displayName") != "" || e.GetAttributeValue("description") != "somebody" {
		t.Errorf("read %q and %q, want the second alone", e.GetAttributeValue("displayName"), e.GetAttributeValue("description"))
	}
}

func TestDescriptorsThatAreNone(t *testing.T) {
	dc := fakead.RunT(t)
	admin := asAdministrator(t, dc)
	for name, value := range map[string]string{"text": "nonsense", "empty": "", "cut off": "\x01\x00\x04\x80" + strings.Repeat("\x14\x00\x00\x00", 4)} {
		m := ldap.NewModifyRequest(dc.AdminDN(), nil)
		m.Replace("nTSecurityDescriptor", []string{value})
		expect(t, name, admin.Modify(m), 21, "00000057: LdapErr: ")
		add := ldap.NewAddRequest("OU=x,"+dc.BaseDN(), nil)
		add.Attribute("objectClass", []string{"organizationalUnit"})
		add.Attribute("nTSecurityDescriptor", []string{value})
		expect(t, "add, "+name, admin.Add(add), 21, "00000057: LdapErr: ")
	}
}

package security_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"passback/fakead/security"
	"passback/fakead/tree"
)

var domain = tree.MustParseSID("S-1-5-21-1-2-3")

const (
	resetPassword = "00299570-246d-11d0-a768-00aa006e0529"
	userClass     = "bf967aba-0de6-11d0-a285-00aa003049e2"
	groupClass    = "bf967a9c-0de6-11d0-a285-00aa003049e2"
	pwdLastSet    = "bf967a0a-0de6-11d0-a285-00aa003049e2"
	restrictions  = "4c164200-20c0-11d0-a768-00aa006e0529" // the property set that pwdLastSet is in
)

func sddl(t testing.TB, text string) *security.Descriptor {
	t.Helper()
	d, err := security.ParseSDDL(text, domain)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

func guid(t testing.TB, text string) tree.GUID {
	t.Helper()
	g, err := tree.ParseGUID(text)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// What is written in the one form is read back in the other, as it was.
func TestFormsSayTheSame(t *testing.T) {
	for _, text := range []string{
		"",
		"O:DAG:DA",
		"O:S-1-5-21-9-8-7-1104G:BAD:",
		"O:BAG:SYD:PAI(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;SY)(D;OICINPIOID;RP;;;PS)",
		"D:AI(OA;CIIOID;RP;" + restrictions + ";" + userClass + ";RU)(OD;;CR;" + resetPassword + ";;WD)(OA;CI;LCRPLORC;;" + userClass + ";AU)",
		"D:ARS:PARAI(AU;SAFA;WDWO;;;WD)(OU;CISA;WP;" + restrictions + ";;WD)",
		"D:(A;;GAGXGWGR;;;CO)(A;;0x1000001;;;S-1-5-32-999)(A;;;;;AN)",
	} {
		d := sddl(t, text)
		if got := d.SDDL(domain); got != text {
			t.Errorf("%s: written back as %s", text, got)
		}
		b, err := d.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := security.Parse(b)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := back.SDDL(domain); got != text {
			t.Errorf("%s: in the binary form it is %s", text, got)
		}
	}
}

// The layout of MS-DTYP 2.4.6, put together by hand: one ACE, the owner behind the DACL.
func TestBinaryForm(t *testing.T) {
	b, err := hex.DecodeString("01000484" + // revision, self-relative, DACL present, auto-inherited
		"30000000" + "00000000" + "00000000" + "14000000" + // owner at 48, no group, no SACL, DACL at 20
		"04001c0001000000" + // an ACL of 28 bytes with one ACE, as a directory writes it
		"0112140000010000" + "010100000000000100000000" + // deny, CI and ID, 20 bytes, CR, Everyone
		"01010000000000050a000000") // Self
	if err != nil {
		t.Fatal(err)
	}
	d, err := security.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := d.String(), "O:PSD:AI(D;CIID;CR;;;WD)"; got != want {
		t.Errorf("read as %s, not %s", got, want)
	}
}

func TestMalformed(t *testing.T) {
	whole, err := sddl(t, "O:DAG:DAD:(OA;;CR;"+resetPassword+";;AU)S:(AU;SA;RP;;;WD)").Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := security.Parse(whole[:n]); !errors.Is(err, security.ErrDescriptor) {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	for _, text := range []string{
		"X:", "O:", "O:XX", "O:DAO:DA", "D:(A;;RP;;;AU", "D:(A;;RP;;AU)", "D:(Z;;RP;;;AU)", "D:(A;ZZ;RP;;;AU)", "D:(A;;ZZ;;;AU)",
		"D:(OA;;RP;1234;;AU)", "D:(A;;RP;" + userClass + ";;AU)", "D:(A;;0xfffffffff;;;AU)", "D:(XA;;RP;;;AU)", "D(A;;RP;;;AU)", "O:S-1-x",
	} {
		if _, err := security.ParseSDDL(text, domain); !errors.Is(err, security.ErrDescriptor) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := security.ParseSDDL("O:DA", ""); !errors.Is(err, security.ErrDescriptor) {
		t.Errorf("DA of no domain: %v", err)
	}
	large := sddl(t, "D:"+strings.Repeat("(A;;RP;;;AU)", 4000))
	if _, err := large.Marshal(); !errors.Is(err, security.ErrDescriptor) {
		t.Errorf("a DACL of 80 KB: %v", err)
	}
}

func TestAccess(t *testing.T) {
	alice, helpdesk := domain.WithRID(1104), domain.WithRID(1105)
	caller := security.NewToken(alice, helpdesk)
	attribute := []tree.GUID{guid(t, userClass), guid(t, restrictions), guid(t, pwdLastSet)}
	reset := []tree.GUID{guid(t, userClass), guid(t, resetPassword)}
	const me, mine = "S-1-5-21-1-2-3-1104", "S-1-5-21-1-2-3-1105"
	for name, c := range map[string]struct {
		sddl    string
		self    bool
		want    security.Mask
		types   []tree.GUID
		granted bool
	}{
		"no DACL":                         {"O:DA", false, security.Delete, nil, true},
		"an empty DACL":                   {"O:DAD:", false, security.ReadProperty, nil, false},
		"everyone":                        {"O:DAD:(A;;RP;;;WD)", false, security.ReadProperty, attribute, true},
		"authenticated users":             {"O:DAD:(A;;RP;;;AU)", false, security.ReadProperty, attribute, true},
		"a group":                         {"O:DAD:(A;;RP;;;" + mine + ")", false, security.ReadProperty, attribute, true},
		"another group":                   {"O:DAD:(A;;RP;;;DA)", false, security.ReadProperty, attribute, false},
		"an attribute":                    {"O:DAD:(OA;;WP;" + pwdLastSet + ";;AU)", false, security.WriteProperty, attribute, true},
		"its property set":                {"O:DAD:(OA;;WP;" + restrictions + ";;AU)", false, security.WriteProperty, attribute, true},
		"the class of the object":         {"O:DAD:(OA;;WP;" + userClass + ";;AU)", false, security.WriteProperty, attribute, true},
		"another attribute":               {"O:DAD:(OA;;WP;" + pwdLastSet + ";;AU)", false, security.WriteProperty, reset, false},
		"one attribute is not all":        {"O:DAD:(OA;;WP;" + pwdLastSet + ";;AU)", false, security.WriteProperty, nil, false},
		"an extended right":               {"O:DAD:(OA;;CR;" + resetPassword + ";;AU)", false, security.ControlAccess, reset, true},
		"all extended rights":             {"O:DAD:(A;;CR;;;AU)", false, security.ControlAccess, reset, true},
		"deny before allow":               {"O:DAD:(OD;;CR;" + resetPassword + ";;WD)(A;;CR;;;AU)", false, security.ControlAccess, reset, false},
		"allow before deny":               {"O:DAD:(A;;CR;;;AU)(OD;;CR;" + resetPassword + ";;WD)", false, security.ControlAccess, reset, true},
		"denied to others":                {"O:DAD:(OD;;CR;" + resetPassword + ";;DA)(A;;CR;;;AU)", false, security.ControlAccess, reset, true},
		"denied of another kind":          {"O:DAD:(OD;;CR;" + pwdLastSet + ";;WD)(A;;CR;;;AU)", false, security.ControlAccess, reset, true},
		"deny of one of two rights":       {"O:DAD:(D;;WP;;;AU)(A;;RPWP;;;AU)", false, security.ReadProperty | security.WriteProperty, attribute, false},
		"two ACEs together":               {"O:DAD:(A;;RP;;;AU)(OA;;WP;" + pwdLastSet + ";;AU)", false, security.ReadProperty | security.WriteProperty, attribute, true},
		"only for children":               {"O:DAD:(A;CIIO;RP;;;AU)", false, security.ReadProperty, attribute, false},
		"self, of the caller":             {"O:DAD:(A;;RP;;;PS)", true, security.ReadProperty, attribute, true},
		"self, of another":                {"O:DAD:(A;;RP;;;PS)", false, security.ReadProperty, attribute, false},
		"the owner":                       {"O:" + me + "D:", false, security.ReadControl | security.WriteDAC, nil, true},
		"the owner, beyond":               {"O:" + me + "D:", false, security.WriteOwner, nil, false},
		"the owner, denied":               {"O:" + me + "D:(D;;WD;;;WD)", false, security.WriteDAC, nil, true},
		"the owner by group":              {"O:" + mine + "D:", false, security.WriteDAC, nil, true},
		"owner rights":                    {"O:" + me + "D:(A;;RC;;;OW)", false, security.WriteDAC, nil, false},
		"owner rights of another's":       {"O:DAD:(A;;RC;;;OW)", false, security.ReadControl, nil, false},
		"generic":                         {"O:DAD:(A;;GR;;;AU)", false, security.ReadProperty | security.ListContents | security.ReadControl, attribute, true},
		"generic all":                     {"O:DAD:(A;;GA;;;AU)", false, security.FullControl, nil, true},
		"audit grants nothing":            {"O:DAD:(AU;SA;RP;;;AU)", false, security.ReadProperty, nil, false},
		"a SACL is for administrators":    {"O:DAD:(A;;GA;;;AU)", false, security.AccessSystem, nil, false},
		"a class of children":             {"O:DAD:(OA;;CC;" + userClass + ";;AU)", false, security.CreateChild, []tree.GUID{guid(t, userClass)}, true},
		"another class of children":       {"O:DAD:(OA;;CC;" + userClass + ";;AU)", false, security.CreateChild, []tree.GUID{guid(t, groupClass)}, false},
		"a deny below does not hide more": {"O:DAD:(OD;;RP;" + pwdLastSet + ";;WD)(A;;RP;;;AU)", false, security.ReadProperty, reset, true},
	} {
		if got := caller.To(sddl(t, c.sddl), c.self).Has(c.want, c.types...); got != c.granted {
			t.Errorf("%s: %s: granted: %t", name, c.sddl, got)
		}
	}
	administrator := security.NewToken(alice, security.Administrators)
	if !administrator.To(sddl(t, "O:SYD:"), false).Has(security.AccessSystem | security.WriteOwner) {
		t.Error("an administrator cannot take ownership of what grants nothing")
	}
}

func TestInheritance(t *testing.T) {
	maker := security.Maker{Owner: domain.WithRID(1104), Group: domain.WithRID(513)}
	for name, c := range map[string]struct{ parent, explicit, class, want string }{
		"nothing to inherit":                    {"D:(A;;RP;;;AU)", "D:(A;;GA;;;DA)", userClass, "O:S-1-5-21-1-2-3-1104G:DUD:AI(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;DA)"},
		"behind what is its own":                {"D:(A;CI;LC;;;RU)", "O:DAG:DAD:(A;;RP;;;AU)", userClass, "O:DAG:DAD:AI(A;;RP;;;AU)(A;CIID;LC;;;RU)"},
		"by its class":                          {"D:(OA;CIIO;CR;" + resetPassword + ";" + userClass + ";AU)", "O:DAG:DAD:", userClass, "O:DAG:DAD:AI(OA;CIID;CR;" + resetPassword + ";" + userClass + ";AU)"},
		"by another class":                      {"D:(OA;CIIO;CR;" + resetPassword + ";" + userClass + ";AU)", "O:DAG:DAD:", groupClass, "O:DAG:DAD:AI(OA;CIIOID;CR;" + resetPassword + ";" + userClass + ";AU)"},
		"not propagated":                        {"D:(A;CINP;RP;;;AU)", "O:DAG:DAD:", userClass, "O:DAG:DAD:AI(A;ID;RP;;;AU)"},
		"not propagated further":                {"D:(OA;CINPIO;RP;;" + groupClass + ";AU)", "O:DAG:DAD:", userClass, "O:DAG:DAD:AI"},
		"blocked":                               {"D:(A;CI;RP;;;AU)", "O:DAG:DAD:P(A;;LC;;;AU)", userClass, "O:DAG:DAD:PAI(A;;LC;;;AU)"},
		"blocked, what was inherited stays":     {"D:(A;CI;RP;;;AU)", "O:DAG:DAD:P(A;CIID;RP;;;WD)", userClass, "O:DAG:DAD:PAI(A;CI;RP;;;WD)"},
		"what claims to be inherited is not":    {"D:(A;CI;RP;;;AU)", "O:DAG:DAD:(A;CIID;GA;;;WD)", userClass, "O:DAG:DAD:AI(A;CIID;RP;;;AU)"},
		"the creator becomes the owner":         {"D:(A;CI;RP;;;CO)", "D:", userClass, "O:S-1-5-21-1-2-3-1104G:DUD:AI(A;ID;RP;;;S-1-5-21-1-2-3-1104)(A;CIIOID;RP;;;CO)"},
		"the creator in an ACE of its own":      {"D:", "O:DAG:DAD:(A;;RP;;;CO)(A;;LC;;;CG)", userClass, "O:DAG:DAD:AI(A;;RP;;;DA)(A;;LC;;;DA)"},
		"generic rights of an inheritable ACE":  {"D:", "O:DAG:DAD:(A;CI;GX;;;AU)", userClass, "O:DAG:DAD:AI(A;;LCRC;;;AU)(A;CIIO;GX;;;AU)"},
		"denials come first":                    {"D:(D;CI;WP;;;AU)", "O:DAG:DAD:(A;;RP;;;AU)(OD;;CR;" + resetPassword + ";;WD)", userClass, "O:DAG:DAD:AI(OD;;CR;" + resetPassword + ";;WD)(A;;RP;;;AU)(D;CIID;WP;;;AU)"},
		"a SACL too":                            {"S:(AU;CISA;WP;;;WD)", "O:DAG:DAD:", userClass, "O:DAG:DAD:AIS:AI(AU;CIIDSA;WP;;;WD)"},
		"inherited by files only, handed down":  {"D:(A;OI;RP;;;AU)", "O:DAG:DAD:", userClass, "O:DAG:DAD:AI(A;OIIOID;RP;;;AU)"},
		"the head of a naming context has none": {"", "O:BAG:BAD:(A;CI;LC;;;RU)", userClass, "O:BAG:BAD:AI(A;CI;LC;;;RU)"},
	} {
		var parent *security.Descriptor
		if c.parent != "" {
			parent = sddl(t, c.parent)
		}
		made := security.New(parent, sddl(t, c.explicit), guid(t, c.class), maker)
		if got := made.SDDL(domain); got != c.want {
			t.Errorf("%s:\n%s, not\n%s", name, got, c.want)
		}
		if again := made.Inherit(parent, guid(t, c.class)); again != made {
			t.Errorf("%s: inheriting again gives %s", name, again.SDDL(domain))
		}
	}
}

func TestParts(t *testing.T) {
	d := sddl(t, "O:DAG:DUD:PAI(A;;RP;;;AU)S:AI(AU;SA;WP;;;WD)")
	other := sddl(t, "O:BAG:SYD:AI(A;;LC;;;WD)S:P")
	for _, c := range []struct {
		parts      security.Parts
		only, with string
	}{
		{security.PartOwner, "O:DA", "O:BAG:DUD:PAI(A;;RP;;;AU)S:AI(AU;SA;WP;;;WD)"},
		{security.PartGroup, "G:DU", "O:DAG:SYD:PAI(A;;RP;;;AU)S:AI(AU;SA;WP;;;WD)"},
		{security.PartDACL, "D:PAI(A;;RP;;;AU)", "O:DAG:DUD:AI(A;;LC;;;WD)S:AI(AU;SA;WP;;;WD)"},
		{security.PartSACL, "S:AI(AU;SA;WP;;;WD)", "O:DAG:DUD:PAI(A;;RP;;;AU)S:P"},
		{security.AllParts, d.SDDL(domain), other.SDDL(domain)},
	} {
		if got := d.Only(c.parts).SDDL(domain); got != c.only {
			t.Errorf("%d: %s, not %s", c.parts, got, c.only)
		}
		if got := d.With(other, c.parts).SDDL(domain); got != c.with {
			t.Errorf("with %d of another: %s, not %s", c.parts, got, c.with)
		}
	}
}

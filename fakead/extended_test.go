package fakead_test

import (
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

const (
	oidFastBind = "1.2.840.113556.1.4.1781"
	oidRefresh  = "1.3.6.1.4.1.1466.101.119.1"
)

func extended(c *ldap.Conn, oid string, value *ber.Packet) error {
	request := &ldap.ExtendedRequest{Name: oid}
	if value != nil {
		request.Value = ber.NewString(ber.ClassContext, ber.TypePrimitive, 1, string(value.Bytes()), "")
	}
	_, err := c.Extended(request)
	return err
}

func TestEveryExtensionThatIsListedIsKnown(t *testing.T) {
	dc := fakead.RunT(t)
	c := asAdministrator(t, dc)
	for _, oid := range rootDSE(t, c, "supportedExtension").GetAttributeValues("supportedExtension") {
		if err := extended(connect(t, dc), oid, nil); ldap.IsErrorWithCode(err, 2) && oid != oidRefresh { // which lacks its value here
			t.Errorf("%s is answered as unknown", oid)
		}
	}
}

// After a fast bind names and passwords are judged, and nobody is bound.
func TestFastBind(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	expect(t, "on a bound connection", extended(asAdministrator(t, dc), oidFastBind, nil), 53, "00002035: SvcErr: ")

	c := connect(t, dc)
	expect(t, "fast bind", extended(c, oidFastBind, nil), 0, "")
	for range 2 {
		expect(t, "the right password", c.Bind(`CORP\alice`, oldPassword), 0, "")
		expect(t, "the wrong password", c.Bind(`CORP\alice`, "wrong"), 49, "80090308: LdapErr: ")
	}
	expect(t, "the right password", c.Bind(`CORP\alice`, oldPassword), 0, "")
	_, err := c.Search(subtree(base, everything))
	expect(t, "a search after it", err, 1, "000004DC: LdapErr: ")
}

func TestThereIsNothingToRefresh(t *testing.T) {
	dc := fakead.RunT(t)
	c := asAdministrator(t, dc)
	refresh := func(name string) error {
		return extended(c, oidRefresh, sequenceOf(
			ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, name, ""),
			ber.NewInteger(ber.ClassContext, ber.TypePrimitive, 1, 900, "")))
	}
	expect(t, "an entry that does not expire", refresh(dc.AdminDN()), 65, "00002014: UpdErr: ")
	expect(t, "no entry", refresh("CN=nobody,"+base), 32, "0000208D: NameErr: ")
}

// What rootDSE lists is never refused for being critical.
func TestEveryControlThatIsListedIsKnown(t *testing.T) {
	for _, version := range []string{"2012R2", "2016", "2025"} {
		dc := fakead.RunT(t, fakead.Options{OS: version})
		c := asAdministrator(t, dc)
		for _, oid := range rootDSE(t, c, "supportedControl").GetAttributeValues("supportedControl") {
			expect(t, version+", "+oid, c.Del(&ldap.DelRequest{DN: "CN=nobody," + base, Controls: []ldap.Control{noValue(oid)}}), 32, "")
		}
	}
}

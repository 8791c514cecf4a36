package fakead_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

const textNoTLSCredentials = "80090317: LdapErr: DSID-0C090635, comment: The server did not receive any credentials via TLS, data 0, v4f7c\x00"

func clientConfig(dc *fakead.Server, certificates ...tls.Certificate) *tls.Config {
	return &tls.Config{RootCAs: dc.CA().Pool(), ServerName: "localhost", Certificates: certificates}
}

// dialSecured dials LDAPS, or LDAP and StartTLS.
func dialSecured(t *testing.T, dc *fakead.Server, startTLS bool, certificates ...tls.Certificate) *ldap.Conn {
	t.Helper()
	config := clientConfig(dc, certificates...)
	url := map[bool]string{false: dc.LDAPSURL(), true: dc.LDAPURL()}[startTLS]
	c, err := ldap.DialURL(url, ldap.DialWithTLSConfig(config))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if startTLS {
		if err := c.StartTLS(config); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func expectWho(t *testing.T, what string, c *ldap.Conn, want string) {
	t.Helper()
	if who, err := c.WhoAmI(nil); err != nil || who.AuthzID != want {
		t.Errorf("%s: Who am I? got %v %v, want %q", what, who, err, want)
	}
}

func TestLDAPSBindsByItsHandshakeAndStartTLSByEXTERNAL(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice", UPN: "alice@mail.example", MustChange: true})
	certificate, err := dc.CA().IssueClient("Alice@mail.example")
	if err != nil {
		t.Fatal(err)
	}
	ldaps := dialSecured(t, dc, false, certificate)
	expectWho(t, "LDAPS", ldaps, `u:CORP\alice`)
	if _, err := ldaps.Search(&ldap.SearchRequest{BaseDN: dc.BaseDN(), Filter: "(objectClass=*)"}); err != nil {
		t.Errorf("a search by who is bound by a certificate: %v", err)
	}
	expect(t, "EXTERNAL over LDAPS", ldaps.ExternalBind(), 7, textAuthMethod)
	expectWho(t, "after it", ldaps, "")

	plain := dialSecured(t, dc, true, certificate)
	expectWho(t, "StartTLS", plain, "")
	expect(t, "EXTERNAL after StartTLS", plain.ExternalBind(), 0, "")
	expectWho(t, "after it", plain, `u:CORP\alice`)
	expect(t, "a simple bind instead", plain.Bind(dc.AdminDN(), dc.AdminPassword()), 0, "")
	expectWho(t, "after it", plain, `u:CORP\Administrator`)
}

func TestWithoutACertificateEXTERNALHasNoCredentials(t *testing.T) {
	dc := fakead.RunT(t)
	for _, startTLS := range []bool{false, true} {
		c := dialSecured(t, dc, startTLS)
		expect(t, "no certificate", c.ExternalBind(), 49, textNoTLSCredentials)
		expect(t, "the connection lives", c.Bind(dc.AdminDN(), dc.AdminPassword()), 0, "")
	}
	clear, err := ldap.DialURL(dc.LDAPURL())
	if err != nil {
		t.Fatal(err)
	}
	defer clear.Close()
	expect(t, "no TLS", clear.ExternalBind(), 49, textNoTLSCredentials)
}

func TestACertificateIsMappedByNameOrByAltSecurityIdentities(t *testing.T) {
	ca := newClientCA(t)
	dc := fakead.RunT(t, fakead.Options{ClientCAs: ca.pool()})
	stranger, ofServer := newClientCA(t), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
	upn := withName(t, altName, upnName, "alice@corp.example")
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "bob"})
	sid := func(name string) string { return sidString(stateOf(t, dc, name).Values("objectSid")[0]) }
	for what, test := range map[string]struct {
		mapping string
		issuer  *clientCA
		change  []func(*x509.Certificate)
		who     string
	}{
		"the name that every account has":    {change: []func(*x509.Certificate){upn}, who: "alice"},
		"nobody's name":                      {change: []func(*x509.Certificate){withName(t, altName, upnName, "eve@corp.example")}},
		"no name":                            {},
		"a group's name":                     {change: []func(*x509.Certificate){withName(t, altName, upnName, "Domain Admins@corp.example")}},
		"its SID too":                        {change: []func(*x509.Certificate){upn, withName(t, sidOfClient, nameOfSID, []byte(sid("alice")))}, who: "alice"},
		"another's SID":                      {change: []func(*x509.Certificate){upn, withName(t, sidOfClient, nameOfSID, []byte(sid("bob")))}},
		"issuer and subject":                 {mapping: "X509:<I>DC=example,CN=Staff CA<S>O=Example,CN=Alice", who: "alice"},
		"subject":                            {mapping: "X509:<S>O=Example,CN=Alice", who: "alice"},
		"another subject":                    {mapping: "X509:<S>CN=Alice,O=Example"},
		"issuer and serial number":           {mapping: "X509:<I>DC=example,CN=Staff CA<SR>ff0201", who: "alice"},
		"serial number in its own order":     {mapping: "X509:<I>DC=example,CN=Staff CA<SR>0102ff"},
		"subject key identifier":             {mapping: "X509:<SKI>" + hex.EncodeToString([]byte{0xab, 0xcd}), who: "alice"},
		"mail address":                       {mapping: "X509:<RFC822>alice@mail.example", change: []func(*x509.Certificate){func(c *x509.Certificate) { c.EmailAddresses = []string{"alice@mail.example"} }}, who: "alice"},
		"of an authority that nobody trusts": {issuer: stranger, change: []func(*x509.Certificate){upn}},
		"for servers":                        {change: []func(*x509.Certificate){upn, ofServer}},
		"expired":                            {change: []func(*x509.Certificate){upn, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }}},
		"names that are no names": {change: []func(*x509.Certificate){func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: altName, Value: []byte{0x30, 0x03, 0xa0, 0x01, 0x06}}}
		}}},
		"a name behind another kind of names": {change: []func(*x509.Certificate){withName(t, altName, nameOfSID, "alice@corp.example")}},
	} {
		var mappings []string
		if test.mapping != "" {
			mappings = []string{test.mapping}
		}
		if err := dc.SetAttribute("alice", "altSecurityIdentities", mappings...); err != nil {
			t.Fatal(err)
		}
		issuer := test.issuer
		if issuer == nil {
			issuer = ca
		}
		certificate := issuer.issue(t, func(c *x509.Certificate) {
			for _, change := range test.change {
				change(c)
			}
		})
		expectCertificate(t, dc, what, certificate, test.who)
	}
}

// expectCertificate connects both ways and says who a certificate has to be of; empty is nobody.
func expectCertificate(t *testing.T, dc *fakead.Server, what string, certificate tls.Certificate, who string) {
	t.Helper()
	code, text, id := uint16(0), "", `u:CORP\`+who
	if who == "" {
		code, text, id = 49, textNoTLSCredentials, ""
	}
	expectWho(t, what+", LDAPS", dialSecured(t, dc, false, certificate), id)
	c := dialSecured(t, dc, true, certificate)
	expect(t, what+", EXTERNAL", c.ExternalBind(), code, text)
	expectWho(t, what+", StartTLS", c, id)
}

func TestACertificateIsOfNoUseToWhoMayNotLogOn(t *testing.T) {
	dc := fakead.RunT(t)
	for _, test := range []struct {
		user fakead.User
		who  string
	}{
		{fakead.User{SAM: "disabled", Disabled: true}, ""},
		{fakead.User{SAM: "locked", Locked: true}, ""},
		{fakead.User{SAM: "account-expired", AccountExpires: dc.Clock().Now().Add(-time.Minute)}, ""},
		{fakead.User{SAM: "hours", Attributes: map[string][]string{"logonHours": {string(make([]byte, 21))}}}, ""},
		{fakead.User{SAM: "elsewhere", Attributes: map[string][]string{"userWorkstations": {"PC7"}}}, ""},
		{fakead.User{SAM: "old-password", PasswordSet: dc.Clock().Now().AddDate(0, 0, -43)}, "old-password"},
		{fakead.User{SAM: "smartcard", SmartcardRequired: true}, "smartcard"},
	} {
		u := test.user
		seed(t, dc, u)
		certificate, err := dc.CA().IssueClient(u.SAM + "@corp.example")
		if err != nil {
			t.Fatal(err)
		}
		counted := stateOf(t, dc, u.SAM).BadPasswords
		expectCertificate(t, dc, u.SAM, certificate, test.who)
		if got := stateOf(t, dc, u.SAM).BadPasswords; got != counted {
			t.Errorf("%s: %d wrong passwords counted, were %d", u.SAM, got, counted)
		}
	}
}

// go-ldap sends no authzId and no mechanism but its own, so these binds are written by hand.
func TestAuthorizationIdentitiesAndMechanisms(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	certificate, err := dc.CA().IssueClient("alice@corp.example")
	if err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		mechanism, credentials string
		code                   int64
	}{
		"itself, as a DN":  {"EXTERNAL", "dn:" + dnOf(t, dc, "alice"), 0},
		"another":          {"EXTERNAL", "dn:" + dc.AdminDN(), 49},
		"no DN":            {"EXTERNAL", "dn:alice", 49},
		"itself, as a uid": {"EXTERNAL", "u:alice@corp.example", 49},
		"GSS-SPNEGO":       {"GSS-SPNEGO", "\x60\x00", 7},
		"GSSAPI":           {"GSSAPI", "", 7},
		"DIGEST-MD5":       {"DIGEST-MD5", "", 7},
		"PLAIN":            {"PLAIN", "\x00alice\x00" + oldPassword, 7},
		"no mechanism":     {"", "", 2},
	} {
		raw := dialRaw(t, dc).startTLS(clientConfig(dc, certificate))
		if got := raw.saslBind(test.mechanism, test.credentials); got != test.code {
			t.Errorf("%s: %d, want %d", what, got, test.code)
		}
		if test.code == 7 {
			if got := raw.saslBind("EXTERNAL", ""); got != 0 {
				t.Errorf("%s: the connection did not survive: %d", what, got)
			}
		}
	}
}

// startTLS goes on under TLS.
func (c rawClient) startTLS(config *tls.Config) rawClient {
	c.t.Helper()
	extended := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ber.Tag(ldap.ApplicationExtendedRequest), nil, "")
	extended.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, "1.3.6.1.4.1.1466.20037", ""))
	c.send(message(1, extended))
	if _, _, code, text := c.receive(); code != 0 {
		c.t.Fatalf("StartTLS: %d %s", code, text)
	}
	return rawClient{c.t, tls.Client(c.Conn, config)}
}

func (c rawClient) saslBind(mechanism, credentials string) (code int64) {
	c.t.Helper()
	sasl := ber.Encode(ber.ClassContext, ber.TypeConstructed, 3, nil, "")
	sasl.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, mechanism, ""))
	sasl.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, credentials, ""))
	bind := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 0, nil, "")
	bind.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, int64(3), ""))
	bind.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	bind.AppendChild(sasl)
	c.send(message(2, bind))
	_, _, code, _ = c.receive()
	return code
}

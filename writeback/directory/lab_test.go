package directory_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// A lab is a domain with an organisational unit of our own in it: the fake one, or, with PASSBACK_DC_URL
// (ldaps://host:port), PASSBACK_DC_CA (PEM file), PASSBACK_DC_ADMIN and PASSBACK_DC_PASSWORD set, a real one that
// may be played with. Everything is seeded by LDAP, so the tests are the same.
type lab struct {
	t       *testing.T
	fake    *fakead.Server // nil: a real one
	address string
	catalog string // of the global catalog, with TLS
	roots   *x509.CertPool
	user    string
	secret  string
	admin   *ldap.Conn
	base    string
	domain  string
	host    string
	vendor  string
	ou      string
}

const initialPassword = "Winter-Morning-41"

var unit atomic.Int64

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t}
	if dc := os.Getenv("PASSBACK_DC_URL"); dc != "" {
		l.real(dc)
	} else {
		l.fake = fakead.RunT(t, fakead.Options{GlobalCatalog: true})
		l.address, l.roots = strings.TrimPrefix(l.fake.LDAPSURL(), "ldaps://"), l.fake.CA().Pool()
		l.catalog = strings.TrimPrefix(l.fake.GCSURL(), "ldaps://")
		l.user, l.secret = l.fake.AdminDN(), l.fake.AdminPassword()
	}
	var err error
	l.admin, err = ldap.DialURL("ldaps://"+l.address, ldap.DialWithTLSConfig(&tls.Config{RootCAs: l.roots, ServerName: hostOf(l.address)}))
	l.must(err)
	t.Cleanup(func() { _ = l.admin.Close() })
	root, err := l.admin.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"*"}, nil))
	l.must(err)
	l.base = root.Entries[0].GetEqualFoldAttributeValue("defaultNamingContext")
	l.host = strings.ToLower(root.Entries[0].GetEqualFoldAttributeValue("dnsHostName"))
	l.vendor = root.Entries[0].GetEqualFoldAttributeValue("vendorName")
	_, l.domain, _ = strings.Cut(l.host, ".")
	l.must(l.admin.Bind(l.user, l.secret))
	l.ou = fmt.Sprintf("OU=agenttests-%d-%d,%s", os.Getpid(), unit.Add(1), l.base)
	add := ldap.NewAddRequest(l.ou, nil)
	add.Attribute("objectClass", []string{"organizationalUnit"})
	l.must(l.admin.Add(add))
	t.Cleanup(l.clean)
	return l
}

func (l *lab) real(dc string) {
	u, err := url.Parse(dc)
	l.must(err)
	pem, err := os.ReadFile(os.Getenv("PASSBACK_DC_CA"))
	l.must(err)
	l.roots = x509.NewCertPool()
	l.roots.AppendCertsFromPEM(pem)
	l.catalog = net.JoinHostPort(u.Hostname(), "3269")
	l.address, l.user, l.secret = u.Host, os.Getenv("PASSBACK_DC_ADMIN"), os.Getenv("PASSBACK_DC_PASSWORD")
}

func (l *lab) clean() {
	found, err := l.admin.Search(ldap.NewSearchRequest(l.ou, ldap.ScopeSingleLevel, 0, 0, 0, false, "(objectClass=*)", []string{"1.1"}, nil))
	if err == nil {
		for _, e := range found.Entries {
			_ = l.admin.Del(ldap.NewDelRequest(e.DN, nil))
		}
	}
	_ = l.admin.Del(ldap.NewDelRequest(l.ou, nil))
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// open connects as an agent would.
func (l *lab) open(change ...func(*directory.Options)) *directory.Domain {
	l.t.Helper()
	o := directory.Options{Domain: l.domain, Servers: []string{l.address}, Roots: l.roots, User: l.user, Password: protocol.NewSecret(l.secret)}
	for _, c := range change {
		c(&o)
	}
	d, err := directory.New(o)
	l.must(err)
	l.t.Cleanup(d.Close)
	return d
}

// connect returns a connection to the lab's controller.
func (l *lab) connect(d *directory.Domain) *directory.Conn {
	l.t.Helper()
	c, err := d.Open(l.t.Context(), l.host)
	l.must(err)
	l.t.Cleanup(c.Release)
	return c
}

// addUser seeds an enabled account and returns its DN and objectGUID.
func (l *lab) addUser(sam string, attributes map[string][]string) (dn string, guid []byte) {
	l.t.Helper()
	dn = fmt.Sprintf("CN=%s,%s", sam, l.ou)
	add := ldap.NewAddRequest(dn, nil)
	add.Attribute("objectClass", []string{"user"})
	add.Attribute("sAMAccountName", []string{sam})
	add.Attribute("unicodePwd", []string{quoted(initialPassword)})
	if attributes["userAccountControl"] == nil {
		add.Attribute("userAccountControl", []string{"512"})
	}
	for name, values := range attributes {
		add.Attribute(name, values)
	}
	l.must(l.admin.Add(add))
	return dn, []byte(l.read(dn, "objectGUID")[0])
}

func (l *lab) read(dn, attribute string) []string {
	l.t.Helper()
	found, err := l.admin.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{attribute}, nil))
	l.must(err)
	return found.Entries[0].GetEqualFoldAttributeValues(attribute)
}

func (l *lab) replace(dn, attribute string, values ...string) {
	l.t.Helper()
	req := ldap.NewModifyRequest(dn, nil)
	req.Replace(attribute, values)
	l.must(l.admin.Modify(req))
}

// binds reports whether the account's password is p.
func (l *lab) binds(dn, p string) bool {
	l.t.Helper()
	c, err := ldap.DialURL("ldaps://"+l.address, ldap.DialWithTLSConfig(&tls.Config{RootCAs: l.roots, ServerName: hostOf(l.address)}))
	l.must(err)
	defer c.Close()
	return c.Bind(dn, p) == nil
}

func hostOf(address string) string {
	host, _, _ := net.SplitHostPort(address)
	return host
}

func quoted(p string) string {
	var b strings.Builder
	for _, r := range `"` + p + `"` {
		b.WriteByte(byte(r))
		b.WriteByte(0)
	}
	return b.String()
}

func (l *lab) find(c *directory.Conn, guid []byte) directory.User {
	l.t.Helper()
	users, err := c.Find(l.t.Context(), guid)
	l.must(err)
	if len(users) != 1 {
		l.t.Fatalf("found %d accounts, want 1", len(users))
	}
	return users[0]
}

// described finds an account with all that its policy asks for.
func (l *lab) described(c *directory.Conn, guid []byte) directory.User {
	l.t.Helper()
	u := l.find(c, guid)
	l.must(c.Describe(l.t.Context(), &u))
	return u
}

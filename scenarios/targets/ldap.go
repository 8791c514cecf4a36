package targets

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"time"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"

	"passback/scenarios"
	"passback/writeback/protocol"
)

// A domain controller as an administrator reaches it: connections, binds, the encodings of MS-ADTS.

// ldapTimeout bounds each dial and each operation.
const ldapTimeout = 10 * time.Second

// endpoint is where a directory listens, and who may seed it.
type endpoint struct {
	url      string // ldaps://
	roots    *x509.CertPool
	domain   string
	adminDN  string
	password protocol.Secret
}

// address is the endpoint as host:port, and the name that its certificate must cover.
func (e endpoint) address() (hostPort, serverName string, err error) {
	u, err := url.Parse(e.url)
	if err != nil {
		return "", "", fmt.Errorf("directory %q: %w", e.url, err)
	}
	port := u.Port()
	if port == "" {
		port = "636"
	}
	return net.JoinHostPort(u.Hostname(), port), u.Hostname(), nil
}

func (e endpoint) dial() (*ldap.Conn, error) {
	c, err := ldap.DialURL(e.url, ldap.DialWithTLSConfig(&tls.Config{RootCAs: e.roots, MinVersion: tls.VersionTLS12}),
		ldap.DialWithDialer(&net.Dialer{Timeout: ldapTimeout}))
	if err != nil {
		return nil, fmt.Errorf("reach the directory at %s: %w", e.url, err)
	}
	c.SetTimeout(ldapTimeout)
	return c, nil
}

// admin opens a connection bound as the administrator.
func (e endpoint) admin() (*ldap.Conn, error) {
	c, err := e.dial()
	if err != nil {
		return nil, err
	}
	if err := c.Bind(e.adminDN, e.password.Reveal()); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("bind as %s: %w", e.adminDN, err)
	}
	return c, nil
}

// asAdmin runs f on a connection of its own.
func (e endpoint) asAdmin(f func(*ldap.Conn) error) error {
	c, err := e.admin()
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	return f(c)
}

// bindData finds the sub-code in "80090308: LdapErr: ..., comment: AcceptSecurityContext error, data 52e, v4f7c".
var bindData = regexp.MustCompile(`data ([0-9a-f]+)`)

// bind tries a password. The error says that the directory could not be asked.
func (e endpoint) bind(dn string, password protocol.Secret) (scenarios.Bind, error) {
	c, err := e.dial()
	if err != nil {
		return scenarios.Bind{}, err
	}
	defer func() { _ = c.Close() }()
	err = c.Bind(dn, password.Reveal())
	if err == nil {
		return scenarios.Bind{Accepted: true}, nil
	}
	refusal, ok := errors.AsType[*ldap.Error](err)
	if !ok || refusal.ResultCode != ldap.LDAPResultInvalidCredentials {
		return scenarios.Bind{}, fmt.Errorf("bind as %s: %w", dn, err)
	}
	b := scenarios.Bind{}
	if m := bindData.FindStringSubmatch(refusal.Error()); m != nil {
		b.Data = m[1]
	}
	return b, nil
}

// bindInClear tries a password without TLS, and tells whether that alone was refused.
func bindInClear(address, dn string, password protocol.Secret) (signing bool, err error) {
	c, err := ldap.DialURL(address, ldap.DialWithDialer(&net.Dialer{Timeout: ldapTimeout}))
	if err != nil {
		return false, fmt.Errorf("reach the directory at %s: %w", address, err)
	}
	defer func() { _ = c.Close() }()
	c.SetTimeout(ldapTimeout)
	err = c.Bind(dn, password.Reveal())
	if err == nil || ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		return false, nil
	}
	if ldap.IsErrorWithCode(err, ldap.LDAPResultStrongAuthRequired) {
		return true, nil
	}
	return false, fmt.Errorf("bind in clear as %s: %w", dn, err)
}

// read returns one entry; nil if there is none.
func read(c *ldap.Conn, dn string, attributes ...string) (*ldap.Entry, error) {
	found, err := c.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", attributes, nil))
	if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", dn, err)
	}
	if len(found.Entries) == 0 {
		return nil, nil
	}
	return found.Entries[0], nil
}

// quoted is a password as unicodePwd wants it (MS-ADTS 3.1.1.3.1.5.1): quoted, UTF-16LE.
func quoted(password protocol.Secret) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(`"` + password.Reveal() + `"`)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return string(out)
}

// The directory counts 100 ns: instants from 1601, spans as negative numbers.
const windowsEpoch = -11644473600 // in Unix seconds

const never = "-9223372036854775808"

func instant(fileTime int64) time.Time {
	if fileTime <= 0 {
		return time.Time{}
	}
	return time.Unix(windowsEpoch+fileTime/1e7, fileTime%1e7*100).UTC()
}

func span(d time.Duration) string { return fmt.Sprint(-int64(d / 100)) }

// asked runs f unless ctx has ended: go-ldap's calls end by their own timeout.
func asked(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("ask the directory: %w", context.Cause(ctx))
	}
	return f()
}

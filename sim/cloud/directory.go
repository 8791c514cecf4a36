package cloud

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/clock"
	"passback/writeback/protocol"
)

// A Directory is where the tenant's synchronisation reads users, and where sign-ins are checked that the cloud does
// not check itself.
type Directory struct {
	Domain   string          // DNS name
	URL      string          // ldaps://host:port; ldap:// is upgraded by StartTLS
	RootCAs  *x509.CertPool  // default: the system's
	BindUser string          // DN or UPN of an account that may read users and groups
	Password protocol.Secret // of BindUser
	BaseDN   string          // default: the rootDSE's defaultNamingContext

	// Dial opens the connection; default: a TCP dial.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// ldapTimeout bounds each dial and each operation.
const ldapTimeout = 10 * time.Second

// Connect opens an encrypted connection, bound to nobody.
func (d Directory) Connect(ctx context.Context) (*ldap.Conn, error) {
	u, err := url.Parse(d.URL)
	if err != nil || u.Scheme != "ldap" && u.Scheme != "ldaps" || u.Hostname() == "" {
		return nil, fmt.Errorf("directory %q: want ldap://host:port or ldaps://host:port", d.URL)
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), map[string]string{"ldap": "389", "ldaps": "636"}[u.Scheme])
	}
	ctx, cancel := context.WithTimeout(ctx, ldapTimeout)
	defer cancel()
	raw, err := d.dial(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("reach the directory: %w", err)
	}
	config := &tls.Config{RootCAs: d.RootCAs, ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	if u.Scheme == "ldaps" {
		secured := tls.Client(raw, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, fmt.Errorf("TLS with the directory at %s: %w", address, err)
		}
		return started(secured, true), nil
	}
	conn := started(raw, false)
	if err := conn.StartTLS(config); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("StartTLS with the directory at %s: %w", address, err)
	}
	return conn, nil
}

func (d Directory) dial(ctx context.Context, address string) (net.Conn, error) {
	if d.Dial != nil {
		return d.Dial(ctx, address)
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	return conn, nil
}

func started(c net.Conn, secured bool) *ldap.Conn {
	conn := ldap.NewConn(c, secured)
	conn.SetTimeout(ldapTimeout)
	conn.Start()
	return conn
}

// verdict is what a directory says of a name and a password.
type verdict int

const (
	bound verdict = iota
	wrongPassword
	passwordExpired // right, but to be changed before anything else
	passwordMustChange
	accountLocked
	accountDisabled
	accountBarred // right, but expired or outside of its hours
)

// The sub-codes of Active Directory's refused binds (MS-ADTS: "AcceptSecurityContext error, data 52e").
var bindData = regexp.MustCompile(`data ([0-9a-f]+)`)

var verdicts = map[string]verdict{
	"530": accountBarred, "531": accountBarred, "532": passwordExpired, "533": accountDisabled,
	"701": accountBarred, "773": passwordMustChange, "775": accountLocked,
}

// check binds as dn. The error says that the directory could not be asked.
func (d Directory) check(ctx context.Context, dn string, password protocol.Secret) (verdict, error) {
	if password.Empty() {
		return wrongPassword, nil // LDAP would take it for an anonymous bind (RFC 4513 section 5.1.2)
	}
	conn, err := d.Connect(ctx)
	if err != nil {
		return wrongPassword, err
	}
	defer func() { _ = conn.Close() }()
	err = conn.Bind(dn, password.Reveal())
	if err == nil {
		return bound, nil
	}
	if refusal, ok := errors.AsType[*ldap.Error](err); ok && refusal.ResultCode == ldap.LDAPResultInvalidCredentials {
		if m := bindData.FindStringSubmatch(refusal.Error()); m != nil {
			if v, known := verdicts[m[1]]; known {
				return v, nil
			}
		}
		return wrongPassword, nil
	}
	return wrongPassword, fmt.Errorf("ask the directory: %w", err)
}

// directory of a domain; nil for a domain that the tenant does not synchronise.
func (t *Tenant) directory(domain string) *Directory {
	for i := range t.directories {
		if t.directories[i].Domain == domain {
			return &t.directories[i]
		}
	}
	return nil
}

// passed waits on wire time.
func passed(ctx context.Context, d time.Duration) { _ = clock.Sleep(ctx, clock.Real(), d) }

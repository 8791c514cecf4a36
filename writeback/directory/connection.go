package directory

// Connections: dialled, bound, pooled, and checked before each use. LDAPS and StartTLS (RFC 4511 4.14), MS-ADTS
// 3.1.1.3.2 (rootDSE, readable before a bind: nobody gets the password who does not say that it serves the domain).

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/clock"
)

// A Conn is one bound connection to one domain controller, for one caller at a time.
type Conn struct {
	domain  *Domain
	address string
	wire    *wire
	ldap    *ldap.Conn
	root    rootDSE
	token   Token     // of the bind account; nil: not asked for yet
	broken  bool      // by a lost result: never used again
	since   time.Time // idle
}

// errReadOnly is a controller that takes no writes, but refers to one that does.
var errReadOnly = errors.New("it is a read-only controller")

// Open returns a connection to the writable controller whose dnsHostName is dc. Release it, or Reset it.
// Its errors are Unreachable or BindRefused: nothing was sent.
func (d *Domain) Open(ctx context.Context, dc string) (*Conn, error) {
	dc = strings.ToLower(dc)
	address, err := d.addressOf(ctx, dc)
	if err != nil {
		return nil, err
	}
	c, err := d.openAddress(ctx, address)
	if err != nil {
		return nil, err
	}
	if c.root.host != dc {
		c.Release()
		d.forget(dc)
		return nil, unreachable(dc, fmt.Errorf("%s is now %s", address, c.root.host))
	}
	if c.root.readOnly {
		c.Release()
		return nil, unreachable(dc, errReadOnly)
	}
	return c, nil
}

// openAddress takes an idle connection that still answers, or dials.
func (d *Domain) openAddress(ctx context.Context, address string) (*Conn, error) {
	for c := d.takeIdle(address); c != nil; c = d.takeIdle(address) {
		if c.probe(ctx) {
			return c, nil
		}
		c.Reset()
	}
	if err := d.bindRefused(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := d.dial(ctx, address)
	d.missed(address, err != nil)
	if err != nil {
		return nil, unreachable(address, err)
	}
	if err := d.bind(ctx, c); err != nil {
		c.Reset()
		return nil, err
	}
	d.mu.Lock()
	d.known[c.root.host] = address
	d.mu.Unlock()
	return c, nil
}

func (d *Domain) dial(ctx context.Context, address string) (*Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", address, err)
	}
	connecting, cancel := context.WithTimeout(ctx, connectTimeout)
	raw, err := d.o.Dial(connecting, "tcp", address)
	cancel()
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	c := &Conn{domain: d, address: address, wire: &wire{Conn: raw, timeout: d.o.Timeout}}
	stop := context.AfterFunc(ctx, c.wire.reset)
	defer stop()
	if err := c.secure(ctx, &tls.Config{ServerName: host, RootCAs: d.o.Roots, MinVersion: tls.VersionTLS12}); err != nil {
		c.wire.reset()
		return nil, err
	}
	c.ldap.SetTimeout(d.o.Timeout)
	if c.root, err = c.readRootDSE(); err != nil {
		c.Reset()
		return nil, err
	}
	if !strings.EqualFold(c.root.domain, d.head) {
		c.Reset()
		return nil, fmt.Errorf("it serves %s, not %s", c.root.domain, d.head)
	}
	return c, nil
}

// secure puts LDAP into TLS, or TLS into LDAP. Nothing was sent before but the request for StartTLS.
func (c *Conn) secure(ctx context.Context, config *tls.Config) error {
	if c.domain.o.StartTLS {
		c.ldap = ldap.NewConn(c.wire, false)
		c.ldap.SetTimeout(c.domain.o.Timeout)
		c.ldap.Start()
		if err := c.ldap.StartTLS(config); err != nil {
			return fmt.Errorf("StartTLS: %w", errors.Join(err, context.Cause(ctx)))
		}
		return nil
	}
	secure := tls.Client(c.wire, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	c.ldap = ldap.NewConn(secure, true)
	c.ldap.Start()
	return nil
}

// Host is the controller's dnsHostName, in lower case.
func (c *Conn) Host() string { return c.root.host }

// Release gives the connection back. One to a read-only controller is of no further use.
func (c *Conn) Release() {
	if c.broken || c.ldap.IsClosing() {
		c.Reset()
		return
	}
	d := c.domain
	c.since = clock.Real().Now()
	d.mu.Lock()
	keep := !d.closed && !c.root.readOnly && len(d.idle[c.address]) < maxIdle
	if keep {
		d.idle[c.address] = append(d.idle[c.address], c)
	}
	d.mu.Unlock()
	if !keep {
		c.drop()
	}
}

// Reset cuts the connection off, and with it whatever it still held undelivered.
func (c *Conn) Reset() {
	c.broken = true
	c.wire.reset()
	_ = c.ldap.Close() // of a connection that is gone
}

// drop closes the connection in good order.
func (c *Conn) drop() { _ = c.ldap.Close() }

// takeIdle returns the connection used last; older ones are dropped when they lay too long.
func (d *Domain) takeIdle(address string) *Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	oldest := clock.Real().Now().Add(-maxIdleTime)
	d.idle[address] = slices.DeleteFunc(d.idle[address], func(c *Conn) bool {
		if c.since.After(oldest) {
			return false
		}
		go c.drop()
		return true
	})
	last := len(d.idle[address]) - 1
	if last < 0 {
		return nil
	}
	c := d.idle[address][last]
	d.idle[address] = d.idle[address][:last]
	return c
}

// probe reads rootDSE again: a connection whose controller went away must not be found out by a modify.
func (c *Conn) probe(ctx context.Context) bool {
	stop := context.AfterFunc(ctx, c.wire.reset)
	defer stop()
	c.ldap.SetTimeout(min(probeTimeout, c.domain.o.Timeout))
	defer c.ldap.SetTimeout(c.domain.o.Timeout)
	root, err := c.readRootDSE()
	c.root = root
	return err == nil
}

// search reads; a failure of the network means Unreachable, since a search changes nothing.
func (c *Conn) search(ctx context.Context, req *ldap.SearchRequest) ([]*ldap.Entry, error) {
	stop := context.AfterFunc(ctx, c.wire.reset)
	defer stop()
	found, err := c.ldap.Search(req)
	if err == nil {
		return found.Entries, nil
	}
	if result := resultOf("search", c.root.host, err); result != nil {
		return nil, result
	}
	c.broken = true
	return nil, unreachable(c.root.host, errors.Join(err, context.Cause(ctx)))
}

// readEntry reads one entry, or says that it is not there.
func (c *Conn) readEntry(ctx context.Context, dn string, attributes ...string) (*ldap.Entry, error) {
	entries, err := c.search(ctx, ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", attributes, nil))
	if err != nil {
		return nil, err
	}
	if len(entries) != 1 {
		return nil, &ResultError{Operation: "search", DC: c.root.host, Code: ldap.LDAPResultNoSuchObject, Diagnostic: dn + " is not there, or may not be read"}
	}
	return entries[0], nil
}

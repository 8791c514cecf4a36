// Package directory is Active Directory over LDAPS, as far as password writeback needs it: which domain
// controller to write to, which account is meant, one modify that sets the password and keeps the decision,
// the effective policy, and what a controller's errors mean.
//
// It knows nothing of requests and outcomes. Every call says which controller it speaks to, and a failed one
// says whether anything was sent: KindOf tells Unreachable (nothing was), NoAnswer (a modify was, and its result
// never came) and the controller's own refusals apart.
//
// Left out on purpose: LDAP without TLS; following referrals, since only the controller that a request names is
// written; the next closest site, where our own has no controller.
package directory

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jcmturner/gokrb5/v8/keytab"

	"passback/writeback/protocol"
)

// Times that the agent's promises count on.
const (
	// Timeout is how long a controller may take to answer one operation, and how long a write to it may stall.
	Timeout        = 10 * time.Second
	connectTimeout = 3 * time.Second  // TCP alone: many controllers may be out of reach, and are tried one by one
	dialTimeout    = 10 * time.Second // TCP, TLS, rootDSE and bind together
	probeTimeout   = 2 * time.Second  // of a connection that lay idle
	maxIdleTime    = 5 * time.Minute  // Active Directory drops a connection after 15 (MaxConnIdleTime)
	maxIdle        = 16               // connections kept for each controller: as many as requests in hand
)

// Options of one domain.
type Options struct {
	Domain   string          // DNS name, such as corp.example
	Servers  []string        // host or host:port (default port 636, or 389 with StartTLS), in order of preference; empty: DNS SRV
	Site     string          // whose controllers are preferred among those of DNS; default: the site that a controller says we are in
	StartTLS bool            // plain LDAP that becomes TLS before anything else is said; default: LDAPS
	Roots    *x509.CertPool  // that sign the controllers' certificates; default: the system's
	User     string          // of the bind: a DN, a UPN or DOMAIN\name
	Password protocol.Secret // of the bind
	Kerberos bool            // bind by GSSAPI, with Keytab or else Password; default: a simple bind
	Keytab   *keytab.Keytab  // default: none
	Marker   string          // attribute that keeps decisions; default protocol.DefaultMarkerAttribute
	Timeout  time.Duration   // default, and at most, Timeout

	// Dial opens TCP connections; default: a net.Dialer. What it returns should have SetLinger, as
	// *net.TCPConn does: a modify whose result never came is cut off with it.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// LookupSRV finds the controllers where Servers is empty; default: the system's resolver.
	LookupSRV func(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	Logger    *slog.Logger // default: discards
}

// A Domain is one Active Directory domain and the connections to its controllers.
type Domain struct {
	o       Options
	head    string        // DN of the domain's head
	binding chan struct{} // one bind at a time: a wrong password is tried once, not once a connection

	mu        sync.Mutex
	refused   error  // the bind that was refused: never tried again
	current   string // what WriteTo found last
	site      string // ours; empty: none
	siteKnown bool
	known     map[string]string // address by the controller's dnsHostName
	idle      map[string][]*Conn
	schema    map[string]*Attribute // by name, as far as looked up
	away      map[string]time.Time  // when an address could not be connected to
	closed    bool
}

// New checks the options; it connects to nothing.
func New(o Options) (*Domain, error) {
	o.Domain = strings.ToLower(strings.TrimSuffix(o.Domain, "."))
	switch {
	case o.Domain == "":
		return nil, errors.New("directory: no domain given; want a DNS name, such as corp.example")
	case o.User == "" || o.Password.Empty() && (!o.Kerberos || o.Keytab == nil):
		return nil, fmt.Errorf("directory %s: the bind needs a user and a password: an empty one would bind as nobody", o.Domain)
	}
	if o.Kerberos {
		if _, err := Principal(o.User, o.Domain); err != nil {
			return nil, err
		}
	}
	if o.Marker == "" {
		o.Marker = protocol.DefaultMarkerAttribute
	}
	if o.Timeout <= 0 || o.Timeout > Timeout {
		o.Timeout = Timeout
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if o.LookupSRV == nil {
		o.LookupSRV = net.DefaultResolver.LookupSRV
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Domain{
		o: o, site: o.Site, siteKnown: o.Site != "", head: "DC=" + strings.ReplaceAll(o.Domain, ".", ",DC="),
		binding: make(chan struct{}, 1), known: map[string]string{}, idle: map[string][]*Conn{}, schema: map[string]*Attribute{}, away: map[string]time.Time{},
	}, nil
}

// Name is the domain's DNS name, in lower case.
func (d *Domain) Name() string { return d.o.Domain }

// Close drops the idle connections; one in use is dropped when it is released.
func (d *Domain) Close() {
	d.mu.Lock()
	idle := d.idle
	d.idle, d.closed = map[string][]*Conn{}, true
	d.mu.Unlock()
	for _, conns := range idle {
		for _, c := range conns {
			c.drop()
		}
	}
}

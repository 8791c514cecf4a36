// Package fakead is a fake Active Directory domain controller, to run in a test or beside one: real LDAP, LDAPS
// and StartTLS on real sockets, and the password semantics of the real thing, down to its codes and texts.
//
//	dc := fakead.RunT(t)
//	dc.AddUser(fakead.User{SAM: "alice", Password: "Winter-2026!"})
//	conn, err := ldap.DialURL(dc.LDAPSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: dc.CA().Pool()}))
//
// The facts are those of Microsoft's Open Specifications (MS-ADTS, MS-SAMR, MS-ERREF); where a comment names a
// section without more, it is of MS-ADTS. Nothing is written to disk, and a password is kept only as its hash.
//
// Left out on purpose, for now: Kerberos and NTLM binds.
package fakead

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"passback/clock"
	"passback/fakead/replication"
	"passback/fakead/tree"
	"passback/localca"
)

// Options of a Server. The zero value works.
type Options struct {
	Domain        string // DNS name; default corp.example
	NetBIOS       string // default: the first label of Domain in capitals, CORP
	AdminPassword string // of Administrator; default: a random one
	Host          string // first label of the domain controller's name; default dc1
	Site          string // that it is in; default Default-First-Site-Name
	Listen        string // IP address; default 127.0.0.1
	LDAPPort      int    // 0, the default, picks a free one; negative: none is opened, for those who call Serve
	LDAPSPort     int    // the same, for ServeTLS
	GlobalCatalog bool   // opens the global catalog's ports too; default: ServeGC and ServeGCTLS alone serve it
	GCPort        int    // of the global catalog, without TLS; 0 and less as with LDAPPort
	GCSPort       int    // the same, with TLS

	CA        *localca.Authority // signs the server's certificate; default: a new one
	ClientCAs *x509.CertPool     // authorities whose client certificates bind; default: CA alone

	Clock   clock.Clock      // the domain's time: ages, lockouts, timestamps; default clock.Real()
	OS      string           // 2012R2, 2016, 2019, 2022 or 2025, which texts and defaults follow; default 2022
	LDIF    io.Reader        // a domain's content, as ldifde exports it, the head among the first 1024 records if it is there; default: none
	Filters []PasswordFilter // asked about each new password, in order; default: none
	Audit   io.Writer        // gets the security log, a line of JSON an event, while the directory is locked; default: none

	MaxConnections int          // at once; the idlest makes room for another; default 5000, as on a DC
	Logger         *slog.Logger // never told a password; default: discards
}

const defaultMaxConnections = 5000

// A Server is one domain controller. The first of its domain holds every FSMO role at the beginning.
type Server struct {
	domain, netbios string
	host, site      string
	readOnly        bool
	priority        uint16 // of its SRV records
	weight          uint16
	invocation      replication.GUID // invocationId: the DSA, as replication names it
	forest          *Forest
	adminPassword   string
	os              string
	clock           clock.Clock
	ca              *localca.Authority
	clientCAs       *x509.CertPool
	log             *slog.Logger
	text            texts

	front *front
	tls   *tls.Config
	ldap  net.Listener
	ldaps net.Listener
	gc    net.Listener // the global catalog
	gcs   net.Listener
	hooks hooks

	withoutPolicyHints atomic.Bool
	down               atomic.Bool
	unregistered       atomic.Bool  // in DNS
	delay              atomic.Int64 // before each operation, in nanoseconds of the wire's clock
	pulling            sync.Mutex   // held while changes are taken from a partner, whose mu is taken beside it

	mu          sync.Mutex // over everything below
	tree        *tree.Tree
	settings    tree.GUID // of the container of fine-grained policies
	filters     []PasswordFilter
	descriptors descriptors
	protecting  clock.Timer       // AdminSDHolder's next pass
	protectedAt int64             // the USN after the last one
	keyVersions map[tree.GUID]int // how often a password was written after the entry was added
	writes      ring[PasswordWrite]
	events      ring[Event]
	eventsSoFar int64
	auditTo     io.Writer
	logons      uint64 // numbers of logons given so far
	replica     replica
	pending     pending
	closing     bool
}

// New starts a domain controller.
func New(o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := prepare(o)
	s.forest = forestOf(s, o)
	if err := s.createDomain(o); err != nil {
		return nil, err
	}
	if err := s.listen(o); err != nil {
		return nil, err
	}
	s.start()
	return s, nil
}

// prepare makes a server without a directory.
func prepare(o Options) *Server {
	s := &Server{
		domain: o.Domain, netbios: o.NetBIOS, adminPassword: o.AdminPassword, host: o.Host, site: o.Site,
		os: o.OS, clock: o.Clock, ca: o.CA, clientCAs: o.ClientCAs, log: o.Logger,
		text:        texts{build: builds[o.OS]},
		filters:     o.Filters,
		auditTo:     o.Audit,
		weight:      defaultWeight,
		writes:      ring[PasswordWrite]{limit: maxPasswordWrites},
		events:      ring[Event]{limit: maxEvents},
		descriptors: newDescriptors(),
		keyVersions: map[tree.GUID]int{},
	}
	s.front = newFront(s, o.MaxConnections)
	_, _ = rand.Read(s.invocation[:]) // never fails, by its documentation
	return s
}

// start serves the ports that listen opened.
func (s *Server) start() {
	s.startProtecting()
	for _, own := range s.ownPorts() {
		if own.listener != nil {
			s.serveOwn(own.listener, own.port)
		}
	}
}

// A Tester is what RunT needs of a *testing.T.
type Tester interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// RunT starts a domain controller with default options, or with those given, for the length of a test.
func RunT(t Tester, options ...Options) *Server {
	t.Helper()
	var o Options
	if len(options) > 0 {
		o = options[0]
	}
	s, err := New(o)
	if err != nil {
		t.Fatalf("start a domain controller: %v", err)
		return nil
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Close tells every client that the server goes (notice of disconnection, code 52), and returns when all
// handlers have. Idle clients do not hold it up.
func (s *Server) Close() error {
	s.stopTimers()
	s.front.close()
	s.forest.closeDNS()
	return nil
}

// Serve answers LDAP, with StartTLS, on a listener of the caller's until it or the server is closed.
func (s *Server) Serve(l net.Listener) error { return s.front.serve(l, port{}) }

// ServeTLS answers LDAPS on a listener of the caller's until it or the server is closed.
func (s *Server) ServeTLS(l net.Listener) error { return s.front.serve(l, port{tls: s.tls}) }

// serveOwn serves a listener that New or Start opened.
func (s *Server) serveOwn(l net.Listener, p port) {
	if !s.front.addListener(l) {
		_ = l.Close()
		return
	}
	go func() {
		if err := s.front.accept(l, p); err != nil {
			s.log.Error("a listener failed", "address", l.Addr(), "error", err)
		}
	}()
}

// listen opens the ports and makes the certificate, which names them.
func (s *Server) listen(o Options) (err error) {
	defer func() {
		if err != nil {
			s.closeListeners()
		}
	}()
	if s.ldap, err = listenOn(o.Listen, o.LDAPPort, "LDAP"); err != nil {
		return err
	}
	if s.ldaps, err = listenOn(o.Listen, o.LDAPSPort, "LDAPS"); err != nil {
		return err
	}
	if err = s.listenForCatalog(o); err != nil {
		return err
	}
	names := []string{o.Listen, s.HostName(), s.domain}
	for _, l := range []net.Listener{s.ldaps, s.gcs} {
		if l != nil {
			_, number, _ := net.SplitHostPort(l.Addr().String())
			names = append(names, "localhost:"+number, net.JoinHostPort(o.Listen, number))
		}
	}
	if s.tls, err = s.ca.ServerConfig(names...); err != nil {
		return fmt.Errorf("make the domain controller's certificate: %w", err)
	}
	s.tls.ClientAuth = tls.RequestClientCert // and no more: MS-ADTS 5.1.1.2
	return nil
}

func (s *Server) closeListeners() {
	for _, own := range s.ownPorts() {
		if own.listener != nil {
			_ = own.listener.Close()
		}
	}
}

// listenOn returns no listener for a negative port.
func listenOn(ip string, port int, what string) (net.Listener, error) {
	if port < 0 {
		return nil, nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort(ip, strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("listen for %s on %s port %d: %w (port 0 picks a free one)", what, ip, port, err)
	}
	return l, nil
}

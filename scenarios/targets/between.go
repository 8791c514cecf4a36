package targets

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"sync"

	"passback/localca"
	"passback/scenarios"
)

// What stands between the agents and their directory, whichever that is: an end of TLS on either side, so that the LDAP
// of the agents can be read, held and cut. Agents trust it by the ca_file that they are given.

// A between carries LDAPS connections to one directory.
type between struct {
	to    string // host:port
	trust *tls.Config
	serve *tls.Config
	ca    []byte // PEM
	here  string // host:port

	mu       sync.Mutex
	listener net.Listener // nil: stopped
	open     map[*carrier]bool
	traps    []*catch
}

func stand(to, serverName string, roots *x509.CertPool) (*between, error) {
	ca, err := localca.New()
	if err != nil {
		return nil, err
	}
	b := &between{to: to, here: net.JoinHostPort(loopback, "0"), ca: ca.PEM(), open: map[*carrier]bool{},
		trust: &tls.Config{RootCAs: roots, ServerName: serverName, MinVersion: tls.VersionTLS12}}
	if b.serve, err = ca.ServerConfig(); err != nil {
		return nil, err
	}
	if err := b.start(); err != nil {
		return nil, err
	}
	b.here = b.listener.Addr().String()
	return b, nil
}

func (b *between) address() string { return b.here }

// start lets connections through, on the same port as before.
func (b *between) start() error {
	l, err := net.Listen("tcp", b.here)
	if err != nil {
		return fmt.Errorf("stand between the agents and the directory: %w", err)
	}
	b.mu.Lock()
	b.listener = l
	b.mu.Unlock()
	go b.accept(l)
	return nil
}

// stop ends every connection and refuses others, as when a directory is down.
func (b *between) stop() {
	b.mu.Lock()
	if b.listener != nil {
		_ = b.listener.Close()
		b.listener = nil
	}
	b.mu.Unlock()
	b.cut()
}

// cut ends every connection.
func (b *between) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.open {
		c.cut()
	}
}

// close is stop for good: what traps hold is lost.
func (b *between) close() {
	b.mu.Lock()
	traps := b.traps
	b.mu.Unlock()
	for _, c := range traps {
		c.let(scenarios.Lose)
	}
	b.stop()
}

func (b *between) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go b.carry(conn)
	}
}

func (b *between) carry(raw net.Conn) {
	defer raw.Close()
	dialer := &net.Dialer{Timeout: ldapTimeout}
	directory, err := tls.DialWithDialer(dialer, "tcp", b.to, b.trust)
	if err != nil {
		return // as if nobody listened
	}
	c := &carrier{between: b, agent: tls.Server(raw, b.serve), directory: directory, modifies: map[int64]chan struct{}{}}
	b.mu.Lock()
	stopped := b.listener == nil
	b.open[c] = !stopped
	b.mu.Unlock()
	if !stopped {
		c.run()
	}
	c.cut()
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.open, c)
}

// trapped asks the traps at a point; the first that waits for it holds it.
func (b *between) trapped(p scenarios.Point) *catch {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.traps {
		if c.point == p && c.take() {
			return c
		}
	}
	return nil
}

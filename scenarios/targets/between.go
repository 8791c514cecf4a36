package targets

import (
	"crypto/tls"
	"fmt"
	"net"
	"sync"

	"passback/localca"
	"passback/scenarios"
)

// What stands between the agents and their directory, whichever that is: an end of TLS on either side, so that the LDAP
// of the agents can be read, held and cut. Agents trust it by the ca_file that they are given.

// A between carries LDAPS connections to one domain controller.
type between struct {
	host  string // of the controller, as scenarios call it; empty: the only one
	to    string // host:port
	trust *tls.Config
	serve *tls.Config
	ca    []byte // PEM
	here  string // host:port

	mu       sync.Mutex
	listener net.Listener // nil: stopped
	open     map[*carrier]bool
	traps    []*catch
	sent     int // modifies with a marker
}

func stand(at controller) (*between, error) {
	to, serverName, err := at.address()
	if err != nil {
		return nil, err
	}
	ca, err := localca.New()
	if err != nil {
		return nil, err
	}
	b := &between{host: at.host, to: to, here: net.JoinHostPort(loopback, "0"), ca: ca.PEM(), open: map[*carrier]bool{},
		trust: &tls.Config{RootCAs: at.roots, ServerName: serverName, MinVersion: tls.VersionTLS12}}
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

// set sets a trap; one that was set at several is caught at one of them.
func (b *between) set(c *catch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.traps = append(b.traps, c)
}

// count notes a modify that goes on to the directory.
func (b *between) count() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent++
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

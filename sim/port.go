package sim

import (
	"crypto/tls"
	"net"
	"sync"
	"time"

	"passback/clock"
)

// A port takes HTTP and HTTPS on one TCP port: a TLS handshake begins with byte 0x16, and no HTTP request does.
type port struct {
	net.Listener
	tls     *tls.Config
	ready   chan net.Conn
	closed  chan struct{}
	closing sync.Once
	greets  chan struct{} // limits those that have yet to send their first byte
}

const (
	tlsHandshake = 0x16
	greetTimeout = 10 * time.Second
	maxGreets    = 256
)

func newPort(l net.Listener, config *tls.Config) *port {
	p := &port{Listener: l, tls: config, ready: make(chan net.Conn), closed: make(chan struct{}), greets: make(chan struct{}, maxGreets)}
	go p.accept()
	return p
}

func (p *port) accept() {
	for {
		conn, err := p.Listener.Accept()
		if err != nil {
			_ = p.Close()
			return
		}
		select {
		case p.greets <- struct{}{}:
			go p.greet(conn)
		default:
			_ = conn.Close() // as many as may be are silent already
		}
	}
}

// greet waits for the first byte and hands the connection on as what it is.
func (p *port) greet(conn net.Conn) {
	defer func() { <-p.greets }()
	_ = conn.SetReadDeadline(clock.Real().Now().Add(greetTimeout))
	first := make([]byte, 1)
	if _, err := conn.Read(first); err != nil {
		_ = conn.Close()
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	var whole net.Conn = &begun{Conn: conn, first: first}
	if first[0] == tlsHandshake {
		whole = tls.Server(whole, p.tls)
	}
	select {
	case p.ready <- whole:
	case <-p.closed:
		_ = conn.Close()
	}
}

// Accept implements net.Listener.
func (p *port) Accept() (net.Conn, error) {
	select {
	case conn := <-p.ready:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *port) Close() error {
	p.closing.Do(func() { close(p.closed) })
	return p.Listener.Close() //nolint:wrapcheck // net.Listener's own
}

// begun is a connection whose first byte was read.
type begun struct {
	net.Conn
	first []byte
}

func (b *begun) Read(into []byte) (int, error) {
	if len(b.first) > 0 && len(into) > 0 {
		n := copy(into, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	return b.Conn.Read(into) //nolint:wrapcheck // net.Conn's own
}

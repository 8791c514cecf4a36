package fakerelay

// The front of every port: plain AMQP, AMQP over TLS and HTTPS are told apart by the first bytes.

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"passback/clock"
	"passback/localca"
)

const (
	maxConnections = 5000             // by default
	helloTimeout   = 10 * time.Second // for the first bytes and for the TLS handshake
	tlsHandshake   = 0x16             // content type of a TLS record that begins a connection (RFC 8446 5.1)
	amqpHeader     = "AMQP"           // first bytes of the protocol header (AMQP 1.0 2.2)
)

func (n *Namespace) listen(o Options) error {
	if o.Listen == "" {
		o.Listen = "127.0.0.1"
	}
	var listeners []net.Listener
	for _, port := range []struct {
		name string
		port int
		at   *string
	}{{"AMQP", o.AMQPPort, &n.amqp}, {"AMQPS", o.AMQPSPort, &n.amqps}, {"HTTPS", o.HTTPSPort, &n.https}} {
		if port.port < 0 {
			continue
		}
		l, err := open(port.name, o.Listen, port.port, port.at)
		if err != nil {
			return err
		}
		listeners = append(listeners, l)
		if !n.keep(l) {
			return net.ErrClosed
		}
	}
	if err := n.certify(o.Listen); err != nil {
		return err
	}
	n.serveHTTP()
	if o.IdentityPort >= 0 {
		l, err := open("identity tokens", o.Listen, o.IdentityPort, &n.identity)
		if err != nil {
			return err
		}
		n.serveIdentity(l)
	}
	for _, l := range listeners {
		n.wg.Go(func() {
			if err := n.Serve(l); err != nil {
				n.log.Error("stopped listening", "addr", l.Addr().String(), "err", err)
			}
		})
	}
	return nil
}

// open listens, and writes down the address.
func open(name, ip string, port int, at *string) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(ip, strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", name, err)
	}
	*at = l.Addr().String()
	return l, nil
}

// certify covers the literal host:port of each port too: azservicebus checks those.
func (n *Namespace) certify(ip string) error {
	if n.ca == nil {
		ca, err := localca.New()
		if err != nil {
			return err
		}
		n.ca = ca
	}
	names := []string{ip}
	for _, addr := range []string{n.amqp, n.amqps, n.https} {
		if addr != "" {
			names = append(names, localhost(addr), addr)
		}
	}
	config, err := n.ca.ServerConfig(names...)
	n.tls = config
	return err
}

// keep reports whether the namespace is still open; Close closes what it keeps.
func (n *Namespace) keep(l net.Listener) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		l.Close()
		return false
	}
	n.listeners[l] = struct{}{}
	return true
}

// Serve takes connections of l, besides those of the namespace's own ports, until l or the namespace is closed.
// It returns nil after Close, else the listener's error.
func (n *Namespace) Serve(l net.Listener) error {
	if !n.keep(l) {
		return nil
	}
	defer func() {
		n.mu.Lock()
		delete(n.listeners, l)
		n.mu.Unlock()
	}()
	for {
		nc, err := l.Accept()
		if err != nil {
			var timeout net.Error
			switch {
			case n.ctx.Err() != nil:
				return nil
			case errors.As(err, &timeout) && timeout.Timeout():
				continue
			}
			return fmt.Errorf("accept on %v: %w", l.Addr(), err)
		}
		if !n.admit() {
			nc.Close()
			continue
		}
		go func() {
			if !n.greet(nc) {
				n.leave()
			}
		}()
	}
}

// admit counts a connection in, unless there are too many or the namespace is closed.
func (n *Namespace) admit() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || n.open >= n.most {
		return false
	}
	n.open++
	n.wg.Add(1)
	return true
}

// track makes Close wait for a goroutine, until wg.Done, unless the namespace is closed.
func (n *Namespace) track() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return false
	}
	n.wg.Add(1)
	return true
}

func (n *Namespace) leave() {
	n.mu.Lock()
	n.open--
	n.mu.Unlock()
	n.wg.Done()
}

// greet finds out what a connection speaks, and serves that. It reports whether the connection lives on: the HTTP
// server has it.
func (n *Namespace) greet(nc net.Conn) (livesOn bool) {
	stop := context.AfterFunc(n.ctx, func() { nc.Close() }) // until somebody else looks after it
	defer stop()
	deadline := clock.Real().Now().Add(helloTimeout)
	if err := nc.SetDeadline(deadline); err != nil {
		nc.Close()
		return false
	}
	conn := peek(nc)
	first, err := conn.first(1)
	if err == nil && first[0] == tlsHandshake {
		secure := tls.Server(conn, n.tls)
		if err = secure.HandshakeContext(n.ctx); err == nil {
			conn = peek(secure)
			first, err = conn.first(len(amqpHeader))
		}
		if err == nil && string(first) != amqpHeader {
			if conn.SetDeadline(time.Time{}) == nil && n.handed.hand(n.ctx, &leavingConn{Conn: conn, leave: n.leave}) {
				return true
			}
			err = net.ErrClosed
		}
	}
	if err == nil {
		err = nc.SetDeadline(time.Time{})
	}
	if err != nil {
		n.log.Debug("connection not understood", "peer", nc.RemoteAddr().String(), "err", err)
		nc.Close()
		return false
	}
	if stop() {
		var tryWrite func([]byte) (int, error) // nil with TLS above
		if conn.Conn == nc {
			tryWrite = directWrites(nc)
		}
		n.serveAMQP(conn, tryWrite)
	}
	return false
}

// A peeked connection can be looked at before it is read.
type peeked struct {
	net.Conn
	read *bufio.Reader
}

func peek(nc net.Conn) *peeked { return &peeked{nc, bufio.NewReader(nc)} }

func (p *peeked) first(count int) ([]byte, error) {
	b, err := p.read.Peek(count)
	if err != nil {
		return nil, fmt.Errorf("read the first bytes: %w", err)
	}
	return b, nil
}

// Read reads what was peeked at first.
func (p *peeked) Read(b []byte) (int, error) { return p.read.Read(b) } //nolint:wrapcheck // net.Conn's own errors must stay as they are

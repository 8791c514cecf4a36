package fakead

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"passback/clock"
)

// A connection is one client's. gldap reads from it and writes to it as a net.Conn: each Read burst is one
// LDAPMessage that gldap can serve, each Write one that it answers with. All others are answered here.
type connection struct {
	front    *front
	session  *session
	active   atomic.Int64  // when the last request came: nanoseconds of the wire's clock
	busy     chan struct{} // holds a token from before a request is read until it is answered: one at a time
	current  *request      // the one that is being answered; only touched by who holds busy
	patience time.Duration // with the client, for its next request
	pending  []byte        // what gldap has not read of it yet
	stopped  chan struct{}

	catalog           bool   // it came to a port of the global catalog
	hidesUserPassword bool   // since it opened; set before the first request
	stop              func() // closes the connection, once

	raw     net.Conn
	reading *bufio.Reader // of net
	writing sync.Mutex
	net     net.Conn // raw, or TLS over it; changed under writing
}

func newConnection(f *front, nc net.Conn, catalog bool) *connection {
	c := &connection{
		front:    f,
		catalog:  catalog,
		session:  &session{remote: nc.RemoteAddr()},
		busy:     make(chan struct{}, 1),
		stopped:  make(chan struct{}),
		patience: initRecvTimeout,
		raw:      nc,
		reading:  bufio.NewReader(nc),
		net:      nc,
	}
	c.stop = sync.OnceFunc(func() {
		close(c.stopped)
		_ = nc.Close()
	})
	c.active.Store(clock.Real().Now().UnixNano())
	return c
}

// serve answers requests until the connection ends.
func (c *connection) serve(config *tls.Config) {
	c.front.server.opened(c)
	if config != nil {
		if c.startTLS(config) != nil {
			return
		}
		c.front.server.bindByHandshake(c.session)
	}
	router, err := c.router()
	if err != nil {
		c.front.server.log.Error("cannot serve a connection", "error", err)
		return
	}
	if err := serveGldap(gldapConn{c}, router); err != nil {
		c.disconnect(codeProtocolError, c.front.server.text.undecodable())
	}
}

// startTLS makes the handshake as the server.
func (c *connection) startTLS(config *tls.Config) error {
	_ = c.net.SetDeadline(in(initRecvTimeout))
	under := c.net
	if c.reading.Buffered() > 0 {
		under = afterStartTLS{c.net, c.reading}
	}
	secured := tls.Server(under, config)
	if err := secured.Handshake(); err != nil {
		c.front.server.log.Debug("TLS handshake failed", "remote", c.session.remote, "error", err)
		return err //nolint:wrapcheck // logged here; the caller only ends the connection
	}
	_ = c.net.SetDeadline(time.Time{})
	c.writing.Lock()
	defer c.writing.Unlock()
	c.net, c.reading = secured, bufio.NewReader(secured)
	c.session.encrypted = true
	c.session.certificate = c.front.server.clientCertificate(secured.ConnectionState())
	return nil
}

// afterStartTLS is a connection on which TLS begins: what came right behind the request is part of it, so that nothing
// sent in clear is taken for what was sent under TLS.
type afterStartTLS struct {
	net.Conn
	reading *bufio.Reader
}

func (c afterStartTLS) Read(p []byte) (int, error) { return c.reading.Read(p) } //nolint:wrapcheck // as a net.Conn

// next returns the next request that gldap is to serve, once the one before it is answered.
func (c *connection) next() (*request, error) {
	for {
		select {
		case c.busy <- struct{}{}:
		case <-c.stopped:
			return nil, io.EOF
		}
		_ = c.net.SetReadDeadline(in(c.patience))
		req, err := c.receive()
		if err != nil {
			return nil, c.refuse(err)
		}
		if !c.dawdle() {
			return nil, io.EOF
		}
		c.active.Store(clock.Real().Now().UnixNano())
		c.patience = maxConnIdleTime
		c.current = req
		handle := c.front.server.ownHandler(req)
		if handle == nil {
			return req, nil
		}
		c.guarded(func(req *request) { c.answer(req, handle) })
	}
}

// receive reads the next request that wants an answer.
func (c *connection) receive() (*request, error) {
	limit := maxReceiveBuffer
	if !c.session.bound.Load() {
		limit = maxPreAuthReceiveBuffer
	}
	for {
		pdu, err := readPDU(c.reading, limit)
		if err != nil {
			return nil, err
		}
		req, err := decodeRequest(pdu)
		if err != nil {
			return nil, err
		}
		switch req.operation {
		case tagUnbind:
			return nil, io.EOF
		case tagAbandon: // whatever it names has been answered
		default:
			req.session, req.conn = c.session, c
			return req, nil
		}
	}
}

// refuse tells a client why a PDU of its ends the connection; silence is for those who just left.
func (c *connection) refuse(err error) error {
	if errors.Is(err, errUndecodable) || errors.Is(err, errTooLarge) {
		c.disconnect(codeProtocolError, c.front.server.text.undecodable())
	}
	return io.EOF
}

// guarded runs the current operation. A panic ends this connection alone; the text of a panic is not logged,
// as it may quote what the client sent.
func (c *connection) guarded(operation func(*request)) {
	defer func() {
		if recover() != nil {
			c.front.server.log.Error("a handler panicked; its connection is closed", "remote", c.session.remote, "stack", string(debug.Stack()))
			c.stop()
		}
		c.current = nil
		<-c.busy
	}()
	operation(c.current)
}

// answer runs a handler of the front's own. StartTLS goes on where its answer ends.
func (c *connection) answer(req *request, handle handler) {
	res := handle(req)
	c.respond(req, res)
	if req.upgrade != nil && res.code == codeSuccess && c.startTLS(req.upgrade) != nil {
		c.stop()
	}
}

// respond sends the answer to a request past gldap, in one piece.
func (c *connection) respond(req *request, res result) {
	req.answer.result(req.id, responseTag(req.operation), res)
	_ = c.send(req.answer.out)
}

// disconnect sends the notice of disconnection and closes.
func (c *connection) disconnect(code int, text string) {
	_ = c.send(noticeOfDisconnection(code, text))
	c.stop()
}

// send writes whole messages.
func (c *connection) send(messages []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.net.SetWriteDeadline(in(c.front.sendTimeout()))
	_, err := c.net.Write(messages)
	if err != nil {
		c.stop()
	}
	return err //nolint:wrapcheck // gldap's net.Conn returns the error of the connection
}

// gldapConn is the net.Conn that gldap is given.
type gldapConn struct{ *connection }

func (c gldapConn) Read(p []byte) (int, error) {
	if len(c.pending) == 0 {
		req, err := c.next()
		if err != nil {
			return 0, io.EOF
		}
		c.pending = forGldap(req)
	}
	n := copy(p, c.pending)
	c.pending = c.pending[n:]
	return n, nil
}

func (c gldapConn) Write(p []byte) (int, error) {
	if err := c.send(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close does nothing: the front closes connections.
func (c gldapConn) Close() error { return nil }

func (c gldapConn) LocalAddr() net.Addr                { return c.net.LocalAddr() }
func (c gldapConn) RemoteAddr() net.Addr               { return c.session.remote }
func (c gldapConn) SetDeadline(t time.Time) error      { return c.net.SetDeadline(t) }      //nolint:wrapcheck // as a net.Conn
func (c gldapConn) SetReadDeadline(t time.Time) error  { return c.net.SetReadDeadline(t) }  //nolint:wrapcheck // as a net.Conn
func (c gldapConn) SetWriteDeadline(t time.Time) error { return c.net.SetWriteDeadline(t) } //nolint:wrapcheck // as a net.Conn

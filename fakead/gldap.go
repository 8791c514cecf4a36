package fakead

// gldap decodes requests, routes them to handlers and encodes ordinary responses. This is the only file that
// knows how it works inside. gldap v0.1.14 can serve nothing but its own TCP listener, so the front links to
// the three unexported functions that serve one connection. Their signatures have been the same since 2022; a
// test fails when go.mod names another version, and then this file has to be read against the new source.
//
// hclog stays silent: at Debug gldap dumps every PDU, the values of unicodePwd in clear.

import (
	"context"
	"errors"
	"fmt"
	"net"
	"unsafe"

	"github.com/hashicorp/go-hclog"
	"github.com/jimlambrt/gldap"
)

//go:linkname gldapNewConn github.com/jimlambrt/gldap.newConn
func gldapNewConn(shutdown context.Context, connID int, conn net.Conn, logger hclog.Logger, router *gldap.Mux) (unsafe.Pointer, error)

//go:linkname gldapServe github.com/jimlambrt/gldap.(*conn).serveRequests
func gldapServe(conn unsafe.Pointer) error

//go:linkname gldapClose github.com/jimlambrt/gldap.(*conn).close
func gldapClose(conn unsafe.Pointer) error

// serveGldap lets gldap read requests from conn until it ends, and waits for the handlers. An error means that
// gldap could not decode a request. Its decoders may panic on one, which counts as the same.
func serveGldap(conn net.Conn, router *gldap.Mux) (err error) {
	c, err := gldapNewConn(context.Background(), 1, conn, hclog.NewNullLogger(), router)
	if err != nil {
		return fmt.Errorf("start gldap on a connection: %w", err)
	}
	defer func() {
		if recover() != nil {
			err = errUndecodable
		}
		_ = gldapClose(c) // waits for handlers; conn's own Close does nothing
	}()
	if gldapServe(c) != nil {
		return errUndecodable // gldap's text may quote the request, and with it a password
	}
	return nil
}

// router sends each operation that is left to gldap to the server's handler of that name.
func (c *connection) router() (*gldap.Mux, error) {
	mux, err := gldap.NewMux()
	if err != nil {
		return nil, fmt.Errorf("make gldap's router: %w", err)
	}
	s := c.front.server
	err = errors.Join(
		mux.Add(route(c, (*gldap.Request).GetAddMessage, s.add)),
		mux.Delete(route(c, (*gldap.Request).GetDeleteMessage, s.delete)),
	)
	if err != nil {
		return nil, fmt.Errorf("register a handler with gldap: %w", err)
	}
	return mux, nil
}

// route makes a gldap handler of one of ours, which runs guarded: gldap starts handlers in goroutines of their
// own, where a panic would end the process. Here it ends the connection.
func route[M any](c *connection, message func(*gldap.Request) (M, error), handle func(*request, M) result) gldap.HandlerFunc {
	return func(w *gldap.ResponseWriter, r *gldap.Request) {
		c.guarded(func(req *request) {
			m, err := message(r)
			if err != nil {
				c.disconnect(codeProtocolError, c.front.server.text.undecodable())
				return
			}
			res := handle(req, m)
			if len(res.referrals) > 0 || len(res.controls) > 0 {
				c.respond(req, res) // gldap has no way to say these
				return
			}
			_ = w.Write(r.NewResponse(
				gldap.WithApplicationCode(int(responseTag(req.operation))),
				gldap.WithResponseCode(res.code),
				gldap.WithMatchedDN(res.matched),
				gldap.WithDiagnosticMessage(res.text),
			))
		})
	}
}

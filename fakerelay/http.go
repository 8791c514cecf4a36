package fakerelay

// HTTP on the TLS ports: WebSocket, the management API, the control API, and refusals in the service's manner.

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	maxHeaderBytes  = 64 << 10
	httpReadTimeout = 30 * time.Second
	httpIdleTimeout = 2 * time.Minute
)

func (n *Namespace) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(webSocketPath, n.upgrade)
	mux.HandleFunc(webSocketPath+"/{$}", n.upgrade) // as uamqp asks for it
	mux.Handle(controlPath+"/", n.control())
	mux.HandleFunc("/", n.manage)
	return mux
}

// refuseHTTP writes the service's error document. Apostrophes stay as they are: SDKs show the document unparsed, and
// programs look for texts in it.
func refuseHTTP(w http.ResponseWriter, r *http.Request, status int, text string) {
	var detail bytes.Buffer
	if err := xml.EscapeText(&detail, []byte(text+tracking(r.Host+r.URL.Path))); err != nil {
		http.Error(w, http.StatusText(status), status)
		return
	}
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%d</Code><Detail>%s</Detail></Error>", status, bytes.ReplaceAll(detail.Bytes(), []byte("&#39;"), []byte("'")))
}

func (n *Namespace) serveHTTP() {
	n.handed = handedConns{conns: make(chan net.Conn), closed: make(chan struct{})}
	n.http = &http.Server{
		Handler:           n.handler(),
		ReadHeaderTimeout: httpReadTimeout,
		ReadTimeout:       httpReadTimeout, // ends with the upgrade to WebSocket
		IdleTimeout:       httpIdleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
	n.wg.Go(func() {
		if err := n.http.Serve(&n.handed); err != nil && !errors.Is(err, http.ErrServerClosed) {
			n.log.Error("stopped serving HTTP", "err", err)
		}
	})
}

// handedConns is the listener of the HTTP server: connections that turned out to speak HTTP.
type handedConns struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (h *handedConns) hand(ctx context.Context, nc net.Conn) bool {
	select {
	case h.conns <- nc:
		return true
	case <-ctx.Done():
		return false
	}
}

func (h *handedConns) Accept() (net.Conn, error) {
	select {
	case nc := <-h.conns:
		return nc, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *handedConns) Close() error {
	select {
	case <-h.closed:
	default:
		close(h.closed)
	}
	return nil
}

func (h *handedConns) Addr() net.Addr { return &net.TCPAddr{} }

// A leavingConn counts itself out when it is closed.
type leavingConn struct {
	net.Conn
	once  sync.Once
	leave func()
}

// Close may be called twice.
func (c *leavingConn) Close() error {
	defer c.once.Do(c.leave)
	return c.Conn.Close() //nolint:wrapcheck // net.Conn's own errors must stay as they are
}

package fakerelay

// HTTP on the TLS ports: WebSocket, and refusals in the service's manner. Left for later: the management API.

import (
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

// What is answered to other requests. The tracking part follows.
const (
	textMissingToken = "MissingToken: The request contains no authorization header."
	textNotHere      = "NotImplemented: The management API over HTTP is not supported in this version of the namespace."
)

func (n *Namespace) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(webSocketPath, n.upgrade)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			refuseHTTP(w, r, http.StatusUnauthorized, textMissingToken)
			return
		}
		refuseHTTP(w, r, http.StatusNotImplemented, textNotHere)
	})
	return mux
}

// refuseHTTP writes the service's error document.
func refuseHTTP(w http.ResponseWriter, r *http.Request, status int, text string) {
	body, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"Error"`
		Code    int      `xml:"Code"`
		Detail  string   `xml:"Detail"`
	}{Code: status, Detail: text + tracking(r.Host+r.URL.Path)})
	if err != nil {
		http.Error(w, http.StatusText(status), status)
		return
	}
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "%s", body)
}

func (n *Namespace) serveHTTP() {
	n.handed = handedConns{conns: make(chan net.Conn), closed: make(chan struct{})}
	n.http = &http.Server{
		Handler:           n.handler(),
		ReadHeaderTimeout: httpReadTimeout,
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

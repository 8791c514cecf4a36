package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"passback/sim/graph"
	"passback/writeback/protocol"
)

// web serves everything on one port: Graph, enrolment, the control API, health, and pages for people.
type web struct {
	address string // host:port
	server  *http.Server
	graph   *graph.Handler
}

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// answerTimeout leaves room for the longest request: an operation waits for its deadline.
	answerTimeout = protocol.MaxDeadline + time.Minute
	maxHeader     = 64 << 10
)

func (w *World) startWeb() error {
	l, err := net.Listen("tcp", net.JoinHostPort(w.options.Listen, strconv.Itoa(w.options.Ports.Web)))
	if err != nil {
		return fmt.Errorf("listen for HTTP on %s port %d: %w (port 0 picks a free one)", w.options.Listen, w.options.Ports.Web, err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	host := w.options.Listen
	if net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	s := &web{address: net.JoinHostPort(host, port)}
	config, err := w.CA.ServerConfig(host, s.address, "localhost:"+port)
	if err != nil {
		_ = l.Close()
		return fmt.Errorf("make the certificate of the web port: %w", err)
	}
	s.graph = graph.New(graph.Options{Tenant: w.Cloud, Tokens: w.graphTokens(), Logger: w.log})
	s.server = &http.Server{
		Handler: guard(w.routes(s)), ReadHeaderTimeout: headerTimeout, ReadTimeout: idleTimeout, WriteTimeout: answerTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(w.log.Handler(), slog.LevelDebug),
	}
	p := newPort(l, config)
	go func() { _ = s.server.Serve(p) }()
	w.web = s
	return nil
}

func (s *web) close() { _ = s.server.Close() }

// graphTokens is bearer token to UPN.
func (w *World) graphTokens() map[string]string {
	byToken := map[string]string{}
	for upn, token := range w.tokens {
		if upn == adminName {
			upn = w.AdminUPN()
		}
		byToken[token] = upn
	}
	return byToken
}

// WebURL is the root of everything over HTTP.
func (w *World) WebURL() string {
	u := url.URL{Scheme: "http", Host: w.web.address}
	return u.String()
}

func (w *World) routes(s *web) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/graph/", http.StripPrefix("/graph", s.graph))
	mux.HandleFunc("/enrol", w.enrol)
	mux.Handle("/api/", w.api())
	mux.HandleFunc("GET /livez", func(out http.ResponseWriter, _ *http.Request) {
		answer(out, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", w.readyz)
	mux.HandleFunc("GET /version", func(out http.ResponseWriter, _ *http.Request) { answer(out, http.StatusOK, version()) })
	mux.Handle("/", w.pages())
	return mux
}

func (w *World) readyz(out http.ResponseWriter, _ *http.Request) {
	if !w.ready.Load() {
		answer(out, http.StatusServiceUnavailable, map[string]string{"status": "starting, or stopping"})
		return
	}
	answer(out, http.StatusOK, map[string]string{"status": "ok"})
}

func version() map[string]string {
	v := map[string]string{"name": "passback", "version": "unknown"}
	if info, ok := debug.ReadBuildInfo(); ok {
		v["go"] = info.GoVersion
		if info.Main.Version != "" {
			v["version"] = info.Main.Version
		}
	}
	return v
}

// enrol is the cloud's side of an agent's enrolment: a POST over TLS, whose body and answer are sealed.
func (w *World) enrol(out http.ResponseWriter, r *http.Request) {
	if r.TLS == nil {
		refuseEnrol(out, &protocol.EnrolError{Status: http.StatusForbidden, Code: protocol.EnrolBadRequest, Message: "enrolment is over https only"})
		return
	}
	if r.Method != http.MethodPost {
		out.Header().Set("Allow", http.MethodPost)
		refuseEnrol(out, &protocol.EnrolError{Status: http.StatusMethodNotAllowed, Code: protocol.EnrolBadRequest, Message: "an agent enrols by POST"})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(out, r.Body, protocol.MaxEnrolment))
	if err != nil {
		refuseEnrol(out, &protocol.EnrolError{Status: http.StatusRequestEntityTooLarge, Code: protocol.EnrolBadRequest,
			Message: fmt.Sprintf("the body could not be read, or is larger than %d bytes", protocol.MaxEnrolment)})
		return
	}
	sealed, err := w.Cloud.Enrol(context.WithoutCancel(r.Context()), body)
	if refused, ok := errors.AsType[*protocol.EnrolError](err); ok {
		refuseEnrol(out, refused)
		return
	}
	if err != nil {
		w.log.Error("an enrolment failed", "error", err)
		answer(out, http.StatusInternalServerError, problem{"the enrolment failed in the cloud: try again"})
		return
	}
	out.Header().Set("Content-Type", protocol.ContentType)
	_, _ = out.Write(sealed)
}

func refuseEnrol(out http.ResponseWriter, e *protocol.EnrolError) { answer(out, e.Status, e) }

// problem is the control API's error.
type problem struct {
	Error string `json:"error"`
}

func answer(out http.ResponseWriter, status int, v any) {
	out.Header().Set("Content-Type", "application/json; charset=utf-8")
	out.Header().Set("Cache-Control", "no-store")
	out.WriteHeader(status)
	_ = json.NewEncoder(out).Encode(v)
}

// guard refuses what a page of another origin could send: a Host that is a name of somebody else's (DNS rebinding),
// an Origin that is not the one asked, or a browser's word that the request is from another site.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		out.Header().Set("X-Content-Type-Options", "nosniff")
		if !ownHost(r) {
			answer(out, http.StatusMisdirectedRequest, problem{"the sandbox answers to loopback names and to the address it listens on, not to this host name"})
			return
		}
		if !ownOrigin(r) {
			answer(out, http.StatusForbidden, problem{"requests from other origins are refused; to open a page, type its address"})
			return
		}
		next.ServeHTTP(out, r)
	})
}

func ownHost(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	if ip == nil {
		return false
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ip.IsLoopback() || ok && local.IP.Equal(ip)
}

func ownOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return strings.EqualFold(origin, scheme+r.Host)
}

// Package graph is the part of Microsoft Graph that password writeback touches, over HTTP, as its reference
// documents it: authenticationMethod resetPassword (v1.0, and the beta's passwordMethods), the long-running
// operation that it starts, user changePassword, and enough of users to find one.
//
// Every body is JSON, errors too. Left out on purpose: OData queries beyond $select, other resources, permissions
// finer than administrator and user, throttling.
package graph

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"sync"

	"github.com/google/uuid"

	"passback/sim/cloud"
)

// PasswordMethodID is the well-known id of everybody's password method.
const PasswordMethodID = "28c10230-6103-485e-b985-444c60001490"

// maxBody bounds what a request may bring.
const maxBody = 64 << 10

// Options of a Handler. Tenant is required.
type Options struct {
	Tenant *cloud.Tenant
	Tokens map[string]string // bearer token to UPN
	Logger *slog.Logger      // default: discards
}

// A Handler serves Graph. Mount it with http.StripPrefix, so that it sees /v1.0/... and /beta/...; Location headers
// carry whatever was stripped.
type Handler struct {
	tenant *cloud.Tenant
	tokens map[string]string
	log    *slog.Logger
	mux    *http.ServeMux

	mu         sync.Mutex
	operations map[string]*operation
	order      []string // ids, oldest first
	running    sync.WaitGroup
	ctx        context.Context // ends with Close
	cancel     context.CancelFunc
}

// New makes a handler.
func New(o Options) *Handler {
	h := &Handler{tenant: o.Tenant, tokens: o.Tokens, log: o.Logger, mux: http.NewServeMux(), operations: map[string]*operation{}}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	for _, version := range []string{"v1.0", "beta"} {
		for pattern, handle := range map[string]func(*call) *problem{
			"GET /users":              (*call).listUsers,
			"GET /users/{user}":       (*call).getUser,
			"GET /me":                 (*call).getMe,
			"POST /me/changePassword": (*call).changePassword,
			"GET /users/{user}/authentication/operations/{operation}":          (*call).getOperation,
			"POST /users/{user}/authentication/methods/{method}/resetPassword": (*call).resetPassword,
			"GET /users/{user}/authentication/passwordMethods":                 (*call).listPasswordMethods,
		} {
			h.handle(version, pattern, handle)
		}
	}
	h.handle("beta", "POST /users/{user}/authentication/passwordMethods/{method}/resetPassword", (*call).resetPassword)
	return h
}

// Close waits for the operations that were started; the tenant's own Close ends those that wait for an answer.
func (h *Handler) Close() {
	h.cancel()
	h.running.Wait()
}

// call is one request of one signed-in user.
type call struct {
	h       *Handler
	w       http.ResponseWriter
	r       *http.Request
	version string
	caller  cloud.User
}

func (h *Handler) handle(version, pattern string, handle func(*call) *problem) {
	method, path, _ := strings.Cut(pattern, " ")
	h.mux.HandleFunc(method+" /"+version+path, func(w http.ResponseWriter, r *http.Request) {
		c := &call{h: h, w: w, r: r, version: version}
		var ok bool
		if c.caller, ok = h.authenticate(r); !ok {
			c.fail(errUnauthenticated)
			return
		}
		if p := handle(c); p != nil {
			c.fail(p)
		}
	})
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("request-id", uuid.NewString())
	if id := r.Header.Get("client-request-id"); uuid.Validate(id) == nil {
		w.Header().Set("client-request-id", id)
	}
	w.Header().Set("Cache-Control", "no-store")
	handler, pattern := h.mux.Handler(r)
	if pattern != "" {
		h.mux.ServeHTTP(w, r)
		return
	}
	// The mux would answer in plain text: learn from it which refusal it is, and say it in Graph's shape.
	refusal := &statusOnly{header: http.Header{}}
	handler.ServeHTTP(refusal, r)
	c := &call{h: h, w: w, r: r}
	if refusal.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", refusal.header.Get("Allow"))
		c.fail(errMethod)
		return
	}
	c.fail(errSegment)
}

// statusOnly keeps the status and the headers of an answer.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) Write(b []byte) (int, error) { return len(b), nil }
func (s *statusOnly) WriteHeader(status int)      { s.status = status }

const bearer = "Bearer "

func (h *Handler) authenticate(r *http.Request) (cloud.User, bool) {
	given := r.Header.Get("Authorization")
	if len(given) <= len(bearer) || given[:len(bearer)] != bearer {
		return cloud.User{}, false
	}
	for token, upn := range h.tokens {
		if subtle.ConstantTimeCompare([]byte(token), []byte(given[len(bearer):])) == 1 {
			return h.tenant.User(upn)
		}
	}
	return cloud.User{}, false
}

// body reads one JSON object, whole: fields that v does not know are refused, as Graph does.
func (c *call) body(v any) *problem {
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return errMediaType
	}
	d := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return errTooLarge
		}
		return errBadBody
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errBadBody
	}
	return nil
}

func (c *call) answer(status int, v any) {
	c.w.Header().Set("Content-Type", "application/json; odata.metadata=minimal; charset=utf-8")
	c.w.WriteHeader(status)
	_ = json.NewEncoder(c.w).Encode(v)
}

func (c *call) metadata(fragment string) string {
	return c.base() + "/$metadata#" + fragment
}

// base is the service's root as the client wrote it.
func (c *call) base() string {
	scheme := "http"
	if c.r.TLS != nil {
		scheme = "https"
	}
	path := c.r.RequestURI
	prefix, _, _ := strings.Cut(path, "/"+c.version+"/")
	prefix, _, _ = strings.Cut(prefix, "?")
	return scheme + "://" + c.r.Host + strings.TrimSuffix(prefix, "/"+c.version) + "/" + c.version
}

// Package web is the sandbox's pages for people: try a reset, a change or an unlock as one of the company's people,
// read the outcome, and see each hop that it took. Server-rendered, without a build step; the few lines of script
// only show a password that is being typed.
//
// Left out on purpose: proving who one is. A page acts as whoever it is told, because the world behind it is made up.
package web

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"passback/sim/cloud"
	"passback/sim/trace"
	"passback/writeback/protocol"
)

// Options are what the pages show and act on. Tenant is needed; the zero value of the rest shows less.
type Options struct {
	Tenant  *cloud.Tenant
	Trace   *trace.Recorder                            // default: operations without hops
	Now     func() time.Time                           // the domain's time; default: not shown
	Advance func(context.Context, time.Duration) error // moves it on; default: no buttons
	People  func() []Person                            // default: none to try
	Agents  func() []Agent                             // default: none listed
	Connect func() []Connection                        // default: no addresses listed
	Logger  *slog.Logger                               // default: discards
}

// A Person of the company whom one can be.
type Person struct {
	UPN, Name string
	Password  string // as seeded; it may have been changed since
	Shows     string // what trying this person shows
}

// An Agent as the tenant knows it.
type Agent struct {
	Name, Mode string
	Alive      bool
	LastBeat   time.Time // wire time; zero: none yet
	Detail     string
	Health     []protocol.Warning // what it says is wrong, consequences left out
}

// A Connection is an address, or a line to paste, for other tools.
type Connection struct{ Label, Value string }

//go:embed pages
var files embed.FS

type site struct {
	Options
	templates map[string]*template.Template
}

// New returns the pages, to be mounted at /.
func New(o Options) http.Handler {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &site{Options: o, templates: parse("overview", "form", "outcome", "operations", "audit", "signin")}
	static, err := fs.Sub(files, "pages/static")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(static)))
	mux.HandleFunc("GET /{$}", s.overview)
	mux.HandleFunc("GET /do", s.form)
	mux.HandleFunc("POST /do", s.perform)
	mux.HandleFunc("GET /operations", s.operations)
	mux.HandleFunc("GET /operations/{id}", s.operation)
	mux.HandleFunc("GET /signin", s.signInForm)
	mux.HandleFunc("POST /signin", s.signIn)
	mux.HandleFunc("GET /audit", s.audit)
	mux.HandleFunc("POST /clock", s.advance)
	return headers(mux)
}

// headers keep what a page shows, passwords among it, out of caches, frames and other origins.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; form-action 'self'")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

func parse(names ...string) map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, name := range names {
		all[name] = template.Must(template.New("layout.html").Funcs(functions).ParseFS(files, "pages/layout.html", "pages/parts.html", "pages/"+name+".html"))
	}
	return all
}

// show renders a page whole before a byte of it is sent.
func (s *site) show(w http.ResponseWriter, status int, name, title string, data any) {
	var page bytes.Buffer
	err := s.templates[name].Execute(&page, map[string]any{"Title": title, "Data": data, "Now": s.now()})
	if err != nil {
		s.Logger.Error("a page could not be rendered", "page", name, "error", err)
		http.Error(w, "This page could not be rendered: see the log.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w)
}

func (s *site) now() time.Time {
	if s.Now == nil {
		return time.Time{}
	}
	return s.Now()
}

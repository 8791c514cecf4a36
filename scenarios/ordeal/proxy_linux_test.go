package ordeal_test

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// A proxy passes CONNECT on (RFC 9110 section 9.3.6) for those who prove who they are (RFC 7617).
type proxy struct {
	address string
	wants   string // the Proxy-Authorization header

	mu      sync.Mutex
	asked   map[string]bool // the targets
	refused int             // requests without proof
}

func startProxy(t *testing.T, ip, user, password string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "3128"))
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: l.Addr().String(), wants: "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)), asked: map[string]bool{}}
	server := httptest.NewUnstartedServer(p)
	server.Listener.Close()
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	return p
}

func (p *proxy) targets() (all []string, refused int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for target := range p.asked {
		all = append(all, target)
	}
	return all, p.refused
}

// ServeHTTP implements http.Handler.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	allowed := r.Header.Get("Proxy-Authorization") == p.wants
	if allowed {
		p.asked[r.Host] = true
	} else {
		p.refused++
	}
	p.mu.Unlock()
	if !allowed {
		w.Header().Set("Proxy-Authenticate", `Basic realm="perimeter"`)
		http.Error(w, "say who you are", http.StatusProxyAuthRequired)
		return
	}
	up, err := net.Dial("tcp", r.Host)
	if r.Method != http.MethodConnect || err != nil {
		http.Error(w, "want CONNECT to a host that is there", http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	down, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		up.Close()
		return
	}
	go func() {
		defer up.Close()
		_, _ = io.Copy(up, buffered)
	}()
	go func() {
		defer down.Close()
		_, _ = io.Copy(down, up)
	}()
}

// withoutSecrets reports whether none of the secrets stands in text.
func withoutSecrets(text string, secrets ...string) bool {
	for _, s := range secrets {
		if strings.Contains(text, s) {
			return false
		}
	}
	return true
}

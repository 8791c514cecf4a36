package directory_test

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"
	"time"

	"passback/localca"
	"passback/writeback/directory"
	"passback/writeback/protocol"
)

func TestStartTLS(t *testing.T) {
	l := newLab(t)
	plain := hostOf(l.address) // port 389
	if l.fake != nil {
		plain = strings.TrimPrefix(l.fake.LDAPURL(), "ldap://")
	}
	dn, guid := l.addUser("maple", nil)
	l.replace(dn, "pwdLastSet", "0")
	c := l.connect(l.open(func(o *directory.Options) { o.StartTLS, o.Servers = true, []string{plain} }))
	l.must(c.Modify(t.Context(), l.find(c, guid), directory.Modification{New: protocol.NewSecret("Spring-Evening-42"), Mark: []string{"one"}}))
	l.replace(dn, "pwdLastSet", "-1")
	if !l.binds(dn, "Spring-Evening-42") {
		t.Error("the password does not bind")
	}
	if f := c.Facts(); f.TLS < "TLS 1.2" {
		t.Errorf("it speaks %q", f.TLS)
	}
	d := l.open(func(o *directory.Options) { o.StartTLS, o.Servers, o.Roots = true, []string{plain}, nil })
	if _, err := d.Open(t.Context(), l.host); directory.KindOf(err) != directory.Unreachable || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an untrusted certificate: %v", err)
	}
}

func TestAnUntrustedCertificate(t *testing.T) {
	l := newLab(t)
	d := l.open(func(o *directory.Options) { o.Roots = nil }) // the system's
	if _, err := d.Open(t.Context(), l.host); directory.KindOf(err) != directory.Unreachable || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
}

func TestTLSOfAnOlderVersion(t *testing.T) {
	l := newLab(t)
	ca, err := localca.New()
	l.must(err)
	config, err := ca.ServerConfig()
	l.must(err)
	config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	l.must(err)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.(*tls.Conn).Handshake()
			_ = conn.Close()
		}
	}()
	d := l.open(func(o *directory.Options) { o.Servers, o.Roots = []string{listener.Addr().String()}, ca.Pool() })
	if _, err := d.Open(t.Context(), l.host); directory.KindOf(err) != directory.Unreachable || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("got %v", err)
	}
}

func TestAModifyWithoutAnAnswer(t *testing.T) {
	l := newLab(t)
	dn, guid := l.addUser("lost", nil)
	l.replace(dn, "pwdLastSet", "0")
	g := &gate{}
	d := l.open(func(o *directory.Options) { o.Dial, o.Timeout = g.dial, 1500*time.Millisecond })
	c := l.connect(d)
	user := l.find(c, guid)
	g.shut()
	err := c.Modify(t.Context(), user, directory.Modification{New: protocol.NewSecret("Spring-Evening-42"), Mark: []string{"one"}})
	if directory.KindOf(err) != directory.NoAnswer {
		t.Fatalf("got %v, want no answer", err)
	}
	if err := c.Modify(t.Context(), user, directory.Modification{Mark: []string{"two"}}); directory.KindOf(err) != directory.Unreachable {
		t.Errorf("a connection that was cut off: %v, want that nothing was sent", err)
	}
	c.Release()
	again := l.connect(d)
	if after, err := again.Read(t.Context(), guid); err != nil || !slices.Equal(after.Markers, []string{"one"}) {
		t.Errorf("on another connection: markers %v, %v; want what was sent", after.Markers, err)
	}
}

func TestAnIdleConnectionThatDied(t *testing.T) {
	l := newLab(t)
	g := &gate{}
	d := l.open(func(o *directory.Options) { o.Dial, o.Timeout = g.dial, 1500*time.Millisecond })
	use := func(wantDials int) {
		t.Helper()
		c, err := d.Open(t.Context(), l.host)
		l.must(err)
		c.Release()
		if n := len(g.dials()); n != wantDials {
			t.Fatalf("connected %d times, want %d", n, wantDials)
		}
	}
	use(1)
	use(1)
	g.shut()
	use(2)
}

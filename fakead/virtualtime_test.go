package fakead_test

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// A pipeListener accepts net.Pipes: an in-memory network for virtual time.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

func (l *pipeListener) dial() net.Conn {
	client, server := net.Pipe()
	l.conns <- server
	return client
}

// serveVirtually starts a domain controller on an in-memory network.
func serveVirtually(t *testing.T) (*fakead.Server, *pipeListener) {
	t.Helper()
	dc := fakead.RunT(t, fakead.Options{LDAPPort: -1, LDAPSPort: -1})
	l := newPipeListener()
	go func() { _ = dc.Serve(l) }()
	return dc, l
}

func TestIdleClientsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, l := serveVirtually(t)
		for _, c := range []struct {
			name     string
			requests int
			want     time.Duration
		}{
			{"no request", 0, 120 * time.Second},
			{"after a request", 1, 900 * time.Second},
			{"after two", 2, 900 * time.Second},
		} {
			conn := l.dial()
			for i := range c.requests {
				time.Sleep(100 * time.Second)
				if _, err := conn.Write(message(int64(i+1), bindOperation(3, "", "")).Bytes()); err != nil {
					t.Fatal(err)
				}
				if _, err := ber.ReadPacket(conn); err != nil {
					t.Fatal(err)
				}
			}
			start := time.Now()
			if _, err := conn.Read(make([]byte, 1)); err == nil || time.Since(start) != c.want {
				t.Errorf("%s: closed after %s (%v), want %s", c.name, time.Since(start), err, c.want)
			}
		}
	})
}

// With no clock of its own a domain controller follows package time: half an hour's lockout passes at once.
func TestLockoutInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dc, l := serveVirtually(t)
		policy := dc.Policy()
		policy.LockoutThreshold = 1
		dc.SetPolicy(policy)
		seed(t, dc, fakead.User{SAM: "alice"})
		bind := func(password string) error {
			c := ldap.NewConn(l.dial(), false)
			c.Start()
			defer c.Close()
			return c.Bind("alice@corp.example", password)
		}
		expect(t, "wrong password", bind("no"), 49, bindText("52e"))
		expect(t, "locked", bind(oldPassword), 49, bindText("775"))
		time.Sleep(30*time.Minute - time.Second)
		expect(t, "a second too soon", bind(oldPassword), 49, bindText("775"))
		time.Sleep(time.Second)
		expect(t, "after half an hour", bind(oldPassword), 0, "")
	})
}

package amqp_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"

	"passback/fakerelay/amqp"
)

// server listens on a socket and serves every connection with cfg and the handler that handle gives it.
type server struct {
	addr string
	mu   sync.Mutex
	ends []chan error
}

func serve(t testing.TB, cfg amqp.Config, h amqp.Handler) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{addr: l.Addr().String()}
	ctx, cancel := context.WithCancel(context.Background())
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			end := make(chan error, 1)
			s.mu.Lock()
			s.ends = append(s.ends, end)
			s.mu.Unlock()
			conns.Go(func() { end <- amqp.NewConn(nc, cfg, h).Serve(ctx) })
		}
	})
	t.Cleanup(func() {
		cancel()
		l.Close()
		conns.Wait() // a goroutine that does not end hangs the test
	})
	return s
}

// end waits for the end of the n-th connection and gives what Serve returned.
func (s *server) end(t testing.TB, n int) error {
	t.Helper()
	s.mu.Lock()
	end := s.ends[n]
	s.mu.Unlock()
	select {
	case err := <-end:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("the connection did not end")
		return nil
	}
}

func dial(t testing.TB, s *server, o *goamqp.ConnOptions) *goamqp.Conn {
	t.Helper()
	c, err := goamqp.Dial(testContext(t), "amqp://"+s.addr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func session(t testing.TB, c *goamqp.Conn) *goamqp.Session {
	t.Helper()
	s, err := c.NewSession(testContext(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// wait fails the test unless something comes from c.
func wait[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

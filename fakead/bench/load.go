package main

// The load: some connections, each with one request on its way at a time.

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"passback/clock"
)

// A server is a process under load.
type server struct {
	name        string
	pid         int
	ldap, ldaps string // addresses
	tls         *tls.Config
	admin       string // DN
	password    string
	base        string
	people      string // where the users lie
	users       int    // how many it has
	stop        func()
}

// A client is one connection.
type client struct {
	conn   net.Conn
	reader *bufio.Reader
}

func (s *server) dial(ctx context.Context, secure bool) (*client, error) {
	address := s.ldap
	if secure {
		address = s.ldaps
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", s.name, err)
	}
	if secure {
		conn = tls.Client(conn, s.tls)
	}
	return &client{conn, bufio.NewReaderSize(conn, 16<<10)}, nil
}

// connect dials and binds as the administrator.
func (s *server) connect(ctx context.Context, secure bool) (*client, error) {
	c, err := s.dial(ctx, secure)
	if err != nil {
		return nil, err
	}
	if err := c.do(bindRequest(s.admin, s.password)); err != nil {
		c.conn.Close()
		return nil, fmt.Errorf("bind to %s: %w", s.name, err)
	}
	return c, nil
}

// do sends one request and waits for its end.
func (c *client) do(request []byte, good ...byte) error {
	if _, err := c.conn.Write(request); err != nil {
		return fmt.Errorf("send a request: %w", err)
	}
	_, err := answer(c.reader, good...)
	return err
}

// A figure is what one turn showed.
type figure struct {
	rate float64       // operations a second
	cpu  time.Duration // of the server, an operation
}

// load sends requests on n connections for some time, each connection its own part of them in turn.
func (s *server) load(ctx context.Context, secure bool, n int, requests [][]byte, turn time.Duration) (figure, error) {
	clients := make([]*client, n)
	for i := range clients {
		c, err := s.connect(ctx, secure)
		if err != nil {
			return figure{}, err
		}
		defer c.conn.Close()
		clients[i] = c
	}
	var done atomic.Int64
	errs := make(chan error, n)
	var all sync.WaitGroup
	before, err := cpuTime(s.pid)
	if err != nil {
		return figure{}, err
	}
	begin := clock.Real().Now()
	end := begin.Add(turn)
	for i, c := range clients {
		all.Go(func() {
			for j := i; clock.Real().Now().Before(end); j += n {
				if err := c.do(requests[j%len(requests)]); err != nil {
					errs <- err
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	took := clock.Real().Now().Sub(begin)
	after, err := cpuTime(s.pid)
	if err != nil {
		return figure{}, err
	}
	select {
	case err := <-errs:
		return figure{}, fmt.Errorf("%s: %w", s.name, err)
	default:
	}
	count := max(done.Load(), 1)
	return figure{rate: float64(count) / took.Seconds(), cpu: (after - before) / time.Duration(count)}, nil
}

package directory_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A gate stands between an agent and its controller: it counts connections, leads them to one address if told,
// and can be shut, so that whatever is connected then hears nothing more.
type gate struct {
	lead string

	mu      sync.Mutex
	dialled []string
	open    []*gated
}

func (g *gate) dial(ctx context.Context, network, address string) (net.Conn, error) {
	g.mu.Lock()
	g.dialled = append(g.dialled, address)
	g.mu.Unlock()
	if g.lead != "" {
		address = g.lead
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	through := &gated{TCPConn: conn.(*net.TCPConn)}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = append(g.open, through)
	return through, nil
}

func (g *gate) dials() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.dialled
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.open {
		c.deaf.Store(true)
	}
}

type gated struct {
	*net.TCPConn
	deaf atomic.Bool
}

func (c *gated) Read(b []byte) (int, error) {
	for {
		n, err := c.TCPConn.Read(b)
		if err != nil || !c.deaf.Load() {
			return n, err
		}
	}
}

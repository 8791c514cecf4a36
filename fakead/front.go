package fakead

// The front: everything between a listener and gldap. It owns the sockets, TLS, the limits of MS-ADTS
// 3.1.1.3.4.6 and the order of operations, and it answers itself what gldap would drop the connection for.

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"passback/clock"
)

// Times of MS-ADTS 3.1.1.3.4.6, on the wire's clock.
const (
	initRecvTimeout  = 120 * time.Second // for the first request, and for a TLS handshake
	maxConnIdleTime  = 900 * time.Second // between requests
	maxQueryDuration = 120 * time.Second // for a client to take what it asked for
	drainTimeout     = time.Second       // for a client to take what is on its way when the server closes
)

// A port is how connections to a listener are served.
type port struct {
	tls     *tls.Config // nil: LDAP
	catalog bool        // the global catalog's
}

// The front keeps the connections of one Server.
type front struct {
	server         *Server
	maxConnections int

	mu          sync.Mutex
	closed      bool
	dropped     bool // the domain controller is down
	listeners   map[net.Listener]struct{}
	connections map[*connection]struct{}
	serving     sync.WaitGroup // connections and accept loops
	closing     chan struct{}
}

func newFront(s *Server, maxConnections int) *front {
	return &front{
		server:         s,
		maxConnections: maxConnections,
		listeners:      map[net.Listener]struct{}{},
		connections:    map[*connection]struct{}{},
		closing:        make(chan struct{}),
	}
}

// serve accepts connections until the listener or the front is closed.
func (f *front) serve(l net.Listener, p port) error {
	if !f.addListener(l) {
		_ = l.Close()
		return net.ErrClosed
	}
	return f.accept(l, p)
}

// accept serves a listener that was added.
func (f *front) accept(l net.Listener, p port) error {
	defer f.serving.Done()
	for {
		nc, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept LDAP connections: %w", err)
		}
		if c := f.admit(nc, p); c != nil {
			go func() {
				defer f.release(c)
				c.serve(p.tls)
			}()
		}
	}
}

func (f *front) addListener(l net.Listener) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.dropped {
		return false
	}
	f.listeners[l] = struct{}{}
	f.serving.Add(1)
	return true
}

// admit registers a connection. At the limit the one that has been idle longest makes room, as on a DC.
func (f *front) admit(nc net.Conn, p port) *connection {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.dropped {
		_ = nc.Close()
		return nil
	}
	if len(f.connections) >= f.maxConnections {
		f.idlest().stop()
	}
	c := newConnection(f, nc, p.catalog)
	f.connections[c] = struct{}{}
	f.serving.Add(1)
	return c
}

func (f *front) idlest() *connection {
	var idlest *connection
	for c := range f.connections {
		if idlest == nil || c.active.Load() < idlest.active.Load() {
			idlest = c
		}
	}
	return idlest
}

func (f *front) release(c *connection) {
	c.stop()
	f.mu.Lock()
	delete(f.connections, c)
	f.mu.Unlock()
	f.serving.Done()
}

// close stops listening, tells every client, closes its connection and waits for handlers to return.
func (f *front) close() {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		f.serving.Wait()
		return
	}
	f.closed = true
	close(f.closing)
	for l := range f.listeners {
		_ = l.Close()
	}
	connections := make([]*connection, 0, len(f.connections))
	for c := range f.connections {
		connections = append(connections, c)
	}
	f.mu.Unlock()
	var told sync.WaitGroup
	for _, c := range connections {
		_ = c.raw.SetWriteDeadline(in(drainTimeout)) // frees a writer whose client does not read
		told.Go(func() { c.disconnect(codeUnavailable, f.server.text.shuttingDown()) })
	}
	told.Wait()
	f.serving.Wait()
}

// sendTimeout is how long one response may take to send.
func (f *front) sendTimeout() time.Duration {
	select {
	case <-f.closing:
		return drainTimeout
	default:
		return maxQueryDuration
	}
}

// in is the instant after d on the wire's clock, for deadlines.
func in(d time.Duration) time.Time { return clock.Real().Now().Add(d) }

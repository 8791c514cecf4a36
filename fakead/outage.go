package fakead

// A domain controller that is down, or slow.

import (
	"context"
	"fmt"
	"net"
	"time"

	"passback/clock"
)

// Stop takes the domain controller down as a power failure does: its ports refuse connections, its clients' break
// without a word, nothing is replicated. What it holds stays. A listener given to Serve is closed for good.
func (s *Server) Stop() {
	s.down.Store(true)
	s.front.drop()
}

// Start brings a domain controller that was stopped up again, on the same ports. It replicates before it returns.
func (s *Server) Start() error {
	if !s.down.Load() {
		return nil
	}
	s.front.resume()
	for _, own := range s.ownPorts() {
		if own.listener == nil {
			continue
		}
		l, err := listenAgain(own.listener.Addr().String())
		if err != nil {
			return fmt.Errorf("start %s again: %w", s.HostName(), err)
		}
		s.serveOwn(l, own.port)
	}
	s.down.Store(false)
	s.Replicate()
	return nil
}

// listenAgain is patient: another program's connection may have been given the port at meanwhile.
func listenAgain(address string) (l net.Listener, err error) {
	for deadline := clock.Real().Now().Add(patienceWithPort); ; {
		if l, err = net.Listen("tcp", address); err == nil || clock.Real().Now().After(deadline) {
			return l, err //nolint:wrapcheck // the caller says what for
		}
		_ = clock.Sleep(context.Background(), clock.Real(), 10*time.Millisecond)
	}
}

const patienceWithPort = 5 * time.Second

// IsDown tells whether the domain controller is stopped.
func (s *Server) IsDown() bool { return s.down.Load() }

// SetDelay makes the domain controller wait before each operation, on the wire's clock; 0 ends that.
func (s *Server) SetDelay(d time.Duration) { s.delay.Store(int64(d)) }

// dawdle waits as SetDelay asks; false: the connection ended at meanwhile.
func (c *connection) dawdle() bool {
	d := time.Duration(c.front.server.delay.Load())
	if d <= 0 {
		return true
	}
	passed := make(chan struct{})
	t := clock.Real().AfterFunc(d, func() { close(passed) })
	defer t.Stop()
	select {
	case <-passed:
		return true
	case <-c.stopped:
		return false
	case <-c.front.closing:
		return false
	}
}

// drop closes all listeners and connections, and takes no more until resume.
func (f *front) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dropped = true
	for l := range f.listeners {
		_ = l.Close()
	}
	clear(f.listeners)
	for c := range f.connections {
		c.stop()
	}
}

func (f *front) resume() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dropped = false
}

package targets

import (
	"fmt"
	"io"
	"net"
	"sync"

	"passback/clock"
)

// A forwarder carries TCP connections to one address, and can stop: then nobody gets through, as when a server or a
// line is down.
type forwarder struct {
	to   string
	here string // host:port

	mu       sync.Mutex
	listener net.Listener // nil: stopped
	conns    map[net.Conn]bool
}

func forward(to string) (*forwarder, error) {
	f := &forwarder{to: to, here: net.JoinHostPort(loopback, "0"), conns: map[net.Conn]bool{}}
	if err := f.listen(); err != nil {
		return nil, err
	}
	f.here = f.listener.Addr().String()
	return f, nil
}

func (f *forwarder) address() string { return f.here }

func (f *forwarder) listen() error {
	l, err := net.Listen("tcp", f.here)
	if err != nil {
		return fmt.Errorf("forward to the directory: %w", err)
	}
	f.mu.Lock()
	f.listener = l
	f.mu.Unlock()
	go f.accept(l)
	return nil
}

// start lets connections through again, on the same port.
func (f *forwarder) start() { _ = f.listen() }

// stop ends every connection and refuses others.
func (f *forwarder) stop() {
	f.mu.Lock()
	if f.listener != nil {
		_ = f.listener.Close()
		f.listener = nil
	}
	f.mu.Unlock()
	f.cut()
}

// cut ends every connection.
func (f *forwarder) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		_ = c.Close()
	}
}

func (f *forwarder) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go f.carry(c)
	}
}

func (f *forwarder) carry(here net.Conn) {
	defer here.Close()
	there, err := net.DialTimeout("tcp", f.to, ldapTimeout)
	if err != nil {
		return
	}
	defer there.Close()
	f.mu.Lock()
	f.conns[here], f.conns[there] = true, true
	stopped := f.listener == nil
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.conns, here)
		delete(f.conns, there)
	}()
	if stopped {
		return
	}
	go func() {
		_, _ = io.Copy(there, here)
		_ = there.SetDeadline(clock.Real().Now()) // ends the other direction
	}()
	_, _ = io.Copy(here, there)
}

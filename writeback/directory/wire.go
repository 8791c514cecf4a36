package directory

import (
	"net"
	"sync/atomic"
	"time"

	"passback/clock"
)

// A wire is the TCP connection below TLS. go-ldap sets no write deadline, and does not tell whether a request
// left: the wire does both.
type wire struct {
	net.Conn
	timeout time.Duration
	writes  atomic.Int64 // attempted, whether or not they succeeded
}

func (w *wire) Write(b []byte) (int, error) {
	w.writes.Add(1)
	if err := w.SetWriteDeadline(clock.Real().Now().Add(w.timeout)); err != nil {
		return 0, err //nolint:wrapcheck // a net.Conn returns the connection's own errors
	}
	return w.Conn.Write(b) //nolint:wrapcheck // as above
}

// reset drops the connection at once: with linger 0 the kernel forgets what it has not delivered yet, instead of
// trying for a quarter of an hour.
func (w *wire) reset() {
	if tcp, ok := w.Conn.(interface{ SetLinger(sec int) error }); ok {
		_ = tcp.SetLinger(0) // an error means that the connection is gone already
	}
	_ = w.Close()
}

//go:build unix

package fakerelay

import (
	"errors"
	"net"
	"syscall"
)

// A directWriter writes to a socket what it takes at once. A deadline for that would cost more than the write: the
// runtime wakes a thread to look after each.
type directWriter struct {
	socket syscall.RawConn
	try    func(fd uintptr) bool // writes b; made once, since it would be allocated each time
	b      []byte
	n      int
	err    error
}

// directWrites gives amqp.Config.TryWrite; nil: there is no such way.
func directWrites(nc net.Conn) func([]byte) (int, error) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	socket, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	w := &directWriter{socket: socket}
	w.try = func(fd uintptr) bool {
		w.n, w.err = syscall.Write(int(fd), w.b)
		return true // whatever came of it
	}
	return w.write
}

func (w *directWriter) write(b []byte) (int, error) {
	w.b = b
	err := w.socket.Write(w.try)
	w.b = nil
	switch {
	case err != nil:
		return 0, err //nolint:wrapcheck // amqp does
	case errors.Is(w.err, syscall.EAGAIN), errors.Is(w.err, syscall.EINTR):
		return 0, nil
	case w.err != nil:
		return 0, w.err
	}
	return w.n, nil
}

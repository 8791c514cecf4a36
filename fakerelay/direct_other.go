//go:build !unix

package fakerelay

import "net"

// directWrites is nil where sockets do not write without waiting.
func directWrites(net.Conn) func([]byte) (int, error) { return nil }

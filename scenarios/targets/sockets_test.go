package targets

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// The test's own process is looked into: what it opens must be seen, or the scenarios could not fail.
func TestSocketsOfAProcessAreSeen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux's /proc")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	local, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	seen, err := socketsOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{listener.Addr().String(), "udp " + packets.LocalAddr().String(), "unix " + local.Addr().String()} {
		if !slices.Contains(seen.Listening, want) {
			t.Errorf("listening on %v, want %s among them", seen.Listening, want)
		}
	}
	if !slices.Contains(seen.Peers, listener.Addr().String()) {
		t.Errorf("connected to %v, want %s among them", seen.Peers, listener.Addr())
	}
	listener.Close()
	conn.Close()
	if seen, err = socketsOf(os.Getpid()); err != nil || slices.Contains(seen.Listening, listener.Addr().String()) {
		t.Errorf("listening on %v after closing, %v", seen.Listening, err)
	}
}

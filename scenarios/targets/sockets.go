package targets

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"passback/scenarios"
)

// What a process listens on and is connected to, from Linux's /proc (proc_pid_net(5)): the sockets among its open
// files, found by inode in the lists of TCP, UDP and local sockets.

// States of a TCP socket in /proc/net/tcp (the kernel's tcp_states.h).
const (
	tcpListen = 0x0A
)

// socketLists tells of each list which columns hold what.
var socketLists = []struct {
	file        string
	local, peer int // columns; peer -1: none
	state       int
	inode       int
}{
	{"tcp", 1, 2, 3, 9}, {"tcp6", 1, 2, 3, 9}, {"udp", 1, 2, 3, 9}, {"udp6", 1, 2, 3, 9},
}

// socketsOf looks once. A process that has gone has none.
func socketsOf(pid int) (scenarios.Sockets, error) {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	inodes := socketInodes(proc)
	var seen scenarios.Sockets
	if len(inodes) == 0 {
		return seen, nil
	}
	for _, list := range socketLists {
		rows, err := rowsOf(filepath.Join(proc, "net", list.file))
		if err != nil {
			return seen, err
		}
		for _, row := range rows {
			if len(row) <= list.inode || !slices.Contains(inodes, row[list.inode]) {
				continue
			}
			local, peer := address(row[list.local]), address(row[list.peer])
			state, _ := strconv.ParseUint(row[list.state], 16, 8)
			switch {
			case strings.HasPrefix(list.file, "tcp") && state == tcpListen:
				seen.Listening = append(seen.Listening, local)
			case strings.HasPrefix(list.file, "udp") && strings.HasSuffix(peer, ":0"):
				seen.Listening = append(seen.Listening, list.file+" "+local)
			case !strings.HasSuffix(peer, ":0"):
				seen.Peers = append(seen.Peers, peer)
			}
		}
	}
	listening, err := localListeners(proc, inodes)
	seen.Listening = append(seen.Listening, listening...)
	return seen, err
}

// socketInodes lists the sockets among a process's files.
func socketInodes(proc string) []string {
	links, _ := filepath.Glob(filepath.Join(proc, "fd", "*"))
	var inodes []string
	for _, link := range links {
		to, err := os.Readlink(link)
		if err != nil {
			continue // closed meanwhile
		}
		if inode, ok := strings.CutPrefix(to, "socket:["); ok {
			inodes = append(inodes, strings.TrimSuffix(inode, "]"))
		}
	}
	return inodes
}

func rowsOf(file string) ([][]string, error) {
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil, nil // no IPv6, or the process has gone
	}
	if err != nil {
		return nil, fmt.Errorf("look into a process's sockets: %w", err)
	}
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		rows = append(rows, strings.Fields(line))
	}
	return rows, nil
}

// address reads 0100007F:1F90: each word of the address is in the machine's order, the port is not.
func address(text string) string {
	host, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	n, err2 := strconv.ParseUint(port, 16, 16)
	if err != nil || err2 != nil || len(raw)%4 != 0 {
		return text
	}
	ip := make(net.IP, 0, len(raw))
	for i := 0; i < len(raw); i += 4 {
		ip = binary.NativeEndian.AppendUint32(ip, binary.BigEndian.Uint32(raw[i:]))
	}
	return net.JoinHostPort(ip.String(), strconv.FormatUint(n, 10))
}

// localListeners are Unix sockets that accept (the __SO_ACCEPTCON flag).
func localListeners(proc string, inodes []string) ([]string, error) {
	const flags, inode, acceptsConnections = 3, 6, 0x10000
	rows, err := rowsOf(filepath.Join(proc, "net", "unix"))
	var listening []string
	for _, row := range rows {
		if len(row) <= inode || !slices.Contains(inodes, row[inode]) {
			continue
		}
		if f, _ := strconv.ParseUint(row[flags], 16, 32); f&acceptsConnections != 0 {
			listening = append(listening, strings.TrimSpace("unix "+strings.Join(row[inode+1:], " ")))
		}
	}
	return listening, err
}

package ordeal_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"passback/clock"
)

// What listens in the namespace of a process, from /proc (proc_pid_net(5)): the agent is alone in its own.

const (
	tcpListen    = "0A"       // the kernel's tcp_states.h
	acceptsFlag  = "00010000" // __SO_ACCEPTCON of a Unix socket
	lookEvery    = 5 * time.Millisecond
	nothingAtAll = "00000000000000000000000000000000:0000" // an IPv6 peer; an IPv4 one is its end
)

// listeners are the sockets that accept connections, or datagrams of anybody.
func listeners(pid int) (all []string) {
	for file, column := range map[string]int{"tcp": 3, "tcp6": 3, "udp": 2, "udp6": 2, "unix": 3} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, file))
		if err != nil {
			continue // it has ended, or there is no IPv6
		}
		for line := range strings.Lines(string(text)) {
			row := strings.Fields(line)
			if len(row) <= column {
				continue
			}
			value := row[column]
			if value == tcpListen || value == acceptsFlag || strings.HasPrefix(file, "udp") && strings.HasSuffix(nothingAtAll, value) {
				all = append(all, file+" "+line)
			}
		}
	}
	return all
}

// isIn reports whether a process has entered a namespace.
func isIn(pid int, namespace string) bool {
	here, err := os.Stat(fmt.Sprintf("/proc/%d/ns/net", pid))
	there, err2 := os.Stat("/run/netns/" + namespace)
	return err == nil && err2 == nil && os.SameFile(here, there)
}

// watch looks again and again, once the process is in its namespace, until stop is called, which tells what was seen,
// and how often it looked.
func watch(pid int, namespace string) (stop func() (seen []string, looks int)) {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	var seen []string
	looks := 0
	watching.Go(func() {
		for ctx.Err() == nil {
			if isIn(pid, namespace) {
				seen = append(seen, listeners(pid)...)
				looks++
			}
			_ = clock.Sleep(ctx, clock.Real(), lookEvery)
		}
	})
	return func() ([]string, int) {
		cancel()
		watching.Wait()
		return seen, looks
	}
}

package writeback

// The service manager's side: sd_notify(3) datagrams to the socket that NOTIFY_SOCKET names, and the watchdog that
// WATCHDOG_USEC asks for. Left out on purpose: everything else that the protocol can say.

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"passback/clock"
)

// A supervisor hears how the agent is. The zero value is nobody.
type supervisor struct {
	conn     net.Conn
	interval time.Duration // within which it wants to hear something; 0: whenever
}

const supervisorTimeout = time.Second

// findSupervisor looks into the environment.
func findSupervisor() (supervisor, error) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return supervisor{}, nil
	}
	conn, err := net.Dial("unixgram", path) // a leading @ is an abstract one, here as there
	if err != nil {
		return supervisor{}, fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	s := supervisor{conn: conn}
	usec, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if pid := os.Getenv("WATCHDOG_PID"); err == nil && usec > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		s.interval = time.Duration(usec) * time.Microsecond
	}
	return s, nil
}

// tell sends one message. A manager that does not listen is no reason to stop.
func (s supervisor) tell(message string) {
	if s.conn == nil {
		return
	}
	_ = s.conn.SetWriteDeadline(clock.Real().Now().Add(supervisorTimeout))
	_, _ = s.conn.Write([]byte(message))
}

// alive says that the agent has just looked at itself, so that no lock is held for ever.
func (s supervisor) alive(status Status) {
	state := "takes requests"
	if !status.TakesRequests {
		state = status.Reason
	}
	s.tell("READY=1\nWATCHDOG=1\nSTATUS=" + state + "; requests: " + status.counts())
}

// every is how often alive is said.
func (s supervisor) every() time.Duration {
	if s.interval > 0 {
		return min(statusInterval, s.interval/3)
	}
	return statusInterval
}

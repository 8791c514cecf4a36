package main

// The CPU time of a server, which may be many processes: Samba has one for each connection.

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const tick = 10 * time.Millisecond // of /proc: USER_HZ is 100 on every architecture that Go knows

// cpuTime is what all processes of the session of pid have spent, with those that have ended.
func cpuTime(pid int) (time.Duration, error) {
	own, err := statOf(strconv.Itoa(pid))
	if err != nil {
		return 0, err
	}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	var total time.Duration
	for _, file := range files {
		st, err := statOf(filepath.Base(filepath.Dir(file)))
		if err == nil && st.session == own.session { // else it has just ended
			total += st.cpu
		}
	}
	return total, nil
}

type stat struct {
	session string
	cpu     time.Duration
}

// ownCPUTime is what this process has spent.
func ownCPUTime() (time.Duration, error) {
	st, err := statOf("self")
	return st.cpu, err
}

// statOf reads /proc/PID/stat, see proc(5).
func statOf(pid string) (stat, error) {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return stat{}, fmt.Errorf("read a process's CPU time: %w", err)
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // from state, the third, on
	var ticks int64
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return stat{}, fmt.Errorf("read a process's CPU time: %w", err)
		}
		ticks += n
	}
	return stat{session: fields[3], cpu: time.Duration(ticks) * tick}, nil
}

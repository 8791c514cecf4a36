package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ownGroup has the command be the leader of a process group, before it starts.
func (b *broker) ownGroup() { b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// terminate asks the whole group to end.
func (b *broker) terminate() { _ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGTERM) }

// tick is the unit of /proc's CPU times: 1/100 s on every Linux that Go runs on (USER_HZ).
const tick = 10 * time.Millisecond

// cpuTime is what the processes of the broker's group have used, in the kernel and out of it (proc(5), stat).
func (b *broker) cpuTime() (time.Duration, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, fmt.Errorf("list the processes: %w", err)
	}
	group := strconv.Itoa(b.cmd.Process.Pid)
	var ticks int64
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// The name, in parentheses, may hold anything; the state, the parent and the group follow it.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if fields[2] != group {
			continue
		}
		for _, field := range fields[11:13] { // utime, stime
			n, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", path, err)
			}
			ticks += n
		}
	}
	return time.Duration(ticks) * tick, nil
}

// ownCPUTime is what this process has used (getrusage(2)).
func ownCPUTime() (time.Duration, error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0, fmt.Errorf("ask for the CPU time: %w", err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), nil
}

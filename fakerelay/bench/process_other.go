//go:build !linux

package main

import (
	"errors"
	"time"
)

func (b *broker) ownGroup() {}

func (b *broker) terminate() { _ = b.cmd.Process.Kill() }

func (b *broker) cpuTime() (time.Duration, error) {
	return 0, errors.New("the CPU of another process is read from /proc: Linux only")
}

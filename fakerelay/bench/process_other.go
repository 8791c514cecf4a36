//go:build !linux

package main

import (
	"errors"
	"time"
)

func (b *broker) ownGroup() {}

func (b *broker) terminate() { _ = b.cmd.Process.Kill() }

var errNoCPUTime = errors.New("CPU times are read on Linux only")

func (b *broker) cpuTime() (time.Duration, error) { return 0, errNoCPUTime }

func ownCPUTime() (time.Duration, error) { return 0, errNoCPUTime }

package main

import (
	"fmt"
	"io"
	"time"

	"passback/clock"
)

// progressEvery is how often a long load says how far it has come.
const progressEvery = 2 * time.Second

// progress is a file on its way in, which says how much of it has been read, once that takes longer.
type progress struct {
	io.Reader
	name string
	size int64 // bytes
	read int64
	said time.Time
	to   io.Writer
}

func newProgress(file io.Reader, name string, size int64, to io.Writer) *progress {
	return &progress{Reader: file, name: name, size: size, said: clock.Real().Now(), to: to}
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	p.read += int64(n)
	if now := clock.Real().Now(); now.Sub(p.said) >= progressEvery {
		p.said = now
		if p.size > 0 {
			fmt.Fprintf(p.to, "%s: %d %% of %d MB\n", p.name, p.read*100/p.size, p.size/1_000_000)
		} else { // a pipe
			fmt.Fprintf(p.to, "%s: %d MB\n", p.name, p.read/1_000_000)
		}
	}
	return n, err //nolint:wrapcheck // as an io.Reader
}

package amqp

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Waking the writer for a frame or two costs more than to write them. Where the network connection allows it
// (Config.TryWrite), the goroutine that made them therefore does so, but does not wait for a peer that does not read:
// what does not go at once is left to the writer.

// Flush writes what was sent with Outgoing.Flushed set, and all else that waits to be written: to be called once nothing
// more is to be sent now.
func (c *Conn) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flush()
}

// FlushWith has other, which may be c itself, flushed before c's reader waits for its next frame, so that what several
// frames give rise to is written together. While the reader waits already it is flushed at once.
func (c *Conn) FlushWith(other *Conn) {
	c.mu.Lock()
	promised := c.promised
	if promised && other != c && !slices.Contains(c.alongside, other) {
		c.alongside = append(c.alongside, other)
	}
	c.mu.Unlock()
	if !promised {
		other.Flush()
	}
}

// flushRead writes what the frames that were read gave rise to: first on the other connections, since their peers wait
// for more than a receipt.
func (c *Conn) flushRead() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keepPromise()
	c.flush()
}

// keepPromise flushes the other connections. It gives the mutex back meanwhile.
func (c *Conn) keepPromise() {
	c.promised = false
	others := c.alongside
	if len(others) == 0 {
		return
	}
	c.alongside = nil
	c.mu.Unlock()
	for i, other := range others {
		other.Flush()
		others[i] = nil
	}
	c.mu.Lock()
	if c.alongside == nil {
		c.alongside = others[:0]
	}
}

// flush gives the mutex back while it writes.
func (c *Conn) flush() {
	if len(c.out) == 0 && len(c.disposing) == 0 {
		return
	}
	if c.cfg.TryWrite == nil || !c.up || c.writing || len(c.rest) > 0 || c.gone {
		c.wakeWriter()
		return
	}
	batch, _ := c.takeOut(false)
	c.writing = true
	c.mu.Unlock()
	c.traceOut(batch)
	n, err := c.cfg.TryWrite(batch)
	c.mu.Lock()
	c.writing = false
	switch {
	case err != nil:
		c.blame(fmt.Errorf("amqp: write: %w", err))
		c.abort()
		c.wakeWriter() // which ends for the same reason
		return
	case n < len(batch):
		c.rest = batch[n:]
	default:
		c.spareOut = batch[:0]
	}
	if c.lastWrite || len(c.rest) > 0 || len(c.out) > 0 || len(c.disposing) > 0 {
		c.wakeWriter()
	}
}

// frameBuffered tells whether the next frame is here already, so that reading it will not wait.
func (c *Conn) frameBuffered() bool {
	n := c.in.Buffered()
	if n < frameHeader {
		return false
	}
	header, err := c.in.Peek(frameHeader)
	return err == nil && uint64(binary.BigEndian.Uint32(header)) <= uint64(n)
}

package amqp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
)

// Serve runs the connection until it has ended, all callbacks have returned and nc is closed. When ctx ends it
// closes with amqp:connection:forced. It returns nil after an orderly end, else what ended the connection: an
// *Error that either side gave, or a network error.
func (c *Conn) Serve(ctx context.Context) error {
	defer close(c.done)
	stop := context.AfterFunc(ctx, func() { c.Close(Errorf(CondConnectionForced, "the server stops")) })
	defer stop()
	if err := c.handshake(); err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.blame(err)
		c.abort()
		c.cancel()
		return c.cause
	}
	var background sync.WaitGroup
	background.Go(c.runEvents)
	background.Go(c.writeLoop)
	c.readLoop()
	c.finish()
	background.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abort()
	return c.cause
}

// handshake is everything up to the opens; nothing else runs meanwhile.
func (c *Conn) handshake() error {
	if err := c.nc.SetDeadline(time.Now().Add(c.cfg.HandshakeTimeout)); err != nil {
		return fmt.Errorf("amqp: set the handshake's deadline: %w", err)
	}
	err := c.open()
	if err != nil {
		c.linger()
		return err
	}
	if err := c.nc.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("amqp: clear the handshake's deadline: %w", err)
	}
	return nil
}

func (c *Conn) open() error {
	if len(c.cfg.Mechanisms) > 0 {
		if err := c.exchangeHeader(headerSASL); err != nil {
			return err
		}
		if err := c.authenticate(); err != nil {
			return err
		}
	}
	if err := c.exchangeHeader(headerAMQP); err != nil {
		return err
	}
	return c.exchangeOpen()
}

// linger lets the peer read what we wrote last: closing while its bytes lie unread would reset the connection.
func (c *Conn) linger() {
	if err := c.nc.SetReadDeadline(time.Now().Add(c.cfg.CloseTimeout)); err == nil {
		_, _ = io.Copy(io.Discard, c.in)
	}
}

// readLoop reads until the peer has closed, or nothing more can be read.
func (c *Conn) readLoop() {
	for {
		err := c.readOne()
		if err == nil {
			if !c.frameBuffered() {
				c.flushRead()
			}
			if c.waitForEase() {
				continue
			}
			return
		}
		var fault *Error
		if !errors.As(err, &fault) && errors.Is(err, os.ErrDeadlineExceeded) {
			fault = Errorf(CondConnectionForced, "nothing was received for %v", c.cfg.IdleTimeout)
		}
		c.mu.Lock()
		if fault == nil {
			c.blame(fmt.Errorf("amqp: the connection ended without close: %w", err))
			c.mu.Unlock()
			return
		}
		c.close(fault)
		c.mu.Unlock()
		c.wakeWriter()
		c.linger()
		return
	}
}

// readOne reads one frame and acts on it. A whole frame has to arrive within our idle time-out.
func (c *Conn) readOne() error {
	if !c.frameBuffered() {
		if err := c.nc.SetReadDeadline(time.Now().Add(c.cfg.IdleTimeout)); err != nil {
			return fmt.Errorf("amqp: set the read deadline: %w", err)
		}
	}
	channel, body, err := c.readFrame(frameAMQP)
	if err != nil || len(body) == 0 { // an empty frame only tells that the peer lives
		return err
	}
	p, payload, err := parsePerformative(body)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inFrame, c.promised = true, true
	fault := c.onFrame(channel, p, payload)
	c.inFrame = false
	c.callEvents()
	if fault != nil {
		return fault
	}
	return nil
}

func (c *Conn) onFrame(channel uint16, p composite, payload []byte) *Error {
	if p, ok := p.(*Close); ok {
		c.onClose(p)
		return nil
	}
	if c.closing {
		return nil
	}
	switch p := p.(type) {
	case *Begin:
		return c.onBegin(channel, p)
	case *Attach, *Flow, *Transfer, *Disposition, *Detach, *End:
		s := c.sessions[channel]
		if s == nil {
			return Errorf(CondNotAllowed, "a frame on channel %d, which has no session", channel)
		}
		return s.onFrame(p, payload)
	}
	return Errorf(CondNotAllowed, "a second open, or a SASL frame, on an open connection")
}

// waitForEase holds the reader up while the callbacks or the peer's reading lag behind. It reports whether to go on.
func (c *Conn) waitForEase() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.lags() {
		c.keepPromise()
		c.wakeWriter()
		if c.lags() {
			c.eased.Wait()
		}
	}
	return !c.gone && !c.peerClosed
}

func (c *Conn) lags() bool {
	return !c.gone && !c.peerClosed && (len(c.out) > maxOut || c.eventsFull())
}

// finish ends what is left of sessions and links, and lets the writer and the callbacks run out.
func (c *Conn) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true // nothing is written any more
	c.keepPromise()
	var why *Error
	if c.cause != nil && !errors.As(c.cause, &why) {
		why = Errorf(CondConnectionForced, "%v", c.cause)
	}
	for _, channel := range slices.Sorted(maps.Keys(c.sessions)) {
		c.sessions[channel].ended(why)
	}
	clear(c.sessions)
	c.cancel()
	c.endEvents()
	c.stopWriting()
}

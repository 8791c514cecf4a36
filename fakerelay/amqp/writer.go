package amqp

import (
	"fmt"
	"time"
)

// What is to be written is appended to Conn.out under the mutex, and written by one goroutine at a time: the writer, or
// whoever flushes (see flush.go). Two limits bound it: transfers are only appended while there is room, and the reader
// waits while there is far too much.
const (
	transferOut = 256 << 10 // bytes in out below which a transfer may be appended
	maxOut      = 1 << 20   // bytes in out above which no frame is read
	maxSilence  = 30 * time.Second
	minIdle     = 100 * time.Millisecond // shortest idle time-out of a peer that we serve
)

// writeFrame appends a frame. After close nothing is appended.
func (c *Conn) writeFrame(channel uint16, p composite, payload []byte) {
	if c.closing || c.gone {
		return
	}
	before := len(c.out)
	out, err := appendFrame(c.out, frameAMQP, channel, p, payload)
	if err == nil && uint64(len(out)-before) > uint64(c.peer.MaxFrameSize) {
		err = fmt.Errorf("a %s of %d bytes, the peer takes %d", performatives[p.descriptor()].name, len(out)-before, c.peer.MaxFrameSize)
	}
	if err != nil {
		c.close(Errorf(CondInternalError, "a frame cannot be sent: %v", err))
		return
	}
	c.out = out
	c.announce()
}

// announce sees to it that what there is gets written, if nobody will come by and flush.
func (c *Conn) announce() {
	if !c.promised || !c.hasRoom() {
		c.wakeWriter()
	}
}

// transferOverhead is the longest that a frame header and a transfer of ours get: 8 for the header, 6 for descriptor
// and list, 5 each for handle, delivery-id and message-format, 34 for a tag, 2 for the flags.
const transferOverhead = 65

// transferRoom is how much payload a frame to the peer may carry.
func (c *Conn) transferRoom() int {
	return int(min(c.peer.MaxFrameSize, c.cfg.MaxFrameSize)) - transferOverhead
}

func (c *Conn) hasRoom() bool { return len(c.out) < transferOut }

// callWhenRoom has s.unblocked called once there is room again.
func (c *Conn) callWhenRoom(s *Session) {
	if !s.roomless {
		s.roomless = true
		c.roomless = append(c.roomless, s)
	}
}

func (c *Conn) wakeWriter() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// stopWriting has the writer end after what is left, for which it gets Config.CloseTimeout.
func (c *Conn) stopWriting() {
	c.lastWrite = true
	c.wakeWriter()
	time.AfterFunc(c.cfg.CloseTimeout, c.Abort)
}

// writeLoop writes what there is, and an empty frame where the writer had nothing to do for half of the peer's idle
// time-out.
func (c *Conn) writeLoop() {
	silence := time.NewTimer(c.maxSilence())
	defer silence.Stop()
	for {
		idle := false
		select {
		case <-c.wake:
		case <-silence.C:
			idle = true
		}
		last, err := c.write(idle)
		if err != nil {
			c.fail(err)
			return
		}
		if last {
			return
		}
		silence.Reset(c.maxSilence())
	}
}

// write is one turn of the writer's. It does nothing while another goroutine writes, which wakes it if there is more.
func (c *Conn) write(idle bool) (last bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writing {
		return false, nil
	}
	batch, last := c.takeOut(idle)
	c.writing = true
	rest := c.rest
	c.rest = nil
	c.mu.Unlock()
	if err = c.writeRaw(rest); err == nil {
		c.traceOut(batch)
		err = c.writeRaw(batch)
	}
	c.mu.Lock()
	c.writing = false
	c.spareOut = batch[:0]
	return last, err
}

func (c *Conn) maxSilence() time.Duration {
	if c.peer.IdleTimeout == 0 {
		return maxSilence
	}
	return min(maxSilence, time.Duration(c.peer.IdleTimeout)*time.Millisecond/2)
}

// takeOut takes what is to be written and leaves an empty buffer, into which sessions may write again.
func (c *Conn) takeOut(idle bool) (batch []byte, last bool) {
	promised := c.promised
	c.promised = true // to write what follows now: nobody else need be woken for it
	for _, s := range c.disposing {
		s.flushDisposition()
	}
	c.disposing = c.disposing[:0]
	c.promised = promised
	if idle && len(c.out) == 0 {
		c.writeFrame(0, nil, nil)
	}
	batch, c.out, c.spareOut = c.out, c.spareOut, nil
	c.corrupt(batch)
	waiting := c.roomless
	c.roomless = nil
	for _, s := range waiting {
		s.roomless = false
		s.unblocked()
	}
	c.eased.Broadcast()
	return batch, c.lastWrite
}

// fail ends a connection whose network does.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blame(err)
	c.abort()
}

// writeRaw writes to the network, within Config.WriteTimeout.
func (c *Conn) writeRaw(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if err := c.nc.SetWriteDeadline(time.Now().Add(c.cfg.WriteTimeout)); err != nil {
		return fmt.Errorf("amqp: set the write deadline: %w", err)
	}
	if _, err := c.nc.Write(b); err != nil {
		return fmt.Errorf("amqp: write: %w", err)
	}
	if c.cfg.TryWrite == nil {
		return nil
	}
	if err := c.nc.SetWriteDeadline(time.Time{}); err != nil { // which would hold for TryWrite too, once it has passed
		return fmt.Errorf("amqp: clear the write deadline: %w", err)
	}
	return nil
}

// writeNow writes a frame during the handshake, when no writer runs yet.
func (c *Conn) writeNow(typ byte, p composite) error {
	b, err := appendFrame(nil, typ, 0, p, nil)
	if err != nil {
		return err
	}
	c.traceOut(b)
	return c.writeRaw(b)
}

package amqp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// How long a network without a buffer gets to take something at once, and how long the writer waits.
const (
	directly = time.Millisecond
	patience = 5 * time.Second // of the writer: less than any keepalive
)

// directPeer is a virtualPeer of a server that tries to write. As on a socket, a deadline that was set for waiting
// writes holds for those too.
func directPeer(t *testing.T, h Handler) (*rawPeer, *Conn) {
	client, pipe := net.Pipe()
	server := &waitingConn{Conn: pipe}
	return virtualPeerOn(t, client, server, Config{TryWrite: server.try, WriteTimeout: patience}, h)
}

// waitingConn remembers until when a write may wait.
type waitingConn struct {
	net.Conn
	mu    sync.Mutex
	until time.Time
	tries atomic.Int32
}

func (c *waitingConn) SetWriteDeadline(until time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = until
	return c.Conn.SetWriteDeadline(until)
}

func (c *waitingConn) try(b []byte) (int, error) {
	c.tries.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.until.IsZero() && time.Now().After(c.until) {
		return 0, os.ErrDeadlineExceeded
	}
	if err := c.Conn.SetWriteDeadline(time.Now().Add(directly)); err != nil {
		return 0, err
	}
	n, err := c.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	return n, err
}

// What the writer wrote once, long ago, does not keep a flush from writing.
func TestAFlushAfterTheWriterWrote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		senders := make(chan *Sender, 1)
		p, c := directPeer(t, acceptAll(nil, senders))
		p.receiving(0)
		p.send(0, grant(2))
		synctest.Wait() // until there is credit
		s := <-senders
		for i, flushed := range []bool{false, true} {
			if _, err := s.Send(Outgoing{Payload: []byte{byte(i)}, Flushed: flushed}); err != nil {
				t.Fatal(err)
			}
			if flushed {
				go c.Flush()
			}
			if expect[*Transfer](p); p.payload[0] != byte(i) {
				t.Fatalf("received %x, want %d", p.payload, i)
			}
			time.Sleep(2 * c.cfg.WriteTimeout)
		}
		p.nc.Close()
		<-p.served
	})
}

// A peer that reads late gets all that was flushed and all that came after it, whole and in order: what the network
// did not take at once is left to the writer.
func TestWhatIsFlushedToASlowPeerArrivesWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		senders := make(chan *Sender, 1)
		p, c := directPeer(t, acceptAll(nil, senders))
		p.receiving(0)
		p.send(0, grant(100))
		s := <-senders
		synctest.Wait()            // until there is credit
		begun := make([]byte, 250) // of the first flush: two messages and a part
		go func() { _, _ = io.ReadFull(p.nc, begun) }()
		for i := range byte(20) {
			if _, err := s.Send(Outgoing{Payload: bytes.Repeat([]byte{i}, 100), Settled: true, Flushed: i%4 != 3}); err != nil {
				t.Fatal(err)
			}
			if i == 5 || i == 9 {
				c.Flush()
			}
		}
		time.Sleep(10 * directly)
		p.frames.in = bufio.NewReader(io.MultiReader(bytes.NewReader(begun), p.nc))
		for i := range byte(20) {
			if expect[*Transfer](p); !bytes.Equal(p.payload, bytes.Repeat([]byte{i}, 100)) {
				t.Fatalf("the message %d holds %x", i, p.payload)
			}
		}
		p.nc.Close()
		<-p.served
	})
}

// The writer's patience with a peer that does not read is not a flush's.
func TestAFlushGivesNoPeerUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		senders := make(chan *Sender, 1)
		p, c := directPeer(t, acceptAll(nil, senders))
		p.receiving(0)
		p.send(0, grant(1))
		synctest.Wait() // until there is credit
		if _, err := (<-senders).Send(Outgoing{Payload: []byte("unread"), Flushed: true}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		c.Flush()
		if err := <-p.served; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != directly+patience {
			t.Errorf("after %v Serve returns %v", time.Since(start), err)
		}
	})
}

// A disposition that waits is written by the flush that finds it, and the writer is not woken for it.
func TestAFlushWakesNobody(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	var written []byte
	c := NewConn(server, Config{TryWrite: func(b []byte) (int, error) {
		written = append(written, b...)
		return len(b), nil
	}}, Handler{})
	defer c.Abort()
	c.up, c.peer = true, &Open{MaxFrameSize: 512}
	s := newSession(c, 0, &Begin{})
	c.mu.Lock()
	c.promised = true // as while the reader acts on a frame
	s.dispose(RoleReceiver, 7, true, Accepted{})
	c.mu.Unlock()
	c.flushRead()
	if len(c.wake) > 0 {
		t.Error("the writer was woken")
	}
	if p, _, err := parsePerformative(written[frameHeader:]); err != nil || p.(*Disposition).First != 7 {
		t.Errorf("written: %v, %v", p, err)
	}
}

// What frames bring about on another connection is written there before the reader waits: at once for all that came
// together. Where the reader waits already it is written without more ado.
func TestFlushWithAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		senders := make(chan *Sender, 1)
		to, c := directPeer(t, acceptAll(nil, senders))
		to.receiving(0)
		to.send(0, grant(10))
		s := <-senders
		pass := func(by *Conn, payload []byte) {
			if _, err := s.Send(Outgoing{Payload: bytes.Clone(payload), Settled: true, Flushed: true}); err != nil {
				t.Error(err)
			}
			by.FlushWith(c)
		}
		var from *rawPeer
		var by *Conn
		from, by = directPeer(t, Handler{Attach: func(r *AttachRequest) {
			if _, err := r.AcceptReceiver(ReceiverOptions{Credit: 10, OnTransfer: func(d *Delivery) { pass(by, d.Payload) }}); err != nil {
				t.Error(err)
			}
		}})
		from.sending(0)
		synctest.Wait()
		writes := c.nc.(*waitingConn).tries.Load()
		var frames, want []byte
		for i := range byte(3) {
			payload, err := (&Message{Data: [][]byte{{i}}}).MarshalBinary()
			if err == nil {
				frames, err = appendFrame(frames, frameAMQP, 0, &Transfer{DeliveryID: ptr(uint32(i)), DeliveryTag: []byte{i}, Settled: true}, payload)
			}
			if err != nil {
				t.Fatal(err)
			}
			want = payload
		}
		go func() {
			if _, err := from.nc.Write(frames); err != nil {
				t.Error(err)
			}
		}()
		for range 3 {
			expect[*Transfer](to)
		}
		if got := c.nc.(*waitingConn).tries.Load() - writes; got != 1 || !bytes.Equal(to.payload, want) {
			t.Errorf("%d writes, the last message is %x; want 1 and %x", got, to.payload, want)
		}
		synctest.Wait()
		go pass(by, want)
		expect[*Transfer](to)
		for _, p := range []*rawPeer{from, to} {
			p.nc.Close()
			<-p.served
		}
	})
}

// A frame that is to be spoilt is the next one, also where others wait before it.
func TestOnlyTheNextFrameIsCorrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		senders := make(chan *Sender, 1)
		p, c := directPeer(t, acceptAll(nil, senders))
		p.receiving(0)
		p.send(0, grant(2))
		s := <-senders
		synctest.Wait() // until there is credit
		for _, word := range []string{"whole", "spoilt"} {
			if word == "spoilt" {
				c.CorruptNext()
			}
			if _, err := s.Send(Outgoing{Payload: []byte(word), Flushed: true}); err != nil {
				t.Fatal(err)
			}
		}
		go c.Flush()
		if expect[*Transfer](p); string(p.payload) != "whole" {
			t.Errorf("the first message holds %q", p.payload)
		}
		if _, body, err := p.frames.readFrame(frameAMQP); err != nil || body[0] != noFormatCode {
			t.Errorf("the second frame is %x, %v", body, err)
		}
		p.nc.Close()
		<-p.served
	})
}

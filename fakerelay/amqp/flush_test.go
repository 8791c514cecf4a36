package amqp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// A peer that reads late gets all that was flushed and all that came after it, whole and in order: what the network
// did not take at once is left to the writer.
func TestWhatIsFlushedToASlowPeerArrivesWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		senders := make(chan *Sender, 1)
		p, c := virtualPeer(t, Config{DirectWrites: true}, acceptAll(nil, senders))
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
		p, c := virtualPeer(t, Config{DirectWrites: true}, acceptAll(nil, senders))
		p.receiving(0)
		p.send(0, grant(1))
		synctest.Wait() // until there is credit
		if _, err := (<-senders).Send(Outgoing{Payload: []byte("unread"), Flushed: true}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		c.Flush()
		if err := <-p.served; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != directly+30*time.Second {
			t.Errorf("after %v Serve returns %v", time.Since(start), err)
		}
	})
}

// A frame that is to be spoilt is the next one, also where others wait before it.
func TestOnlyTheNextFrameIsCorrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		senders := make(chan *Sender, 1)
		p, c := virtualPeer(t, Config{DirectWrites: true}, acceptAll(nil, senders))
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

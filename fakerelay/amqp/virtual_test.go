package amqp

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// These run in a bubble: time is virtual, the network has no buffer, and synctest.Wait returns when nothing moves.

// virtualPeer is a rawPeer within a bubble. A session was begun.
func virtualPeer(t *testing.T, cfg Config, h Handler) (*rawPeer, *Conn) {
	client, server := net.Pipe()
	return virtualPeerOn(t, client, server, cfg, h)
}

func virtualPeerOn(t *testing.T, client, server net.Conn, cfg Config, h Handler) (*rawPeer, *Conn) {
	p := &rawPeer{t: t, nc: client, served: make(chan error, 1)}
	p.frames = Conn{in: bufio.NewReader(client), cfg: Config{}.withDefaults()}
	c := NewConn(server, cfg, h)
	go func() { p.served <- c.Serve(context.Background()) }()
	t.Cleanup(func() { client.Close() })
	p.open(&Open{ContainerID: "raw", MaxFrameSize: 65536, IdleTimeout: 30000})
	p.send(0, &Begin{IncomingWindow: 1000, OutgoingWindow: 1000, HandleMax: 1000})
	expect[*Begin](p)
	return p, c
}

// writing has frames written one after the other, and gives how many got through.
func (p *rawPeer) writing(n int, frame func(i int) (composite, []byte)) *int {
	through := new(int)
	go func() {
		for i := range n {
			c, payload := frame(i)
			b, _ := appendFrame(nil, frameAMQP, 0, c, payload)
			if _, err := p.nc.Write(b); err != nil {
				return
			}
			*through++
		}
	}()
	return through
}

func TestSilenceInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p, _ := virtualPeer(t, Config{}, Handler{})
		for beat := 1; beat <= 7; beat++ { // half of the peer's 30 s
			if _, body, err := p.frames.readFrame(frameAMQP); err != nil || len(body) != 0 {
				t.Fatalf("received %x, %v", body, err)
			}
			if at := time.Since(start); at != time.Duration(beat)*15*time.Second {
				t.Errorf("the empty frame %d came after %v", beat, at)
			}
		}
		c := expect[*Close](p)
		if at := time.Since(start); at != 2*time.Minute || c.Error == nil || c.Error.Condition != CondConnectionForced {
			t.Errorf("closed after %v because of %v", at, c.Error)
		}
		p.nc.Close()
		<-p.served
	})
}

// Callbacks that are held up stop the reading, so what waits for them is bounded.
func TestSlowCallbacksStopTheReading(t *testing.T) {
	for name, size := range map[string]int{"large messages": 60000, "small messages": 10} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hold := make(chan struct{})
				shown := 0
				p, c := virtualPeer(t, Config{}, Handler{Attach: func(r *AttachRequest) {
					r.AcceptReceiver(ReceiverOptions{OnTransfer: func(*Delivery) { <-hold; shown++ }})
				}})
				p.sending(0)
				body, err := (&Message{Data: [][]byte{make([]byte, size)}}).MarshalBinary()
				if err != nil {
					t.Fatal(err)
				}
				through := p.writing(300, func(i int) (composite, []byte) {
					return &Transfer{DeliveryID: ptr(uint32(i)), DeliveryTag: []byte{1}, Settled: true}, body
				})
				synctest.Wait()
				if *through == 0 || *through > 150 || c.eventBytes > maxEventBytes+size+10 || len(c.events) > maxEvents+1 {
					t.Errorf("%d messages were read, %d wait with %d bytes", *through, len(c.events), c.eventBytes)
				}
				close(hold)
				go func() { // the flows that give credit
					for {
						if _, _, err := p.frames.readFrame(frameAMQP); err != nil {
							return
						}
					}
				}()
				synctest.Wait()
				if *through != 300 || shown != 300 {
					t.Errorf("in the end %d messages were read and %d shown", *through, shown)
				}
				p.nc.Close()
				<-p.served
			})
		})
	}
}

// A peer that asks and does not read the answers is not read from any more, and is given up after the write
// time-out.
func TestUnreadAnswersStopTheReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p, c := virtualPeer(t, Config{}, Handler{})
		through := p.writing(200000, func(int) (composite, []byte) {
			return &Flow{NextIncomingID: ptr(uint32(0)), Echo: true}, nil
		})
		synctest.Wait()
		if *through == 200000 || len(c.out) > maxOut+100 {
			t.Errorf("%d flows were read, %d bytes wait", *through, len(c.out))
		}
		if err := <-p.served; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 30*time.Second {
			t.Errorf("after %v Serve returns %v", time.Since(start), err)
		}
	})
}

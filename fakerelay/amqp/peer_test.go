package amqp

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// rawPeer is a client that sends what it likes, over a socket.
type rawPeer struct {
	t       *testing.T
	nc      net.Conn
	frames  Conn       // only to read frames with
	served  chan error // what Serve returned
	payload []byte     // of the frame read last
}

// connectRaw serves a connection and gives its other end; nothing was sent yet.
func connectRaw(t *testing.T, cfg Config, h Handler) *rawPeer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	p := &rawPeer{t: t, nc: nc, served: make(chan error, 1)}
	p.frames = Conn{in: bufio.NewReader(nc), cfg: Config{}.withDefaults()}
	ctx, cancel := context.WithCancel(context.Background())
	if cfg.CloseTimeout == 0 {
		cfg.CloseTimeout = 5 * time.Second // no test waits for it
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.served <- NewConn(server, cfg, h).Serve(ctx)
	}()
	t.Cleanup(func() {
		nc.Close()
		cancel()
		<-done // Serve has no goroutine left when it returns
	})
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	return p
}

// openRaw has the opens exchanged, and begun a session on channel 0.
func openRaw(t *testing.T, cfg Config, h Handler) *rawPeer {
	t.Helper()
	p := connectRaw(t, cfg, h)
	p.open(&Open{ContainerID: "raw", MaxFrameSize: 65536, ChannelMax: 65535})
	p.send(0, &Begin{IncomingWindow: 1000, OutgoingWindow: 1000, HandleMax: 1000})
	expect[*Begin](p)
	return p
}

func (p *rawPeer) open(o *Open) *Open {
	p.t.Helper()
	p.write([]byte(headerAMQP))
	p.header(headerAMQP)
	p.send(0, o)
	return expect[*Open](p)
}

func (p *rawPeer) write(b []byte) {
	p.t.Helper()
	if _, err := p.nc.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

func (p *rawPeer) header(want string) {
	p.t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(p.frames.in, got); err != nil || string(got) != want {
		p.t.Fatalf("the header is %q, %v; want %q", got, err, want)
	}
}

func (p *rawPeer) send(channel uint16, c composite, payload ...byte) {
	p.t.Helper()
	b, err := appendFrame(nil, frameAMQP, channel, c, payload)
	if err != nil {
		p.t.Fatal(err)
	}
	p.write(b)
}

// read gives the next performative.
func (p *rawPeer) read() composite {
	p.t.Helper()
	for {
		_, body, err := p.frames.readFrame(frameAMQP)
		if err != nil {
			p.t.Fatal(err)
		}
		if len(body) == 0 {
			continue
		}
		c, payload, err := parsePerformative(body)
		if err != nil {
			p.t.Fatal(err)
		}
		p.payload = append([]byte{}, payload...)
		return c
	}
}

// expect reads the next performative, which must be a T.
func expect[T composite](p *rawPeer) T {
	p.t.Helper()
	c := p.read()
	got, ok := c.(T)
	if !ok {
		p.t.Fatalf("received %T %+v", c, c)
	}
	return got
}

// end waits for Serve.
func (p *rawPeer) end() error {
	p.t.Helper()
	select {
	case err := <-p.served:
		return err
	case <-time.After(20 * time.Second):
		p.t.Fatal("Serve does not return")
		return nil
	}
}

// hungUp tells whether the server has closed the connection, now that all was read.
func (p *rawPeer) hungUp() bool {
	_, err := p.frames.in.ReadByte()
	return errors.Is(err, io.EOF)
}

func ptr[T any](v T) *T { return &v }

// sending attaches a link on which the raw peer sends.
func (p *rawPeer) sending(handle uint32) {
	p.t.Helper()
	p.send(0, &Attach{Name: "in", Handle: handle, Role: RoleSender, Source: &Source{}, Target: &Target{Address: "q"}, InitialDeliveryCount: ptr(uint32(0))})
	expect[*Attach](p)
	expect[*Flow](p)
}

// receiving attaches a link on which the raw peer receives.
func (p *rawPeer) receiving(handle uint32) {
	p.t.Helper()
	p.send(0, &Attach{Name: "out", Handle: handle, Role: RoleReceiver, Source: &Source{Address: "q"}, Target: &Target{}})
	expect[*Attach](p)
}

// grant gives credit on the handle 0 of a link on which nothing was sent yet.
func grant(credit uint32) *Flow {
	return &Flow{NextIncomingID: ptr(uint32(0)), IncomingWindow: 1000, OutgoingWindow: 1000, Handle: ptr(uint32(0)), DeliveryCount: ptr(uint32(0)), LinkCredit: &credit}
}

// acceptAll accepts every link; what is received goes to received, and senders to senders, where these are not nil.
func acceptAll(received chan *Delivery, senders chan *Sender) Handler {
	return Handler{Attach: func(r *AttachRequest) {
		if r.Attach.Role == RoleSender {
			o := ReceiverOptions{Credit: 10}
			if received != nil {
				o.OnTransfer = func(d *Delivery) { received <- d }
			}
			r.AcceptReceiver(o)
			return
		}
		if s, err := r.AcceptSender(SenderOptions{}); err == nil && senders != nil {
			senders <- s
		}
	}}
}

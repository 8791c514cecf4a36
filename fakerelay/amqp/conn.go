package amqp

import (
	"bufio"
	"context"
	"net"
	"sync"
	"time"
)

// A Conn is one connection (2.4), seen from the server. Three goroutines serve it: Serve's own reads, and runs
// the callbacks that frames give rise to; one writes; one runs the other callbacks.
type Conn struct {
	cfg     Config
	handler Handler
	nc      net.Conn
	in      *bufio.Reader // Serve's, as is body
	body    []byte
	context context.Context
	cancel  context.CancelFunc
	done    chan struct{}
	wake    chan struct{} // tells the writer that there is something to write

	mu         sync.Mutex
	peer       *Open
	mechanism  Symbol
	up         bool  // the peer's open came, and ours is written
	closing    bool  // our close is written: nothing may follow it
	peerClosed bool  // the peer's close came
	cause      error // why the connection ended: the first that was said
	gone       bool  // nc is closed

	sessions map[uint16]*Session // by channel
	links    int
	partial  uint64 // bytes of incomplete messages

	out       []byte  // frames to write
	rest      []byte  // of a batch that the network did not take at once; goes before out
	spareOut  []byte  // written, to be used again
	writing   bool    // a goroutine writes to nc
	promised  bool    // whoever appends to out will flush: the reader, before it waits for the next frame
	alongside []*Conn // that the reader flushes then too
	corrupts  bool    // the frame that comes at corruptAt in out is to be spoilt
	corruptAt int
	lastWrite bool       // the writer ends after what is in out
	disposing []*Session // that have a disposition to write
	roomless  []*Session // that wait for room in out
	eased     sync.Cond  // out or events have shrunk, or the connection is gone

	events     []func()
	eventBytes int
	eventsDone bool // no more will come
	eventReady sync.Cond
	calling    bool // a goroutine calls them
	inFrame    bool // the reader acts on a frame, and will call what it posts

	spareEvents []func() // called, to be used again
}

// readBuffer is how many bytes are read at once: a dozen frames with small messages.
const readBuffer = 16 << 10

// NewConn takes over nc, on which nothing was read yet. Serve must be called, once.
func NewConn(nc net.Conn, cfg Config, h Handler) *Conn {
	c := &Conn{
		cfg: cfg.withDefaults(), handler: h, nc: nc, in: bufio.NewReaderSize(nc, readBuffer),
		done: make(chan struct{}), wake: make(chan struct{}, 1), sessions: map[uint16]*Session{},
	}
	c.context, c.cancel = context.WithCancel(context.Background())
	c.eased.L, c.eventReady.L = &c.mu, &c.mu
	return c
}

// Peer is the peer's open. It is nil before Handler.Open is called.
func (c *Conn) Peer() *Open {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peer
}

// RemoteAddr is the network's name of the peer.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// Mechanism is the SASL mechanism that the peer chose; "" without a SASL layer.
func (c *Conn) Mechanism() Symbol {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mechanism
}

// Done is closed when Serve has returned.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Close sends close, with err if it is not nil, gives the peer Config.CloseTimeout to answer, then closes the
// network connection. It does not wait for that: Done does. Before the opens were exchanged it acts as Abort.
func (c *Conn) Close(err *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.close(err)
}

func (c *Conn) close(err *Error) {
	if err != nil {
		c.blame(err)
	}
	if !c.up {
		c.abort()
		return
	}
	if c.closing || c.gone {
		return
	}
	for _, s := range c.disposing {
		s.flushDisposition()
	}
	c.disposing = nil
	c.writeFrame(0, &Close{Error: err}, nil)
	c.closing = true
	time.AfterFunc(c.cfg.CloseTimeout, c.Abort)
}

// blame keeps the first reason.
func (c *Conn) blame(err error) {
	if c.cause == nil && !c.closing {
		c.cause = err
	}
}

// Abort closes the network connection at once and says nothing to the peer.
func (c *Conn) Abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abort()
}

func (c *Conn) abort() {
	if c.gone {
		return
	}
	c.gone = true
	c.eased.Broadcast()
	c.nc.Close()
}

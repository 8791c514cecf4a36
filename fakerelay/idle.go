package fakerelay

// Links on which nothing happens are detached, as the service does: no transfer, no credit, no settlement. The SDKs
// open them again when they need them. Links to $cbs and $management are left alone. A connection that has had no link
// to an entity or its $management for a while is closed.

import (
	"sync"
	"sync/atomic"
	"time"

	"passback/clock"
	"passback/fakerelay/amqp"
)

const (
	idleTimeout     = 10 * time.Minute
	linklessTimeout = 5 * time.Minute

	textLinkless = "The connection was closed by container '%s' because it did not have any active links in the past 300000 milliseconds."

	textIdle = "The link '%s' is force detached by the broker due to errors occurred in %s(link%d). Detach origin: %s.IdleTimerExpired: Idle timeout: 00:10:00."
)

// The service's names for the two ends of links.
var (
	consumer  = linkEnd{"consumer", "AmqpMessageConsumer"}
	publisher = linkEnd{"publisher", "AmqpMessagePublisher"}
)

type linkEnd struct{ name, class string }

// idleWatch looks after one link. Without a clock it watches nothing.
type idleWatch struct {
	clock clock.Clock
	used  atomic.Int64 // nanoseconds, when something happened last

	mu    sync.Mutex
	timer clock.Timer // nil: not watched, or not any more
	ended bool
}

// touch notes that something happens.
func (w *idleWatch) touch() {
	if w.clock != nil {
		w.used.Store(w.clock.Now().UnixNano())
	}
}

// start calls expired once nothing has happened for idleTimeout.
func (w *idleWatch) start(expired func()) {
	w.touch()
	w.again(idleTimeout, expired)
}

func (w *idleWatch) again(after time.Duration, expired func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	w.timer = w.clock.AfterFunc(after, func() {
		rest := time.Unix(0, w.used.Load()).Add(idleTimeout).Sub(w.clock.Now())
		if rest > 0 {
			w.again(rest, expired)
			return
		}
		expired()
	})
}

func (w *idleWatch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

// watchIdle detaches the link when it has been idle.
func (c *connection) watchIdle(l *entityLink, end linkEnd) {
	serial := c.serial.Add(1)
	l.idle.start(func() {
		l.detach(amqp.Errorf(amqp.CondDetachForced, textIdle+"%s", l.name, end.name, serial, end.class, tracking(l.path)))
	})
}

// watchLinks looks after the connection's end while it has no links; it needs c.mu.
func (c *connection) watchLinks() {
	switch {
	case len(c.links) > 0 || c.gone:
		c.stopWatchingLinks()
	case c.linkless == nil:
		c.linkless = c.ns.clock.AfterFunc(linklessTimeout, c.closeLinkless)
	}
}

func (c *connection) closeLinkless() {
	c.mu.Lock()
	linked := len(c.links) > 0 // one has come in this instant
	c.mu.Unlock()
	if !linked {
		c.amqp.Close(amqp.Errorf(amqp.CondConnectionForced, textLinkless+"%s", c.container, tracking("NoSystemTracker")))
	}
}

func (c *connection) stopWatchingLinks() {
	if c.linkless != nil {
		c.linkless.Stop()
		c.linkless = nil
	}
}

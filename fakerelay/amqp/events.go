package amqp

// Callbacks run one after another, in the order in which they were posted, without the mutex. Those that a frame
// gives rise to run on the reader's goroutine before it reads the next frame, since handing them to another goroutine
// costs more than most of them do; all others on a goroutine of their own.
const (
	maxEvents     = 64      // callbacks waiting, above which no frame is read
	maxEventBytes = 1 << 20 // payloads waiting with them, likewise
)

// post has f called. bytes is the payload that f keeps alive.
func (c *Conn) post(bytes int, f func()) {
	c.events = append(c.events, f)
	c.eventBytes += bytes
	if !c.inFrame {
		c.eventReady.Signal()
	}
}

func (c *Conn) eventsFull() bool { return len(c.events) > maxEvents || c.eventBytes > maxEventBytes }

// endEvents has runEvents return after what was posted up to now.
func (c *Conn) endEvents() {
	c.eventsDone = true
	c.eventReady.Signal()
}

// runEvents runs what is posted until the connection has ended.
func (c *Conn) runEvents() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case !c.calling && len(c.events) > 0:
			c.callEvents()
		case !c.calling && c.eventsDone:
			return
		default:
			c.eventReady.Wait()
		}
	}
}

// callEvents calls what is posted, unless another goroutine does so already, which then goes on with it. It gives
// the mutex back meanwhile.
func (c *Conn) callEvents() {
	if c.calling {
		return
	}
	c.calling = true
	for len(c.events) > 0 {
		batch := c.events
		c.events, c.eventBytes = c.spareEvents[:0], 0
		c.eased.Broadcast()
		c.mu.Unlock()
		for i, f := range batch {
			f()
			batch[i] = nil
		}
		c.mu.Lock()
		c.spareEvents = batch
	}
	c.calling = false
	if c.eventsDone { // runEvents waited for this
		c.eventReady.Signal()
	}
}

package amqp

// Callbacks run on a goroutine of their own, in the order in which they were posted, without the mutex.
const (
	maxEvents     = 64      // callbacks waiting, above which no frame is read
	maxEventBytes = 1 << 20 // payloads waiting with them, likewise
)

// post has f called. bytes is the payload that f keeps alive.
func (c *Conn) post(bytes int, f func()) {
	c.events = append(c.events, f)
	c.eventBytes += bytes
	c.eventReady.Signal()
}

func (c *Conn) eventsFull() bool { return len(c.events) > maxEvents || c.eventBytes > maxEventBytes }

// endEvents has runEvents return after what was posted up to now.
func (c *Conn) endEvents() {
	c.eventsDone = true
	c.eventReady.Signal()
}

func (c *Conn) runEvents() {
	for {
		batch := c.takeEvents()
		if batch == nil {
			return
		}
		for _, f := range batch {
			f()
		}
	}
}

// takeEvents waits for callbacks; nil means that there will be none.
func (c *Conn) takeEvents() []func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.events) == 0 {
		if c.eventsDone {
			return nil
		}
		c.eventReady.Wait()
	}
	batch := c.events
	c.events, c.eventBytes = nil, 0
	c.eased.Broadcast()
	return batch
}

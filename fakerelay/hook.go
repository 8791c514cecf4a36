package fakerelay

import (
	"slices"
	"sync"
)

// A Kind tells what a client is about to do, or has done, to a message.
type Kind int

// The kinds of events.
const (
	Enqueue    Kind = iota // a message is sent; SequenceNumber is not known yet
	Deliver                // a message is handed to a receiver; it is locked already
	Complete               // the receiver is done with it; does not come in receive-and-delete mode
	Abandon                // the receiver gives it back, counted
	Release                // the receiver gives it back, uncounted
	Defer                  // the receiver sets it aside
	DeadLetter             // the receiver moves it to the dead-letter queue
	Renew                  // the receiver renews its lock
)

var kindNames = [...]string{"enqueue", "deliver", "complete", "abandon", "release", "defer", "dead-letter", "renew"}

// String names the kind as the documentation does.
func (k Kind) String() string { return kindNames[k] }

// An Event is one step of a message through the namespace. Each step comes twice: before it takes effect, and
// after it (Done) while the client does not know yet. A batch that is sent is one event, with its first message.
type Event struct {
	Kind          Kind
	Done          bool   // false: nothing has happened yet; true: it has, and the client has not been told
	Entity        string // the queue's path
	MessageID     string // empty if it has none, or if it is not a string
	SessionID     string // empty if it has none
	DeliveryCount uint32 // 1 for the first delivery, 0 before
}

// An Action is what a hook wants done about an event: Pass, Drop, Disconnect, or Hold.
type Action struct {
	verb  verb
	until <-chan struct{}
}

type verb int

const (
	pass verb = iota
	drop
	disconnect
	hold
)

var (
	// Pass lets the event take its course. It is the zero Action.
	Pass = Action{}
	// Drop swallows it: what has not happened does not, and the client is not told.
	Drop = Action{verb: drop}
	// Disconnect closes the client's connection without a word. What has not happened does not.
	Disconnect = Action{verb: disconnect}
)

// Hold lets the event take its course when until is closed. If the connection ends before that, it is dropped.
// Other messages of the connection pass meanwhile.
func Hold(until <-chan struct{}) Action { return Action{verb: hold, until: until} }

// hooks are asked in the order in which they were added; the first that does not pass decides.
type hooks struct {
	mu   sync.RWMutex
	list []*func(Event) Action
}

// Hook adds f, which is asked about every event until remove is called. It is called from the goroutines that
// serve connections: it should return soon, and may call the Namespace.
func (n *Namespace) Hook(f func(Event) Action) (remove func()) {
	entry := &f
	n.hooks.mu.Lock()
	defer n.hooks.mu.Unlock()
	n.hooks.list = append(slices.Clone(n.hooks.list), entry)
	return func() {
		n.hooks.mu.Lock()
		defer n.hooks.mu.Unlock()
		n.hooks.list = slices.DeleteFunc(slices.Clone(n.hooks.list), func(e *func(Event) Action) bool { return e == entry })
	}
}

func (h *hooks) ask(e Event) Action {
	h.mu.RLock()
	list := h.list
	h.mu.RUnlock()
	for _, f := range list {
		if a := (*f)(e); a.verb != pass {
			return a
		}
	}
	return Pass
}

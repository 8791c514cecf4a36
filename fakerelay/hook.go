package fakerelay

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// A Kind tells what a client is about to do, or what is about to happen to a message, or has.
type Kind int

// The kinds of events. The zero Kind is none of them.
const (
	_          Kind = iota
	Attach          // a link is opened; Entity is its whole address
	PutToken        // a token is shown to $cbs; Entity is what it is for
	Request         // a request comes to the entity's $management; Operation tells which
	Enqueue         // a message is sent or scheduled; SequenceNumber is not known yet
	Deliver         // a message is handed to a receiver; it is locked already
	Complete        // the receiver is done with it; does not come in receive-and-delete mode
	Abandon         // the receiver gives it back, counted
	Release         // the receiver gives it back, uncounted
	Defer           // the receiver sets it aside
	DeadLetter      // the receiver moves it to the dead-letter queue
	Renew           // the receiver renews its lock, or that of its session
	Administer      // a request comes to the management API over HTTP; Entity is its path, Operation its method
)

var kindNames = [...]string{
	"", "attach", "put-token", "request", "enqueue", "deliver", "complete", "abandon", "release", "defer", "dead-letter", "renew",
	"administer",
}

// String names the kind as the documentation does.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kindNames[k]
}

// MarshalText writes the name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a name; none is the zero Kind.
func (k *Kind) UnmarshalText(text []byte) error {
	known := slices.Index(kindNames[:], string(text))
	if known < 0 {
		return fmt.Errorf("operation %.40q: must be one of %q", text, kindNames[1:])
	}
	*k = Kind(known)
	return nil
}

// An Event is one step of a client, or of a message through the namespace. Those of a message and those of the management
// API come twice: before they take effect, and after it (Done) while the client does not know yet; the others come
// before. A batch that is sent is one event, with its first message.
type Event struct {
	Kind          Kind
	Done          bool   // false: nothing has happened yet; true: it has, and the client has not been told
	Entity        string // path of the entity
	Operation     string // of a Request, as on the wire, without com.microsoft:; of an Administer: GET, PUT or DELETE
	Role          string // of an Attach: what the client is to be, "sender" or "receiver"
	MessageID     string // empty if it has none, or if it is not a string
	SessionID     string // empty if it has none
	DeliveryCount uint32 // 1 for the first delivery, 0 before
	Connection    uint64 // number of the client's connection, as in the trace; 0: it speaks HTTP
	Container     string // the client's container-id
}

// String is what happens to what.
func (e Event) String() string {
	what := e.Kind.String()
	if e.Operation != "" {
		what += " " + e.Operation
	}
	return what + " of " + e.Entity
}

// hooks are asked in the order in which they were added; the first that does not pass decides.
type hooks struct {
	any  atomic.Bool // list is not empty
	mu   sync.RWMutex
	list []*func(Event) Action
}

// Hook adds f, which is asked about every event until remove is called. It is called from the goroutines that
// serve connections: it should return soon, and may call the Namespace. A Fault is a hook that needs no code.
func (n *Namespace) Hook(f func(Event) Action) (remove func()) {
	entry := &f
	n.hooks.set(func(list []*func(Event) Action) []*func(Event) Action { return append(list, entry) })
	return func() {
		n.hooks.set(func(list []*func(Event) Action) []*func(Event) Action {
			return slices.DeleteFunc(list, func(e *func(Event) Action) bool { return e == entry })
		})
	}
}

// set changes a copy, so that whoever is asking goes on with what it has.
func (h *hooks) set(change func([]*func(Event) Action) []*func(Event) Action) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = change(slices.Clone(h.list))
	h.any.Store(len(h.list) > 0)
}

func (h *hooks) ask(e Event) Action {
	h.mu.RLock()
	list := h.list
	h.mu.RUnlock()
	for _, f := range list {
		if a := (*f)(e); a.verb != pass || a.passed != nil {
			return a
		}
	}
	return Pass
}

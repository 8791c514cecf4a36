package fakerelay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// A Fault is a hook without code: what goes wrong, and when. It is the same in Go and over HTTP, where it is a JSON
// object with the keys given here and durations such as "2s". It strikes once unless it says otherwise, and always the
// same way for the same seed and the same events.
type Fault struct {
	Effect Effect `json:"effect"`

	// What it strikes. What is empty matches everything that the effect can strike.
	Operation  Kind   `json:"operation,omitempty"`
	Request    string `json:"request,omitempty"`    // operation on $management, without com.microsoft:, or method of the management API; Operation is Request or Administer
	Entity     string `json:"entity,omitempty"`     // path; case is ignored
	Role       string `json:"role,omitempty"`       // of the link that is attached, seen from the client: "sender" or "receiver"
	Connection uint64 `json:"connection,omitempty"` // number in the trace
	Container  string `json:"container,omitempty"`  // container-id of the client
	MessageID  string `json:"messageId,omitempty"`  // of a batch: that of its first message
	After      bool   `json:"after,omitempty"`      // once it has happened and the client is about to be told; default: before it happens

	Nth         int           `json:"nth,omitempty"`         // the first that matches which may be struck; default 1
	Times       int           `json:"times,omitempty"`       // how many are struck; negative: no end; default 1, or no end with For
	For         time.Duration `json:"-"`                     // how long it lasts, on Options.Clock ("for"); default: no end
	Probability float64       `json:"probability,omitempty"` // that one which may be struck is; default 1
	Seed        uint64        `json:"seed,omitempty"`        // of the probability; default 0

	Delay       time.Duration `json:"-"`                     // of EffectDelay; of EffectReorder, how long to wait for another at most ("delay"); default 1 s
	Condition   string        `json:"condition,omitempty"`   // of EffectRefuse and EffectDetach: an AMQP error condition; default: one of the service's
	Description string        `json:"description,omitempty"` // with Condition or Status; default: the service's
	Status      int           `json:"status,omitempty"`      // of EffectRefuse, Operation being Administer: 400 to 599; default 500
	RetryAfter  time.Duration `json:"-"`                     // of EffectRefuse and EffectThrottle, Operation being Administer: the header Retry-After, in whole seconds ("retryAfter"); default: not sent

	// Struck is called for each event that it strikes, before the effect; default: nobody is told. It should return
	// soon.
	Struck func(Event) `json:"-"`

	// What the namespace says of it; AddFault ignores these.
	ID   string `json:"id,omitempty"`
	Seen int    `json:"seen"` // events that matched
	Hits int    `json:"hits"` // of those, how many it struck
	Over bool   `json:"over"` // it strikes no more
}

// An Effect is what a fault does to what it strikes.
type Effect string

// The effects.
const (
	EffectSwallow    Effect = "swallow"    // nothing happens, and nobody is told
	EffectDelay      Effect = "delay"      // it happens later; the connection's other messages do not wait
	EffectDuplicate  Effect = "duplicate"  // the message is stored, or transferred, twice
	EffectReorder    Effect = "reorder"    // the next that matches happens first
	EffectDetach     Effect = "detach"     // the link is detached with amqp:link:detach-forced
	EffectDisconnect Effect = "disconnect" // the network connection is closed without a word
	EffectLoseLock   Effect = "lose-lock"  // the lock of message or session ends as if it had expired
	EffectRefuse     Effect = "refuse"     // the client gets an error: of PutToken, that the token is not valid
	EffectThrottle   Effect = "throttle"   // the client gets com.microsoft:server-busy, over HTTP 429
	EffectCorrupt    Effect = "corrupt"    // the next frame to the client cannot be decoded
)

// Kinds of events by what can be done about them.
var (
	openings    = []Kind{Attach, PutToken, Request}
	settlements = []Kind{Complete, Abandon, Release, Defer, DeadLetter}
	locks       = append(slices.Clone(settlements), Renew)
	answered    = append(slices.Clone(locks), Enqueue)
	messages    = append(slices.Clone(answered), Deliver)
	onLinks     = append(slices.Clone(messages), openings...)
	everything  = append(slices.Clone(onLinks), Administer)
	refusable   = append(slices.Concat(answered, openings), Administer)

	// Those that have happened while the client does not know yet: that it waits for, and in whose midst it can be cut off.
	told     = append(slices.Clone(answered), Administer)
	cuttable = append(slices.Clone(messages), Administer)
)

// effects are what there is, and what each can strike before and after it has happened.
var effects = map[Effect]struct {
	before, after []Kind
	action        Action // of those that need no making
}{
	EffectSwallow:    {everything, told, Drop},
	EffectDelay:      {everything, told, Action{}},
	EffectDuplicate:  {[]Kind{Enqueue, Deliver}, nil, Duplicate},
	EffectReorder:    {messages, nil, Action{}},
	EffectDetach:     {onLinks, messages, ForceDetach},
	EffectDisconnect: {everything, cuttable, Disconnect},
	EffectLoseLock:   {locks, []Kind{Deliver}, LoseLock},
	EffectRefuse:     {refusable, told, Action{}},
	EffectThrottle:   {refusable, nil, Action{}},
	EffectCorrupt:    {onLinks, answered, Corrupt},
}

const defaultDelay = time.Second

func (f Fault) check() error {
	e, known := effects[f.Effect]
	can := e.before
	when := "before"
	if f.After {
		can, when = e.after, "after"
	}
	switch {
	case !known:
		return fmt.Errorf("effect %.40q: must be one of swallow, delay, duplicate, reorder, detach, disconnect, lose-lock, refuse, throttle, corrupt", f.Effect)
	case len(can) == 0:
		return fmt.Errorf("effect %s: cannot strike %s something has happened", f.Effect, when)
	case f.Operation != 0 && !slices.Contains(can, f.Operation):
		return fmt.Errorf("effect %s: cannot strike %s a %v; it can %v", f.Effect, when, f.Operation, can)
	case f.Request != "" && f.Operation != Request && f.Operation != Administer:
		return errors.New("request: needs the operation request or administer")
	case f.Operation == Administer && f.Request != "" && !slices.Contains(atomMethods, f.Request):
		return fmt.Errorf("request %.40q: of the operation administer must be one of %v", f.Request, atomMethods)
	case f.Role != "" && (f.Operation != Attach || f.Role != "sender" && f.Role != "receiver"):
		return errors.New("role: must be sender or receiver, and needs the operation attach")
	case f.Nth < 0:
		return fmt.Errorf("nth %d: must be 1 or more", f.Nth)
	case f.For < 0 || f.Delay < 0 || f.RetryAfter < 0:
		return errors.New("for, delay and retryAfter: must not be negative")
	case f.Probability < 0 || f.Probability > 1:
		return fmt.Errorf("probability %v: must be more than 0 and at most 1", f.Probability)
	}
	return f.checkAnswer()
}

// checkAnswer looks at what the client is told.
func (f Fault) checkAnswer() error {
	overHTTP := f.Operation == Administer
	switch {
	case f.Condition == "" && f.Status == 0 && f.Description != "":
		return errors.New("description: needs a condition or a status")
	case f.Condition != "" && (overHTTP || f.Effect != EffectRefuse && f.Effect != EffectDetach):
		return errors.New("condition: only refuse and detach have one, and not with the operation administer")
	case f.Status != 0 && (!overHTTP || f.Effect != EffectRefuse):
		return errors.New("status: only refuse has one, with the operation administer")
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("status %d: must be 400 to 599", f.Status)
	case f.RetryAfter > 0 && (!overHTTP || f.Effect != EffectRefuse && f.Effect != EffectThrottle):
		return errors.New("retryAfter: only refuse and throttle have one, with the operation administer")
	}
	return nil
}

func (f Fault) withDefaults() Fault {
	if f.Nth == 0 {
		f.Nth = 1
	}
	if f.Times == 0 {
		f.Times = 1
		if f.For > 0 {
			f.Times = -1
		}
	}
	if f.Probability == 0 {
		f.Probability = 1
	}
	if f.Delay == 0 && (f.Effect == EffectDelay || f.Effect == EffectReorder) {
		f.Delay = defaultDelay
	}
	f.ID, f.Seen, f.Hits, f.Over = "", 0, 0, false
	return f
}

// matches tells whether an event is one that f may strike.
func (f Fault) matches(e Event) bool {
	can := effects[f.Effect].before
	if e.Done {
		can = effects[f.Effect].after
	}
	return e.Done == f.After && slices.Contains(can, e.Kind) &&
		(f.Operation == 0 || f.Operation == e.Kind) &&
		(f.Request == "" || f.Request == e.Operation) &&
		(f.Entity == "" || foldPath(f.Entity) == foldPath(e.Entity)) &&
		(f.Role == "" || f.Role == e.Role) &&
		(f.Connection == 0 || f.Connection == e.Connection) &&
		(f.Container == "" || f.Container == e.Container) &&
		(f.MessageID == "" || f.MessageID == e.MessageID)
}

// faultDurations are the keys whose form in JSON is not that in Go.
type faultDurations struct {
	For        string `json:"for,omitempty"`
	Delay      string `json:"delay,omitempty"`
	RetryAfter string `json:"retryAfter,omitempty"`
}

// A faultDuration is a key's two forms.
type faultDuration struct {
	key  string
	text *string
	in   *time.Duration
}

func (d *faultDurations) of(f *Fault) []faultDuration {
	return []faultDuration{{"for", &d.For, &f.For}, {"delay", &d.Delay, &f.Delay}, {"retryAfter", &d.RetryAfter, &f.RetryAfter}}
}

type plainFault Fault

// MarshalJSON writes durations as time.ParseDuration reads them.
func (f Fault) MarshalJSON() ([]byte, error) {
	var d faultDurations
	for _, each := range d.of(&f) {
		if *each.in > 0 {
			*each.text = each.in.String()
		}
	}
	return json.Marshal(struct { //nolint:wrapcheck // json wraps what a MarshalJSON returns
		plainFault
		faultDurations
	}{plainFault(f), d})
}

// UnmarshalJSON refuses keys that it does not know.
func (f *Fault) UnmarshalJSON(raw []byte) error {
	var wire struct {
		plainFault
		faultDurations
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&wire); err != nil {
		return fmt.Errorf("fault: %w", err)
	}
	*f = Fault(wire.plainFault)
	for _, each := range wire.of(f) {
		if *each.text == "" {
			continue
		}
		var err error
		if *each.in, err = time.ParseDuration(*each.text); err != nil {
			return fmt.Errorf("fault: %s %s: must be a duration such as \"2s\"", each.key, strconv.Quote(*each.text))
		}
	}
	return nil
}

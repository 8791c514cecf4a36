package scenarios

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"passback/writeback/protocol"
)

const sourceSealed = "writeback/protocol: sealing; Entra: concept-sspr-writeback, password writeback security"

// Whoever owns the relay can read nothing and make nothing happen.
var sealedScenarios = []Scenario{
	{ID: "PB-SEALED-001", Title: "nothing that the relay stores can be read: no password, no name, no anchor", Area: AreaSealed, Source: sourceSealed, Requires: []Capability{RawRelay},
		Run: nothingReadable},
	{ID: "PB-SEALED-002", Title: "a request that is sealed as the cloud seals it is applied: what the others of this area differ from", Area: AreaSealed, Source: sourceSealed, Requires: []Capability{RawRelay, Forge},
		Run: properlySealed},
	{ID: "PB-SEALED-003", Title: "a tampered request changes nothing", Area: AreaSealed, Source: sourceSealed, Requires: []Capability{RawRelay, Forge},
		Run: tampered},
	{ID: "PB-SEALED-004", Title: "a request whose ids on the wire are not those sealed changes nothing", Area: AreaSealed, Source: sourceSealed, Requires: []Capability{RawRelay, Forge},
		Run: otherIDs},
	{ID: "PB-SEALED-005", Title: "a request that has expired changes nothing", Area: AreaSealed, Source: sourceSealed, Requires: []Capability{RawRelay, Forge},
		Run: forged(func(u, _ User) []Forgery {
			return []Forgery{{User: u, Issued: -10 * time.Minute}, {User: u, Issued: -time.Minute}}
		})},
	{ID: "PB-SEALED-006", Title: "a request of another tenant changes nothing", Area: AreaSealed, Source: sourceSealed, Requires: []Capability{RawRelay, Forge},
		Run: forged(func(u, _ User) []Forgery {
			return []Forgery{{User: u, Foreign: true}, {User: u, Tenant: "another-tenant"}}
		})},
	{ID: "PB-SEALED-007", Title: "the sealed secrets of one request, spliced into another, change nothing", Area: AreaSealed, Source: sourceSealed, Requires: []Capability{RawRelay, Forge},
		Run: forged(func(u, other User) []Forgery { return []Forgery{{User: u, SpliceFrom: &other}} })},
	{ID: "PB-SEALED-008", Title: "an applied request that is replayed through the other relay changes nothing", Area: AreaSealed, Source: sourceSealed, Requires: []Capability{RawRelay},
		Setup: Setup{SecondRelay: true}, Run: replayedApplied},
	{ID: "PB-SEALED-009", Title: "a refused request that is replayed through the other relay, and would now be accepted, changes nothing", Area: AreaSealed, Source: sourceSealed, Requires: []Capability{RawRelay},
		Setup: Setup{SecondRelay: true}, Run: replayedRefused},
	{ID: "PB-SEALED-013", Title: "a request that is replayed through its own relay, applied or refused, changes nothing", Area: AreaSealed, Source: sourceSealed, Requires: []Capability{RawRelay},
		Run: func(t *T) {
			replayedApplied(t)
			replayedRefused(t)
		}},
	{ID: "PB-SEALED-010", Title: "a spoofed heartbeat makes nobody alive", Area: AreaSealed, Source: sourceSealed, Requires: []Capability{RawRelay},
		Run: spoofedHeartbeat},
	{ID: "PB-SEALED-011", Title: "a heartbeat that is replayed after the goodbye makes nobody alive", Area: AreaSealed, Source: sourceSealed, Requires: []Capability{RawRelay},
		Run: staleHeartbeat},
	{ID: "PB-SEALED-012", Title: "a spoofed answer, or that of another request, is told to nobody", Area: AreaSealed, Source: sourceSealed, Requires: []Capability{RawRelay, RelayTraps},
		Run: spoofedAnswer},
}

func nothingReadable(t *T) {
	u := t.Seed(Person{DisplayName: "Ottilie Zwetschgenbaum"})
	first, second := t.Password(), t.Password()
	t.Succeeded(t.Reset(u, first))
	t.Succeeded(t.Change(u, first, second))
	t.Refused(t.Reset(u, second), protocol.PolicyViolation)
	t.Succeeded(t.Ask(Ask{Way: UnlockOnly, User: u}))
	looked := map[string]int{}
	words := []string{u.UPN, u.SAM, u.DN, u.CloudID, "Zwetschgenbaum", strings.SplitN(u.UPN, "@", 2)[1]}
	for _, s := range t.secrets {
		words = append(words, s.Reveal())
	}
	for _, m := range must(t.Target.Traffic(t.ctx))(t) {
		looked[m.Queue]++
		for i, word := range words {
			if form := readable(m.Raw, word); form != "" {
				t.Fatalf("a message on %s can be read: word number %d, as %s", m.Queue, i+1, form)
			}
		}
	}
	for queue, least := range map[string]int{protocol.QueueRequests: 4, protocol.QueueAnswers: 4, protocol.QueueStatus: 1} {
		if looked[queue] < least {
			t.Fatalf("looked at %d messages on %s, want %d at least: %v", looked[queue], queue, least, looked)
		}
	}
	t.Step("looked at %v messages", looked)
}

func properlySealed(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	m := must(t.Target.Forge(t.ctx, Forgery{User: u, New: password}))(t)
	t.inject(protocol.QueueRequests, m)
	t.eventually("the directory takes it", func() bool { return t.Account(u).Writes > before.account.Writes })
	before.Changed(password)
}

// inject puts messages into a queue and waits until none is left in it.
func (t *T) inject(queue string, messages ...protocol.Message) {
	for _, m := range messages {
		t.Must(t.Target.Inject(t.ctx, queue, m))
	}
	t.Must(t.Target.Settled(t.ctx, queue))
	t.Step("%d message(s) put into %s, and taken from it", len(messages), queue)
}

// stillWorks checks that what was put into the relay did not stop the agent.
func (m Mark) stillWorks() {
	password := m.t.Password()
	m.t.Succeeded(m.t.Reset(m.user, password))
	m.Changed(password)
}

func tampered(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	for _, tamper := range []func([]byte) []byte{
		func(body []byte) []byte { return flipped(body, len(body)/2) },
		func(body []byte) []byte { return flipped(body, len(body)-3) },
		func(body []byte) []byte { return flipped(body, 12) },
		func(body []byte) []byte { return body[:len(body)/2] },
		func([]byte) []byte { return nil },
		func([]byte) []byte { return []byte("{}") },
		func([]byte) []byte { return bytes.Repeat([]byte("A"), protocol.MaxMessage+1) },
	} {
		m := must(t.Target.Forge(t.ctx, Forgery{User: u, New: password}))(t) // each with an id of its own
		m.Body = tamper(m.Body)
		t.inject(protocol.QueueRequests, m)
	}
	before.Unchanged(password)
	before.stillWorks()
}

// flipped changes one character of a base64url text for another.
func flipped(body []byte, at int) []byte {
	out := slices.Clone(body)
	if out[at] == 'A' {
		out[at] = 'B'
	} else {
		out[at] = 'A'
	}
	return out
}

func otherIDs(t *T) {
	u := t.Seed(Person{})
	before, password := t.Mark(u, u.Password), t.Password()
	m := must(t.Target.Forge(t.ctx, Forgery{User: u, New: password}))(t)
	id, session := m, m
	id.ID = string(must(protocol.NewTrackingID())(t))
	session.ReplySession = "another-session"
	t.inject(protocol.QueueRequests, id, session)
	before.Unchanged(password)
	before.stillWorks()
}

func forged(forgeries func(u, other User) []Forgery) func(*T) {
	return func(t *T) {
		u, other := t.Seed(Person{}), t.Seed(Person{})
		before, beforeOther, password := t.Mark(u, u.Password), t.Mark(other, other.Password), t.Password()
		for _, f := range forgeries(u, other) {
			f.New = password
			t.inject(protocol.QueueRequests, must(t.Target.Forge(t.ctx, f))(t))
		}
		before.Unchanged(password)
		beforeOther.Unchanged(password)
		before.stillWorks()
	}
}

// last returns the newest message that a queue has stored.
func (t *T) last(queue string) protocol.Message {
	traffic := must(t.Target.Traffic(t.ctx))(t)
	for _, m := range slices.Backward(traffic) {
		if m.Queue == queue {
			return m.Message
		}
	}
	t.Fatalf("no message on %s was seen", queue)
	return protocol.Message{}
}

func replayedApplied(t *T) {
	u := t.Seed(Person{})
	first, second := t.Password(), t.Password()
	t.Succeeded(t.Reset(u, first))
	replay := t.last(protocol.QueueRequests)
	t.Succeeded(t.Reset(u, second))
	before := t.Mark(u, second)
	t.inject(protocol.QueueRequests, replay)
	before.Unchanged()
	before.stillWorks()
}

func replayedRefused(t *T) {
	u := t.Seed(Person{})
	t.Policy(Policy{MinLength: 12, Complexity: true})
	before, refused := t.Mark(u, u.Password), t.Secret("Pb1!abcdefg")
	t.Violated(t.Reset(u, refused), protocol.RuleLength)
	replay := t.last(protocol.QueueRequests)
	t.Policy(Policy{MinLength: 7, Complexity: true})
	t.inject(protocol.QueueRequests, replay)
	before.Unchanged(refused)
	before.stillWorks()
}

// alone stops every agent, and waits until the cloud misses them.
func (t *T) alone() {
	for _, a := range t.Target.Running() {
		t.Must(t.Target.Stop(t.ctx, a))
	}
	t.eventually("the cloud misses the agents", func() bool { return len(must(t.Target.Alive(t.ctx))(t)) == 0 })
}

func spoofedHeartbeat(t *T) {
	u := t.Seed(Person{})
	beat := t.last(protocol.QueueStatus)
	t.alone()
	tampered, empty := beat, beat
	tampered.ID, tampered.Body = string(must(protocol.NewTrackingID())(t)), flipped(beat.Body, len(beat.Body)/2)
	empty.ID, empty.Body = string(must(protocol.NewTrackingID())(t)), []byte("{}")
	t.inject(protocol.QueueStatus, tampered, empty)
	t.nobodyAlive()
	t.refusedAtTheGate(t.Reset(u, t.Password()), codeConnectivity)
}

func staleHeartbeat(t *T) {
	u := t.Seed(Person{})
	var beats []protocol.Message
	for _, m := range must(t.Target.Traffic(t.ctx))(t) {
		if m.Queue == protocol.QueueStatus {
			beats = append(beats, m.Message)
		}
	}
	if len(beats) == 0 {
		t.Fatalf("no heartbeat was seen")
	}
	t.alone()
	t.inject(protocol.QueueStatus, beats...)
	t.nobodyAlive()
	t.refusedAtTheGate(t.Reset(u, t.Password()), codeConnectivity)
}

// spoofedAnswer: a refusal is on its way; meanwhile the success of an earlier request, dressed with its ids, comes in.
func spoofedAnswer(t *T) {
	u := t.Seed(Person{})
	first := t.Password()
	t.Succeeded(t.Reset(u, first))
	success := t.last(protocol.QueueAnswers)
	before := t.Mark(u, first)
	trap := t.Trap(AtDelivery)
	asking := t.Begin(Ask{Way: PortalReset, User: u, New: first}) // in the history: refused
	t.Caught(trap, AtDelivery)
	inFlight := t.last(protocol.QueueRequests)
	dressed, garbage := success, success
	dressed.CorrelationID = inFlight.ID
	garbage.CorrelationID, garbage.Body = inFlight.ID, []byte("{}")
	t.inject(protocol.QueueAnswers, dressed, garbage)
	trap.Release(GoOn)
	t.Refused(asking.Answer(), protocol.PolicyViolation)
	before.Unchanged()
}

package writeback

import "passback/writeback/protocol"

// A delivery is one receipt of a request from the relay.
type delivery struct{ count int } // 1: the first

func (d delivery) first() bool { return d.count <= 1 }

// last reports whether the relay will not deliver the request again.
func (d delivery) last() bool { return d.count >= protocol.MaxDeliveryCount }

// A settlement is the order in which a request is answered and completed.
type settlement int

const (
	// answerThenComplete: the directory holds the decision, or the outcome is unknown. A redelivery answers alike.
	answerThenComplete settlement = iota
	// completeThenAnswer: nothing holds the decision, so the request must be gone before the refusal is said; if
	// completing fails, nothing is said.
	completeThenAnswer
)

// A decision is what became of one delivery.
type decision struct {
	outcome   protocol.Outcome
	violation *protocol.Violation
	notes     []protocol.Note
	dc        string // that decided
	detail    string // for the administrator: the DC's own words
	engine    string // text of event 6329, which an administrator must see; empty: none
	settle    settlement
}

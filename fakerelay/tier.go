package fakerelay

import (
	"fmt"

	"passback/fakerelay/broker"
)

// A Tier is what a namespace is bought as. It tells how large a message may be ("Service Bus quotas").
type Tier uint8

// The tiers; Basic, which has no sessions, is left out.
const (
	Standard Tier = iota
	Premium
)

var tiers = []struct {
	name           string
	maxMessageSize int
	largestKB      int64 // that an entity may be made for
	mostDeleted    int   // messages in one batch
}{
	Standard: {"standard", broker.MaxMessageSize, broker.MaxMessageSize >> 10, 500},
	Premium:  {"premium", broker.MaxPremiumMessageSize, broker.MaxMessageLimitKB, 4000},
}

// ParseTier reads "standard" or "premium". Its error names the text and what is allowed.
func ParseTier(text string) (Tier, error) {
	for tier, known := range tiers {
		if text == known.name {
			return Tier(tier), nil
		}
	}
	return Standard, fmt.Errorf("tier %q is not one of standard, premium", text)
}

// String is the name as ParseTier reads it.
func (t Tier) String() string {
	if !t.known() {
		return fmt.Sprintf("Tier(%d)", uint8(t))
	}
	return tiers[t].name
}

// MaxMessageSize is how many bytes a message, or a batch, may have.
func (t Tier) MaxMessageSize() int { return tiers[t].maxMessageSize }

// messageKilobytes are the smallest and the largest message size that an entity may be made for.
func (t Tier) messageKilobytes() (smallest, largest int64) {
	return int64(t.MaxMessageSize() >> 10), tiers[t].largestKB
}

// mostDeleted is how many messages one batch-delete-messages takes.
func (t Tier) mostDeleted() int { return tiers[t].mostDeleted }

func (t Tier) known() bool { return int(t) < len(tiers) }

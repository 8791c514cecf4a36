package password

// Fine-grained policies: which one is in effect for an account (MS-ADTS 3.1.1.4.5.36).

import (
	"bytes"
	"cmp"
	"slices"
)

// Settings are a fine-grained policy: one password settings object. It replaces the domain's policy as a whole.
type Settings struct {
	Policy
	Name       string // of its object
	Precedence int    // the smaller wins
	ID         [16]byte
}

// Resultant picks the policy in effect: of those that name the account itself, or else of those that name one
// of its groups, the one of smallest precedence, and among equals of smallest ID. Nil: the domain's is.
func Resultant(own, ofGroups []Settings) *Settings {
	candidates := own
	if len(candidates) == 0 {
		candidates = ofGroups
	}
	if len(candidates) == 0 {
		return nil
	}
	best := slices.MinFunc(candidates, func(a, b Settings) int {
		return cmp.Or(cmp.Compare(a.Precedence, b.Precedence), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return &best
}

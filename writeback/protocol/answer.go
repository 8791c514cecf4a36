package protocol

import (
	"fmt"
	"slices"
)

type sealedAnswer struct {
	Typ string `json:"typ"`
	Answer
}

// SealAnswer makes the message of an answer.
func SealAnswer(key PackageKey, a Answer) (Message, error) {
	if err := a.validate(); err != nil {
		return Message{}, fmt.Errorf("answer: %w", err)
	}
	body, err := seal(key, sealedAnswer{Typ: typAnswer, Answer: a})
	if err != nil {
		return Message{}, err
	}
	return Message{Body: body, CorrelationID: string(a.TrackingID), SessionID: a.ReplySession, TTL: AnswerTTL}, nil
}

// OpenAnswer opens an answer with whichever of keys it names. The caller still compares its RequestHash with
// Message.Hash of what was sent.
func OpenAnswer(keys []PackageKey, tenant string, m Message) (Answer, error) {
	var s sealedAnswer
	if err := open(keys, m.Body, &s); err != nil {
		return Answer{}, fmt.Errorf("answer: %w", err)
	}
	if s.Typ != typAnswer {
		return Answer{}, fmt.Errorf("answer: it is a %.40q: %w", s.Typ, ErrMalformed)
	}
	if s.Tenant != tenant {
		return Answer{}, fmt.Errorf("answer: tenant %.60q: %w", s.Tenant, ErrForeignTenant)
	}
	if m.CorrelationID != string(s.TrackingID) || m.SessionID != s.ReplySession {
		return Answer{}, fmt.Errorf("answer: ids on the wire are not those sealed: %w", ErrTampered)
	}
	if err := s.validate(); err != nil {
		return Answer{}, fmt.Errorf("answer: %w", err)
	}
	return s.Answer, nil
}

func (a Answer) validate() error {
	if _, err := ParseTrackingID(string(a.TrackingID)); err != nil {
		return err
	}
	if !a.Outcome.Known() {
		return invalid("outcome %.40q is not in the table", a.Outcome)
	}
	if (a.Violation != nil) != (a.Outcome == PolicyViolation) {
		return invalid("a violation belongs to the outcome %s and to no other", PolicyViolation)
	}
	if a.Violation != nil {
		if err := a.Violation.validate(); err != nil {
			return err
		}
	}
	if len(a.Detail) > MaxText || len(a.DC) > MaxText || a.IssuedAt.IsZero() || a.RequestHash == "" {
		return invalid("a detail or a DC of more than %d bytes, or no time, or no hash of the request", MaxText)
	}
	for _, n := range a.Notes {
		if n != MustChangeDropped {
			return invalid("note %.40q", n)
		}
	}
	return nil
}

func (v Violation) validate() error {
	rules := []Rule{RuleLength, RuleComplexity, RuleHistory, RuleMinimumAge, RuleContainsName, RuleFilter, RuleUnknown}
	if !slices.Contains(rules, v.Rule) {
		return invalid("rule %.40q", v.Rule)
	}
	if !slices.Contains([]Certainty{Certain, Likely, Uncertain}, v.Certainty) {
		return invalid("certainty %.40q", v.Certainty)
	}
	return nil
}

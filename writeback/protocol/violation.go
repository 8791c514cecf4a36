package protocol

import "time"

// A Rule of password policy.
type Rule string

// The rules that a violation names.
const (
	RuleLength       Rule = "length"
	RuleComplexity   Rule = "complexity"
	RuleHistory      Rule = "history"
	RuleMinimumAge   Rule = "minimumAge"
	RuleContainsName Rule = "containsName"
	RuleFilter       Rule = "filter"
	RuleUnknown      Rule = "unknown"
)

// Certainty is how sure the agent is of the rule: a directory says only that policy refused.
type Certainty string

// The certainties.
const (
	Certain   Certainty = "certain"
	Likely    Certainty = "likely"
	Uncertain Certainty = "unknown"
)

// A Violation tells which rule refused a password, and what would pass.
type Violation struct {
	Rule      Rule       `json:"rule"`
	Certainty Certainty  `json:"certainty"`
	Policy    *Policy    `json:"policy,omitempty"` // nil: the agent could not read it
	Until     *time.Time `json:"until,omitempty"`  // of minimumAge: the instant at which it ends
}

// A Policy is the one in effect for the user. Ages are whole seconds.
type Policy struct {
	Name              string `json:"name"` // of the password settings object, or of the domain
	MinimumLength     int    `json:"minimumLength"`
	Complexity        bool   `json:"complexity"`
	History           int    `json:"history"`
	MinimumAgeSeconds int64  `json:"minimumAgeSeconds"`
	MaximumAgeSeconds int64  `json:"maximumAgeSeconds"` // 0: never
}

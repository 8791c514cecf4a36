package protocol

import (
	"regexp"
	"slices"
)

// What an agent says is wrong with it, in the way of Tailscale's health warnings: a stable code for programs, a text for
// people, how bad it is, and which other warnings it follows from. The agent knows the codes and their texts; whoever
// reads a heartbeat shows those that it does not know as it shows the others, so that the two may be of different versions.

// A Severity is how bad a warning is. One that is not known is none of these.
type Severity string

// The severities.
const (
	SeverityHigh   Severity = "high"   // requests fail, or do not arrive
	SeverityMedium Severity = "medium" // they do not yet
	SeverityLow    Severity = "low"    // worth knowing, and nothing to do
)

// A Warning is one thing that is wrong.
type Warning struct {
	Code      string   `json:"code"`
	Severity  Severity `json:"severity"`
	Subject   string   `json:"subject,omitempty"` // the relay or the domain that it is about; empty: the agent
	Text      string   `json:"text"`              // for people; MaxWarningText bytes at most
	DependsOn []string `json:"dependsOn,omitempty"`
}

// Limits on the warnings of one heartbeat, which must fit into MaxMessage.
const (
	MaxWarnings    = 16
	MaxWarningText = 160 // bytes
	maxDependsOn   = 8
)

var warningWord = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

func (w Warning) validate() error {
	words := append([]string{w.Code, string(w.Severity)}, w.DependsOn...)
	if i := slices.IndexFunc(words, func(s string) bool { return !warningWord.MatchString(s) }); i >= 0 {
		return invalid("a warning's code or severity %.70q: want small letters, digits and hyphens", words[i])
	}
	if w.Text == "" || len(w.Text) > MaxWarningText || len(w.Subject) > 255 || len(w.DependsOn) > maxDependsOn {
		return invalid("warning %s: its text, its subject, or what it depends on, is missing or too long", w.Code)
	}
	return nil
}

// String is the warning in one line.
func (w Warning) String() string {
	subject := w.Subject
	if subject != "" {
		subject += ": "
	}
	return string(w.Severity) + ": " + subject + w.Text + " (" + w.Code + ")"
}

// Causes leaves out each warning that follows from another one of the list: one of a code that it depends on, about the
// same subject or about the agent.
func Causes(all []Warning) (causes []Warning) {
	for _, w := range all {
		follows := slices.ContainsFunc(all, func(cause Warning) bool {
			return slices.Contains(w.DependsOn, cause.Code) && (cause.Subject == "" || cause.Subject == w.Subject)
		})
		if !follows {
			causes = append(causes, w)
		}
	}
	return causes
}

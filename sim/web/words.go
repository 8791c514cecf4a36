package web

import (
	"fmt"
	"html/template"
	"time"

	"passback/sim/cloud"
	"passback/writeback/protocol"
)

var functions = template.FuncMap{
	"instant": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	"ms":      func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) },
	"model":   func(m cloud.SignInModel) string { return modelWords[m] },
	"lanes":   func() []string { return laneTitles },
	"mood":    mood,
}

var laneTitles = []string{"Cloud", "Relay", "Agent", "Directory"}

var modelWords = map[cloud.SignInModel]string{
	cloud.CloudOnly:        "cloud only",
	cloud.HashSynchronised: "hash synchronised",
	cloud.Federated:        "federated",
}

// mood is the colour of an outcome: good, bad, or unknown, which is neither.
func mood(c protocol.Changed) string {
	switch c {
	case protocol.ChangedYes:
		return "good"
	case protocol.ChangedNo:
		return "bad"
	default:
		return "maybe"
	}
}

var ruleWords = map[protocol.Rule]string{
	protocol.RuleLength:       "It is too short.",
	protocol.RuleComplexity:   "It is not complex enough: use three of capitals, small letters, digits and special characters.",
	protocol.RuleHistory:      "It was used before.",
	protocol.RuleMinimumAge:   "The current password is too young to be replaced.",
	protocol.RuleContainsName: "It contains the account's name or a part of the full name.",
	protocol.RuleFilter:       "A password filter of the domain controller refused it.",
	protocol.RuleUnknown:      "Which rule refused could not be told.",
}

// worded tells a violation in sentences.
func worded(v *protocol.Violation) []string {
	if v == nil {
		return nil
	}
	lines := []string{ruleWords[v.Rule] + " (" + string(v.Certainty) + ")"}
	if v.Until != nil {
		lines = append(lines, "It may be changed from "+v.Until.UTC().Format("2006-01-02 15:04:05 UTC")+".")
	}
	if p := v.Policy; p != nil {
		complexity := "off"
		if p.Complexity {
			complexity = "on"
		}
		lines = append(lines, fmt.Sprintf("Policy %q: at least %d characters, complexity %s, %d passwords remembered, minimum age %s, maximum age %s.",
			p.Name, p.MinimumLength, complexity, p.History, seconds(p.MinimumAgeSeconds), seconds(p.MaximumAgeSeconds)))
	}
	return lines
}

func seconds(n int64) string {
	if n == 0 {
		return "none"
	}
	return (time.Duration(n) * time.Second).String()
}

package writeback

// What can be wrong with an agent: a table of warnings, judged by what the agent knows of itself, with no look at
// anything. Each heartbeat carries them, and status and the cloud's pages show them. The model is Tailscale's health
// package: a warning that follows from another names it, so that people are told of the cause alone.

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"passback/writeback/protocol"
)

// An ailment is a row of the table.
type ailment struct {
	code      string
	severity  protocol.Severity
	dependsOn []string // codes of what it may follow from
	found     func(vitals) []complaint
}

// A complaint is one thing found.
type complaint struct{ subject, text string } // subject: a relay or a domain; empty: the agent

// The codes. They are told to programs, so they stay.
const (
	illClock          = "clock-skew"
	illCloud          = "enrolment-not-renewed"
	illMissingDomain  = "domain-missing"
	illStaging        = "staging"
	illWarming        = "warming-up"
	illToken          = "relay-token-refused"
	illRelay          = "relay-unreachable"
	illOneRelay       = "relay-redundancy-lost"
	illBind           = "bind-refused"
	illDirectory      = "directory-unreachable"
	illHints          = "policy-hints-missing"
	illMarker         = "marker-denied"
	illForeignKey     = "key-mismatch"
	illKeyOverdue     = "key-rollover-overdue"
	illKeyExpiring    = "key-expiring"
	illKeyRolled      = "key-rolled"
	keyExpiringBefore = 7 * 24 * time.Hour // of the rollover
	keyOverdueAfter   = 2 * protocol.RenewInterval
	grievance         = time.Hour // for which a request's trouble with the marker or the key is told
)

// ailments is the table; docs/operations.md tells what to do about each.
var ailments = []ailment{
	{illClock, protocol.SeverityHigh, nil, func(v vitals) []complaint { return ofAgent(v.skew) }},
	{illBind, protocol.SeverityHigh, nil, ofDomains(func(d domainVitals) string {
		return textIf(d.bindRefused, "the directory does not let the agent's account in (49); it is not tried again until a reload")
	})},
	{illDirectory, protocol.SeverityHigh, []string{illBind}, ofDomains(func(d domainVitals) string {
		return textIf(d.DC == "", "no domain controller can be written to: "+d.Detail)
	})},
	{illHints, protocol.SeverityHigh, []string{illBind, illDirectory}, ofDomains(func(d domainVitals) string {
		return textIf(d.noHints, d.DC+" does not offer the password policy control, so resets are refused")
	})},
	{illMarker, protocol.SeverityHigh, []string{illBind}, ofDomains(func(d domainVitals) string { return d.marker })},
	{illToken, protocol.SeverityHigh, nil, ofRelays(func(r relayVitals, _ bool) string {
		return textIf(r.refused, "the relay refuses the agent's credentials; they are being renewed")
	})},
	{illRelay, protocol.SeverityHigh, []string{illToken}, ofRelays(func(r relayVitals, others bool) string {
		return textIf(!others, "not connected, and no other relay is, so no request arrives: "+r.failure)
	})},
	{illOneRelay, protocol.SeverityMedium, []string{illToken}, ofRelays(func(r relayVitals, others bool) string {
		return textIf(others, "not connected; the other relay serves: "+r.failure)
	})},
	{illCloud, protocol.SeverityMedium, nil, func(v vitals) []complaint { return ofAgent(v.renewal) }},
	{illMissingDomain, protocol.SeverityMedium, nil, func(v vitals) (all []complaint) {
		for _, d := range v.missing {
			all = append(all, complaint{"", "agent.yaml lacks the tenant's domain " + d + ", so the agent is staging"})
		}
		return all
	}},
	{illForeignKey, protocol.SeverityMedium, nil, func(v vitals) []complaint { return ofAgent(v.foreignKey) }},
	{illKeyOverdue, protocol.SeverityMedium, []string{illCloud}, ofKey(keyLifetime+keyOverdueAfter, 0, "it should have rolled over long ago")},
	{illStaging, protocol.SeverityLow, []string{illMissingDomain}, func(v vitals) []complaint { return ofAgent(v.staging) }},
	{illWarming, protocol.SeverityLow, []string{illClock, illMissingDomain, illStaging}, func(v vitals) []complaint { return ofAgent(v.warming) }},
	{illKeyExpiring, protocol.SeverityLow, nil, ofKey(keyLifetime-keyExpiringBefore, keyLifetime+keyOverdueAfter, "it rolls over by itself at 182")},
	{illKeyRolled, protocol.SeverityLow, nil, func(v vitals) []complaint {
		return ofAgent(textIf(v.oldKey, "the key has rolled over; the old one is destroyed once nothing sealed to it can arrive"))
	}},
}

// warnings goes through the table, the worst first.
func (v vitals) warnings() (all []protocol.Warning) {
	for _, row := range ailments {
		for _, c := range row.found(v) {
			text := strings.Join(strings.Fields(c.text), " ")
			all = append(all, protocol.Warning{
				Code: row.code, Severity: row.severity, Subject: c.subject, Text: shortened(text, protocol.MaxWarningText), DependsOn: row.dependsOn,
			})
		}
	}
	return all[:min(len(all), protocol.MaxWarnings)]
}

func textIf(yes bool, text string) string {
	if !yes {
		return ""
	}
	return text
}

func ofAgent(text string) []complaint {
	if text == "" {
		return nil
	}
	return []complaint{{"", text}}
}

func ofDomains(text func(domainVitals) string) func(vitals) []complaint {
	return func(v vitals) (all []complaint) {
		for _, d := range v.domains {
			if t := text(d); t != "" {
				all = append(all, complaint{d.Domain, t})
			}
		}
		return all
	}
}

// ofRelays looks at those that failed; others tells whether another one stands.
func ofRelays(text func(r relayVitals, others bool) string) func(vitals) []complaint {
	return func(v vitals) (all []complaint) {
		others := slices.ContainsFunc(v.relays, func(r relayVitals) bool { return r.failure == "" })
		for _, r := range v.relays {
			if t := text(r, others); r.failure != "" && t != "" {
				all = append(all, complaint{r.host, t})
			}
		}
		return all
	}
}

// ofKey looks at a key of such an age; before 0 is no bound.
func ofKey(from, before time.Duration, text string) func(vitals) []complaint {
	return func(v vitals) []complaint {
		if v.keyAge < from || before > 0 && v.keyAge >= before {
			return nil
		}
		return ofAgent(fmt.Sprintf("the agent's key is %d days old; %s", v.keyAge/(24*time.Hour), text))
	}
}

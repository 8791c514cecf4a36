package writeback

// explain: what became of one request, from the two places that know: this agent's journal, and the marker that the
// directory keeps beside the password. The directory's word wins, since every agent's decision is there.

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// A Verdict is what can be said of a request.
type Verdict string

// The verdicts.
const (
	Applied  Verdict = "applied"
	Refused  Verdict = "refused"
	NotKnown Verdict = "unknown"
)

// An Explanation is everything that is known of one request.
type Explanation struct {
	TrackingID protocol.TrackingID `json:"tracking_id"`
	Asked      time.Time           `json:"asked"` // from the id itself
	Verdict    Verdict             `json:"verdict"`
	Outcome    protocol.Outcome    `json:"outcome,omitempty"`
	Why        string              `json:"why"`
	Advice     string              `json:"advice,omitempty"` // the outcome's own text for administrators
	Journal    []journalEntry      `json:"journal"`          // this agent's, oldest first
	Directory  []Trace             `json:"directory"`
}

// A Trace is what one domain shows of the request.
type Trace struct {
	Domain string   `json:"domain"`
	DC     string   `json:"dc,omitempty"` // that was asked
	DN     string   `json:"dn,omitempty"` // of the account
	Values []string `json:"values,omitempty"`
	Error  string   `json:"error,omitempty"` // why it shows nothing
}

// Explain looks a request up. It changes nothing.
func Explain(ctx context.Context, c Config, id protocol.TrackingID) (Explanation, error) {
	c.Logger = slog.New(slog.DiscardHandler) // the explanation says it all
	a, err := New(c)
	if err != nil {
		return Explanation{}, err
	}
	dir, err := openState(a.config.StateDir)
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{TrackingID: id, Asked: id.Time()}
	if e.Journal, err = readJournal(dir, id); err != nil {
		return Explanation{}, err
	}
	domains, err := a.newDomains(dir.marker(a.config))
	if err != nil {
		return Explanation{}, err
	}
	for _, d := range domains {
		defer d.Close()
		e.Directory = append(e.Directory, e.traces(ctx, d)...)
	}
	e.judge()
	if e.Outcome != "" {
		e.Advice = e.Outcome.Info().AdminText(id)
	}
	return e, nil
}

// marker is the tenant's attribute; the default where this host is not enrolled any more.
func (s state) marker(c Config) string {
	keys, err := peekKeyring(s, c.Clock)
	if err != nil {
		return protocol.DefaultMarkerAttribute
	}
	enrolment, err := s.enrolment(keys.all())
	if err != nil {
		return protocol.DefaultMarkerAttribute
	}
	return enrolment.MarkerAttribute
}

// traces asks one domain: for the account that the journal names, else for any that holds the request's value.
func (e *Explanation) traces(ctx context.Context, d *directory.Domain) []Trace {
	var known *journalEntry
	if len(e.Journal) > 0 {
		known = &e.Journal[len(e.Journal)-1]
		if !strings.EqualFold(known.Domain, d.Name()) {
			return nil
		}
	}
	c, err := openFor(ctx, d, known)
	if err != nil {
		return []Trace{{Domain: d.Name(), Error: err.Error()}}
	}
	defer c.Release()
	users, err := e.users(ctx, c, known)
	if err != nil {
		return []Trace{{Domain: d.Name(), DC: c.Host(), Error: err.Error()}}
	}
	var traces []Trace
	for _, u := range users {
		traces = append(traces, Trace{Domain: d.Name(), DC: c.Host(), DN: u.DN, Values: e.valuesOf(u)})
	}
	if len(users) == 0 {
		traces = append(traces, Trace{Domain: d.Name(), DC: c.Host(), Error: "no account shows it"})
	}
	return traces
}

// openFor prefers the controller that the request was decided on: another one may not have heard of it yet.
func openFor(ctx context.Context, d *directory.Domain, known *journalEntry) (*directory.Conn, error) {
	var elsewhere error
	if known != nil {
		c, err := d.Open(ctx, known.DC)
		if err == nil || directory.KindOf(err) == directory.BindRefused {
			return c, err
		}
		elsewhere = err
	}
	dc, err := d.WriteTo(ctx)
	if err != nil {
		return nil, errors.Join(elsewhere, err)
	}
	return d.Open(ctx, dc)
}

func (e *Explanation) users(ctx context.Context, c *directory.Conn, known *journalEntry) ([]directory.User, error) {
	if known == nil {
		return c.FindMarked(ctx, protocol.Marker{ID: e.TrackingID}.String())
	}
	anchor, err := base64.StdEncoding.DecodeString(known.SourceAnchor)
	if err != nil {
		return nil, fmt.Errorf("the journal's source anchor: %w", err)
	}
	return c.Find(ctx, anchor)
}

func (e *Explanation) valuesOf(u directory.User) (own []string) {
	for _, v := range u.Markers {
		if m, ours := protocol.ParseMarker(v); ours && m.ID == e.TrackingID {
			own = append(own, v)
		}
	}
	return own
}

// judge weighs the two.
func (e *Explanation) judge() {
	var bare, seen bool
	var twin protocol.Outcome
	for _, t := range e.Directory {
		seen = seen || t.Error == ""
		for _, v := range t.Values {
			m, _ := protocol.ParseMarker(v)
			bare = true
			if m.Refused != "" {
				twin = m.Refused
			}
		}
	}
	said := e.said()
	switch {
	case twin != "":
		e.Verdict, e.Outcome = Refused, twin
		e.Why = "The directory holds the request's value with a twin that names the refusal, so the request did not change the password and never can." + detailOf(said)
	case bare:
		e.Verdict, e.Outcome = Applied, protocol.Success
		e.Why = "The directory holds the request's value, which is added in the same modify as the password."
	case said != nil && said.Outcome == protocol.Success:
		e.Verdict, e.Outcome = Applied, protocol.Success
		e.Why = "The journal says that the directory took it. " + e.silence(seen)
	case said != nil && said.Outcome.Info().Changed == protocol.ChangedNo:
		e.Verdict, e.Outcome = Refused, said.Outcome
		e.Why = "The journal says so." + detailOf(said) + " " + e.silence(seen)
	default:
		e.Verdict = NotKnown
		if len(e.Journal) > 0 {
			e.Outcome = protocol.Unknown
			e.Why = "This agent could not learn what the directory did." + detailOf(&e.Journal[len(e.Journal)-1]) + " " + e.silence(seen)
		} else {
			e.Why = "This agent's journal has no line of it: another agent may have taken it, or none did. " + e.silence(seen)
		}
	}
}

// said is the journal's last line that is sure of itself.
func (e *Explanation) said() *journalEntry {
	for _, line := range slices.Backward(e.Journal) {
		if line.Outcome != protocol.Unknown {
			return &line
		}
	}
	return nil
}

func detailOf(line *journalEntry) string {
	switch {
	case line == nil:
		return ""
	case line.Rule != "":
		return fmt.Sprintf(" The rule that refused is %s (%s). %s", line.Rule, line.Certainty, line.Detail)
	case line.Detail != "":
		return " " + line.Detail
	}
	return ""
}

// silence says what it means that the directory shows nothing.
func (e *Explanation) silence(seen bool) string {
	switch {
	case forgotten(e.TrackingID):
		return fmt.Sprintf("The directory shows nothing of it now; a value may be removed when its request is older than %s.", protocol.MarkerLifetime)
	case seen:
		return "The account shows nothing of it: up to now, the directory has not decided it."
	}
	return "The directory shows nothing of it."
}

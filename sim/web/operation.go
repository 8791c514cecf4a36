package web

import (
	"net/http"
	"time"

	"passback/sim/cloud"
	"passback/sim/trace"
	"passback/writeback/protocol"
)

// maxForm bounds the body of a form: two passwords and two names.
const maxForm = 16 << 10

type formData struct {
	Person Person
	Way    wayIn
	Gate   *cloud.Gate // closed before the person has to prove anything
	Wrong  string
}

func (s *site) form(w http.ResponseWriter, r *http.Request) {
	way, known := findWay(r.FormValue("way"))
	if !known {
		http.Error(w, "There is no such way in.", http.StatusNotFound)
		return
	}
	p := s.person(r.FormValue("user"))
	s.show(w, http.StatusOK, "form", way.Title, formData{Person: p, Way: way, Gate: s.Tenant.Check(way.Way, p.UPN)})
}

func (s *site) person(upn string) Person {
	for _, p := range s.people() {
		if p.UPN == upn {
			return p
		}
	}
	return Person{UPN: upn, Name: upn}
}

func (s *site) perform(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	way, known := findWay(r.PostFormValue("way"))
	if !known {
		http.Error(w, "There is no such way in.", http.StatusBadRequest)
		return
	}
	p := s.person(r.PostFormValue("user"))
	if way.New && r.PostFormValue("new") != r.PostFormValue("again") {
		s.show(w, http.StatusBadRequest, "form", way.Title, formData{Person: p, Way: way, Wrong: "The two new passwords differ. Enter them again."})
		return
	}
	ask := cloud.Ask{Way: way.Way, User: p.UPN, Old: protocol.NewSecret(r.PostFormValue("old")), New: protocol.NewSecret(r.PostFormValue("new"))}
	if way.Admin {
		ask.Actor = s.administrator()
	}
	result := s.Tenant.Perform(r.Context(), ask)
	s.show(w, http.StatusOK, "outcome", way.Title, outcomeData{
		Person: p, Way: way, Result: &result, Outcome: result.Outcome,
		Violation: worded(result.Violation), Hops: s.hops(string(result.TrackingID)),
	})
}

// administrator is who acts on the pages for administrators: the tenant's first.
func (s *site) administrator() string {
	for _, u := range s.Tenant.Users() {
		if u.Admin && u.Enabled {
			return u.UPN
		}
	}
	return ""
}

type outcomeData struct {
	Person    Person
	Way       wayIn
	Result    *cloud.Result // nil: an operation looked up by its id
	Outcome   protocol.Outcome
	Violation []string
	ID        string
	Hops      []hopRow
}

// A hopRow is one hop in its lane, with the time since the first.
type hopRow struct {
	trace.Hop
	After time.Duration
	Lane  int
}

var lanes = []trace.Place{trace.Cloud, trace.Relay, trace.Agent, trace.Directory}

func (s *site) hops(id string) []hopRow {
	var rows []hopRow
	for _, h := range s.Trace.Of(id) {
		row := hopRow{Hop: h}
		if len(rows) > 0 {
			row.After = h.At.Sub(rows[0].At)
		}
		for i, place := range lanes {
			if place == h.Place {
				row.Lane = i
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func (s *site) operations(w http.ResponseWriter, _ *http.Request) {
	s.show(w, http.StatusOK, "operations", "Operations", s.Trace.IDs())
}

func (s *site) operation(w http.ResponseWriter, r *http.Request) {
	hops := s.hops(r.PathValue("id"))
	if len(hops) == 0 {
		http.Error(w, "Nothing is recorded of this tracking id.", http.StatusNotFound)
		return
	}
	s.show(w, http.StatusOK, "outcome", "Operation", outcomeData{ID: r.PathValue("id"), Hops: hops})
}

func (s *site) audit(w http.ResponseWriter, _ *http.Request) {
	entries := s.Tenant.Audit()
	for i, j := 0, len(entries)-1; i < j; i, j = i+1, j-1 {
		entries[i], entries[j] = entries[j], entries[i]
	}
	s.show(w, http.StatusOK, "audit", "Audit log", entries)
}

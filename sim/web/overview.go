package web

import (
	"net/http"
	"time"

	"passback/sim/cloud"
)

type overviewData struct {
	People  []personRow
	Agents  []Agent
	Connect []Connection
	Ways    []wayIn
	Clock   bool
	Steps   []step
}

type personRow struct {
	Person
	Model   cloud.SignInModel
	Enabled bool
	Known   bool // to the tenant
}

// A step of the clock that a button takes.
type step struct{ Label, By string }

var steps = []step{{"30 minutes", "30m"}, {"1 hour", "1h"}, {"1 day", "24h"}, {"42 days", "1008h"}}

// maxAdvance of one request, so that a slip does not end every password at once.
const maxAdvance = 366 * 24 * time.Hour

func (s *site) overview(w http.ResponseWriter, _ *http.Request) {
	data := overviewData{Ways: waysIn, Clock: s.Advance != nil, Steps: steps}
	for _, p := range s.people() {
		row := personRow{Person: p}
		if u, known := s.Tenant.User(p.UPN); known {
			row.Model, row.Enabled, row.Known = u.Model, u.Enabled, true
		}
		data.People = append(data.People, row)
	}
	if s.Agents != nil {
		data.Agents = s.Agents()
	}
	if s.Connect != nil {
		data.Connect = s.Connect()
	}
	s.show(w, http.StatusOK, "overview", "Sandbox", data)
}

func (s *site) people() []Person {
	if s.People == nil {
		return nil
	}
	return s.People()
}

func (s *site) advance(w http.ResponseWriter, r *http.Request) {
	by, err := time.ParseDuration(r.FormValue("by"))
	if s.Advance == nil || err != nil || by <= 0 || by > maxAdvance {
		http.Error(w, "The clock goes forward by a duration such as 30m or 24h, of at most 8784h.", http.StatusBadRequest)
		return
	}
	if err := s.Advance(r.Context(), by); err != nil {
		http.Error(w, "The clock was advanced, but: "+err.Error(), http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

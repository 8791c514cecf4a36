package sim

import (
	"net/http"
	"strings"

	pages "passback/sim/web"
	"passback/writeback/protocol"
)

// pages is for people.
func (w *World) pages() http.Handler {
	o := pages.Options{Tenant: w.Cloud, Trace: w.Trace, People: w.shown, Agents: w.shownAgents, Connect: w.shownConnections, Logger: w.log}
	if w.Directory != nil { // another directory has its own time
		o.Now, o.Advance = w.Clock.Now, w.Advance
	}
	return pages.New(o)
}

func (w *World) shown() []pages.Person {
	var list []pages.Person
	for _, p := range w.People() {
		name := p.UPN
		if u, known := w.Cloud.User(p.UPN); known && u.DisplayName != "" {
			name = u.DisplayName
		}
		list = append(list, pages.Person{UPN: p.UPN, Name: name, Password: p.Password, Shows: p.Shows})
	}
	return list
}

func (w *World) shownAgents() []pages.Agent {
	var list []pages.Agent
	for _, a := range w.Cloud.Agents() {
		list = append(list, pages.Agent{Name: a.Name, Mode: string(a.Mode), Alive: a.Alive, LastBeat: a.LastBeat, Detail: a.Reason, Health: protocol.Causes(a.Health)})
	}
	return list
}

// shownConnections are what other tools connect with.
func (w *World) shownConnections() []pages.Connection {
	f := w.ReadyFile()
	list := []pages.Connection{
		{Label: "Microsoft Graph", Value: f.Graph + "/v1.0"},
		{Label: "Administrator's token", Value: f.Tokens[adminName]},
		{Label: "Directory", Value: strings.TrimSpace(f.Directory.LDAP + " " + f.Directory.LDAPS)},
	}
	if f.Directory.AdminDN != "" {
		list = append(list, pages.Connection{Label: "Directory's administrator", Value: f.Directory.AdminDN + ", password " + f.Directory.AdminPassword})
	}
	return append(list,
		pages.Connection{Label: "Service Bus, plain", Value: f.Relay.AMQP},
		pages.Connection{Label: "Service Bus, TLS", Value: f.Relay.AMQPS},
		pages.Connection{Label: "Service Bus, WebSocket", Value: f.Relay.WebSocket},
		pages.Connection{Label: "Enrolment", Value: f.Enrol.URL},
		pages.Connection{Label: "CA of every TLS port", Value: f.CAFile},
	)
}

package cloud_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/google/uuid"

	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

const person = "alice@corp.example"

// beat seals a heartbeat as the agent would and sends it with the agent's own rule.
func beat(t *testing.T, w *sim.World, enrolled protocol.EnrolResponse, change func(*protocol.Heartbeat)) {
	t.Helper()
	h := protocol.Heartbeat{
		ID: uuid.NewString(), Tenant: enrolled.Tenant, AgentID: enrolled.AgentID, AgentName: "test", Version: "1", Mode: enrolled.Mode, Ready: true,
		Domains:  []protocol.DomainState{{Domain: "corp.example", DC: "dc1.corp.example"}},
		IssuedAt: time.Now().UTC(),
	}
	if change != nil {
		change(&h)
	}
	m, err := protocol.SealHeartbeat(enrolled.PackageKeys[0], h)
	if err != nil {
		t.Fatal(err)
	}
	rule := enrolled.Relays[0].Status
	client, err := azservicebus.NewClientFromConnectionString(
		"Endpoint=sb://"+w.Relay.AMQPSAddr()+";SharedAccessKeyName="+rule.Name+";SharedAccessKey="+rule.Key.Reveal(),
		&azservicebus.ClientOptions{TLSConfig: &tls.Config{RootCAs: w.CA.Pool(), ServerName: "localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close(t.Context())
	sender, err := client.NewSender(protocol.QueueStatus, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.SendMessage(t.Context(), &azservicebus.Message{Body: m.Body, MessageID: &m.ID}, nil); err != nil {
		t.Fatal(err)
	}
	settled(t, w)
}

// settled waits until the cloud has taken every heartbeat.
func settled(t *testing.T, w *sim.World) {
	t.Helper()
	q, err := w.Relay.Queue(protocol.QueueStatus)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); q.Count() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the cloud does not take its heartbeats")
		}
	}
}

func enrolled(t *testing.T, w *sim.World) protocol.EnrolResponse {
	t.Helper()
	_, told := joined(t, w)
	return told
}

func gate(w *sim.World) string {
	if g := w.Cloud.Check(cloud.PortalReset, person); g != nil {
		return g.SSPR
	}
	return "open"
}

func TestAliveIsActiveWithAUsableDirectory(t *testing.T) {
	w := withoutAgent(t)
	agent := enrolled(t, w)
	if g := gate(w); g != "SSPR_0030" {
		t.Errorf("enrolled, and never heard of: %s", g)
	}
	at := time.Now()
	for _, step := range []struct {
		name   string
		change func(*protocol.Heartbeat)
		gate   string
	}{
		{"no domain controller", func(h *protocol.Heartbeat) { h.Domains[0].DC = "" }, "SSPR_0030"},
		{"another domain alone", func(h *protocol.Heartbeat) { h.Domains[0].Domain = "other.example" }, "SSPR_0029"},
		{"staging", func(h *protocol.Heartbeat) { h.Mode = protocol.Staging }, "SSPR_0029"},
		{"not ready", func(h *protocol.Heartbeat) { h.Ready = false }, "SSPR_0030"},
		{"alive", nil, "open"},
		{"spoofed for another tenant", func(h *protocol.Heartbeat) { h.Tenant = "other"; h.Goodbye = true }, "open"},
		{"of an agent that is none", func(h *protocol.Heartbeat) { h.AgentID = "other"; h.Goodbye = true }, "open"},
		{"stale", func(h *protocol.Heartbeat) { h.IssuedAt = at; h.Goodbye = true }, "open"},
		{"from the future", func(h *protocol.Heartbeat) { h.IssuedAt = h.IssuedAt.Add(time.Minute); h.Goodbye = true }, "open"},
		{"goodbye", func(h *protocol.Heartbeat) { h.Goodbye = true }, "SSPR_0030"},
	} {
		beat(t, w, agent, step.change)
		if g := gate(w); g != step.gate {
			t.Errorf("%s: %s, want %s", step.name, g, step.gate)
		}
	}
}

func TestStagingAgentAloneNeedsAnAdministrator(t *testing.T) {
	w := withoutAgent(t)
	a := newApplicant(t, w)
	r, refused := a.post(protocol.EnrolRequest{Token: w.Cloud.NewEnrolToken(0), Mode: protocol.Staging})
	if refused != nil {
		t.Fatal(refused)
	}
	beat(t, w, r, nil)
	if g := gate(w); g != "SSPR_0029" {
		t.Errorf("only a staging agent beats: %s", g)
	}
}

func TestHealthIsShownWhateverItsCode(t *testing.T) {
	w := withoutAgent(t)
	unheard := protocol.Warning{Code: "moon-in-the-way", Severity: "cosmic", Subject: "corp.example", Text: "The moon is in the way."}
	beat(t, w, enrolled(t, w), func(h *protocol.Heartbeat) { h.Health = []protocol.Warning{unheard} })
	if all := w.Cloud.Agents()[0].Health; len(all) != 1 || all[0].Code != unheard.Code || all[0].Text != unheard.Text {
		t.Errorf("shown %+v", all)
	}
	r, err := http.Get(w.WebURL() + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	page, err := io.ReadAll(r.Body)
	if err != nil || !strings.Contains(string(page), unheard.Code) || !strings.Contains(string(page), unheard.Text) {
		t.Errorf("the page does not show it: %v", err)
	}
}

package cloud_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// An applicant is an agent that only enrols.
type applicant struct {
	t       *testing.T
	w       *sim.World
	key     protocol.PrivateKey
	agentID string
	domains []string
}

func newApplicant(t *testing.T, w *sim.World) *applicant {
	t.Helper()
	key, err := protocol.NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	return &applicant{t: t, w: w, key: key, domains: []string{"corp.example"}}
}

// joined is an applicant that the tenant has taken.
func joined(t *testing.T, w *sim.World) (*applicant, protocol.EnrolResponse) {
	t.Helper()
	a := newApplicant(t, w)
	told, refused := a.enrol(w.Cloud.NewEnrolToken(0))
	if refused != nil {
		t.Fatal(refused)
	}
	return a, told
}

// post sends one request, over HTTPS, and opens what comes back.
func (a *applicant) post(r protocol.EnrolRequest) (protocol.EnrolResponse, *protocol.EnrolError) {
	a.t.Helper()
	r.ID = uuid.NewString()
	text, refused := a.send(r)
	if refused != nil {
		return protocol.EnrolResponse{}, refused
	}
	answer, err := protocol.OpenEnrolResponse([]protocol.Decrypter{a.key}, text)
	if err != nil {
		a.t.Fatal(err)
	}
	if answer.InReplyTo != r.ID {
		a.t.Errorf("it answers %s, not %s", answer.InReplyTo, r.ID)
	}
	a.agentID = answer.AgentID
	return answer, nil
}

// leave gives the place of an agent up.
func (a *applicant) leave(agentID string) *protocol.EnrolError {
	a.t.Helper()
	_, refused := a.send(protocol.EnrolRequest{ID: uuid.NewString(), AgentID: agentID, Unenrol: true})
	return refused
}

func (a *applicant) send(r protocol.EnrolRequest) ([]byte, *protocol.EnrolError) {
	a.t.Helper()
	r.Name, r.Version, r.Domains, r.IssuedAt = "test", "1", a.domains, time.Now().UTC()
	if r.Mode == "" {
		r.Mode = protocol.Active
	}
	if r.Key.IsZero() {
		r.Key = a.key.Public()
	}
	body, err := protocol.SealEnrolRequest(a.key, r)
	if err != nil {
		a.t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.w.CA.Pool()}}}
	response, err := client.Post(a.w.EnrolURL(), protocol.ContentType, bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if response.Header.Get("Date") == "" {
		a.t.Error("no Date header, by which agents check their clocks")
	}
	if response.StatusCode != http.StatusOK {
		refused := &protocol.EnrolError{Status: response.StatusCode}
		if err := json.Unmarshal(text, refused); err != nil {
			a.t.Fatalf("HTTP %d: %s", response.StatusCode, text)
		}
		return nil, refused
	}
	return text, nil
}

func (a *applicant) enrol(token protocol.Secret) (protocol.EnrolResponse, *protocol.EnrolError) {
	a.t.Helper()
	return a.post(protocol.EnrolRequest{Token: token})
}

func withoutAgent(t *testing.T) *sim.World {
	t.Helper()
	return sim.RunT(t, sim.Options{WithoutAgent: true})
}

func TestEnrolmentRepeatedIsAnsweredAlike(t *testing.T) {
	w := withoutAgent(t)
	a, token := newApplicant(t, w), w.Cloud.NewEnrolToken(cloud.TokenLifetime)
	first, refused := a.enrol(token)
	if refused != nil {
		t.Fatal(refused)
	}
	if first.Mode != protocol.Active || !first.OnlyActive || first.MarkerAttribute != "extensionName" {
		t.Errorf("answered %+v", first)
	}
	again, refused := a.enrol(token)
	if refused != nil {
		t.Fatal(refused)
	}
	if again.AgentID != first.AgentID || again.Relays[0].Requests.Key.Reveal() != first.Relays[0].Requests.Key.Reveal() {
		t.Errorf("the same request became another agent: %s, %s", first.AgentID, again.AgentID)
	}
	renewed, refused := a.post(protocol.EnrolRequest{AgentID: first.AgentID})
	if refused != nil || renewed.AgentID != first.AgentID {
		t.Errorf("a renewal: %v, %+v", refused, renewed.AgentID)
	}
}

func TestEnrolmentTokens(t *testing.T) {
	w := withoutAgent(t)
	used := w.Cloud.NewEnrolToken(cloud.TokenLifetime)
	if _, refused := newApplicant(t, w).enrol(used); refused != nil {
		t.Fatal(refused)
	}
	expired := w.Cloud.NewEnrolToken(time.Nanosecond)
	for code, token := range map[string]protocol.Secret{
		protocol.EnrolTokenUsed:    used,
		protocol.EnrolTokenUnknown: protocol.NewSecret("not-one-of-ours"),
		protocol.EnrolTokenExpired: expired,
	} {
		_, refused := newApplicant(t, w).enrol(token)
		if refused == nil || refused.Code != code || refused.Status != http.StatusForbidden {
			t.Errorf("answered %v, want %s", refused, code)
		}
	}
	if _, refused := newApplicant(t, w).post(protocol.EnrolRequest{AgentID: uuid.NewString()}); refused == nil || refused.Code != protocol.EnrolUnknownAgent {
		t.Errorf("a renewal by a stranger: %v", refused)
	}
}

func TestEnrolmentAsStaging(t *testing.T) {
	w := withoutAgent(t)
	lacking := newApplicant(t, w)
	lacking.domains = []string{"other.example"}
	answer, refused := lacking.enrol(w.Cloud.NewEnrolToken(0))
	if refused != nil || answer.Mode != protocol.Staging || !strings.Contains(answer.Reason, "corp.example") {
		t.Errorf("without the domain: %v, %s %q", refused, answer.Mode, answer.Reason)
	}
	for n := 1; n <= protocol.MaxRecipients+1; n++ {
		answer, refused := newApplicant(t, w).enrol(w.Cloud.NewEnrolToken(0))
		want := protocol.Active
		if n > protocol.MaxRecipients {
			want = protocol.Staging
		}
		if refused != nil || answer.Mode != want || answer.OnlyActive != (n == 1) {
			t.Errorf("agent %d: %v, %s %q, the only one %t", n, refused, answer.Mode, answer.Reason, answer.OnlyActive)
		}
	}
}

func TestKeyRollsOver(t *testing.T) {
	w := withoutAgent(t)
	a := newApplicant(t, w)
	if _, refused := a.enrol(w.Cloud.NewEnrolToken(0)); refused != nil {
		t.Fatal(refused)
	}
	old, next := a.key, newApplicant(t, w).key
	body, err := protocol.SealEnrolRequest(old, protocol.EnrolRequest{
		ID: "1", AgentID: a.agentID, Name: "test", Version: "1", Mode: protocol.Active, Domains: a.domains, Key: next.Public(), IssuedAt: time.Now().UTC(),
	})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := w.Cloud.Enrol(t.Context(), body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := protocol.OpenEnrolResponse([]protocol.Decrypter{next}, sealed); err != nil {
		t.Errorf("the answer is not sealed to the next key: %v", err)
	}
	_, recipients, _ := w.Cloud.Sealing()
	if len(recipients) != 2 || recipients[0].Thumbprint() != old.Thumbprint() || recipients[1].Thumbprint() != next.Thumbprint() {
		t.Errorf("requests are sealed to %v", recipients)
	}
}

func TestUnenrolledAgentIsStrangeAgain(t *testing.T) {
	w := withoutAgent(t)
	a, first := joined(t, w)
	if err := w.Cloud.Unenrol(t.Context(), a.agentID); err != nil {
		t.Fatal(err)
	}
	if _, refused := a.post(protocol.EnrolRequest{AgentID: a.agentID}); refused == nil || refused.Code != protocol.EnrolUnknownAgent {
		t.Errorf("a renewal: %v", refused)
	}
	if err := w.Relay.DeleteKey(protocol.QueueRequests, first.Relays[0].Requests.Name); err == nil {
		t.Error("the agent's rule was still on the relay")
	}
	key, _, _ := w.Cloud.Sealing()
	if key.ID == first.PackageKeys[0].ID {
		t.Error("the package key that the agent knows is still the current one")
	}
	second, refused := newApplicant(t, w).enrol(w.Cloud.NewEnrolToken(0))
	if refused != nil || len(second.PackageKeys) != 2 {
		t.Errorf("another agent is given %d package keys, want the new and the old one (%v)", len(second.PackageKeys), refused)
	}
}

func TestEnrolmentOverHTTPSOnly(t *testing.T) {
	w := withoutAgent(t)
	response, err := http.Post(w.WebURL()+"/enrol", protocol.ContentType, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("HTTP %d over plain HTTP", response.StatusCode)
	}
}

func TestEnrolmentOfNonsense(t *testing.T) {
	w := withoutAgent(t)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.CA.Pool()}}}
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"nonsense":  {"hello", http.StatusBadRequest},
		"too large": {strings.Repeat("x", protocol.MaxEnrolment+1), http.StatusRequestEntityTooLarge},
	} {
		response, err := client.Post(w.EnrolURL(), protocol.ContentType, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		var refused protocol.EnrolError
		if err := json.NewDecoder(response.Body).Decode(&refused); err != nil || response.StatusCode != c.status || refused.Message == "" {
			t.Errorf("%s: HTTP %d, %+v (%v)", name, response.StatusCode, refused, err)
		}
		response.Body.Close()
	}
}

func TestAgentLeavesByItself(t *testing.T) {
	w := withoutAgent(t)
	a := newApplicant(t, w)
	first, refused := a.enrol(w.Cloud.NewEnrolToken(cloud.TokenLifetime))
	if refused != nil {
		t.Fatal(refused)
	}
	stranger := newApplicant(t, w)
	if refused := stranger.leave(first.AgentID); refused == nil || refused.Code != protocol.EnrolUnknownAgent {
		t.Errorf("with somebody else's key: %v", refused)
	}
	if refused := a.leave(first.AgentID); refused != nil {
		t.Fatal(refused)
	}
	if agents := w.Cloud.Agents(); len(agents) != 0 {
		t.Errorf("still enrolled: %+v", agents)
	}
	if refused := a.leave(first.AgentID); refused == nil || refused.Code != protocol.EnrolUnknownAgent {
		t.Errorf("a second time: %v", refused)
	}
	next := newApplicant(t, w)
	second, refused := next.enrol(w.Cloud.NewEnrolToken(cloud.TokenLifetime))
	if refused != nil {
		t.Fatal(refused)
	}
	if second.PackageKeys[0].ID == first.PackageKeys[0].ID {
		t.Error("the package key is the one that the agent took with it")
	}
}

package sim_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"passback/clock"
	"passback/fakerelay"
	"passback/sim"
	"passback/sim/trace"
)

// call asks the control API and decodes what it answers.
func call(t *testing.T, w *sim.World, method, path, body string, into any) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.WebURL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.APIToken())
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatalf("%s %s answers what is not JSON: %v", method, path, err)
	}
	return response.StatusCode
}

func TestClockGoesForwardOnly(t *testing.T) {
	w := sim.RunT(t, sim.Options{WithoutAgent: true})
	var before, after struct{ Now time.Time }
	call(t, w, "GET", "/api/clock", "", &before)
	if status := call(t, w, "POST", "/api/clock", `{"advance": "1008h"}`, &after); status != http.StatusOK || after.Now.Sub(before.Now) < 42*24*time.Hour {
		t.Errorf("HTTP %d, from %s to %s", status, before.Now, after.Now)
	}
	for _, body := range []string{`{"advance": "-1h"}`, `{"advance": "0"}`, `{"advance": "soon"}`, `{"advance": "999999h"}`, `{"forward": "1h"}`, `1`, ``} {
		var problem struct{ Error string }
		if status := call(t, w, "POST", "/api/clock", body, &problem); status != http.StatusBadRequest || problem.Error == "" {
			t.Errorf("%q: HTTP %d %q", body, status, problem.Error)
		}
	}
}

func TestAskByTheAPIAndFollowItsTrace(t *testing.T) {
	w := sim.RunT(t)
	var result struct{ Outcome, TrackingID string }
	call(t, w, "POST", "/api/ask", `{"way": "portalReset", "user": "alice@corp.example", "new": "Nine-Green-Kites-41"}`, &result)
	if result.Outcome != "success" {
		t.Fatalf("told %+v", result)
	}
	var traced struct {
		Hops []struct{ Place, What string }
	}
	call(t, w, "GET", "/api/trace?id="+result.TrackingID, "", &traced)
	places := map[string]bool{}
	for _, h := range traced.Hops {
		places[h.Place] = true
	}
	for _, place := range []string{"cloud", "relay", "agent", "directory"} {
		if !places[place] {
			t.Errorf("no hop at the %s: %+v", place, traced.Hops)
		}
	}
	var agents []struct {
		Alive bool
		Name  string
	}
	call(t, w, "GET", "/api/agents", "", &agents)
	if len(agents) != 1 || !agents[0].Alive || agents[0].Name == "" {
		t.Errorf("agents: %+v", agents)
	}
}

func TestFaultsAreOneShot(t *testing.T) {
	for name, outcome := range map[string]string{
		"relay.cut-delivery": "success", "relay.cut-settlement": "success",
		"directory.cut-before-modify": "directoryUnavailable", "directory.cut-after-modify": "success",
	} {
		w := sim.RunT(t, sim.Options{RequestLock: time.Second})
		var faults []sim.Fault
		if status := call(t, w, "POST", "/api/faults", `{"name": "`+name+`"}`, &faults); status != http.StatusOK {
			t.Fatalf("%s: HTTP %d", name, status)
		}
		var result struct{ Outcome, Detail string }
		call(t, w, "POST", "/api/ask", `{"way": "portalReset", "user": "alice@corp.example", "new": "Nine-Green-Kites-41"}`, &result)
		state, err := w.Directory.User("alice")
		if err != nil {
			t.Fatal(err)
		}
		if taken := state.PasswordIs("Nine-Green-Kites-41"); result.Outcome != outcome || taken != (outcome == "success") {
			t.Errorf("%s: told %s (%s), want %s, and the directory has taken it: %t", name, result.Outcome, result.Detail, outcome, taken)
		}
		awaitDisarmed(t, w)
	}
	w := sim.RunT(t, sim.Options{WithoutAgent: true})
	var problem struct{ Error string }
	if status := call(t, w, "POST", "/api/faults", `{"name": "relay.explode"}`, &problem); status != http.StatusBadRequest {
		t.Errorf("an unknown fault: HTTP %d", status)
	}
}

// Any fault of the relay can be armed too, and shows in the list and in the trace of the request that it struck.
func TestRelayFaultOverHTTP(t *testing.T) {
	w := sim.RunT(t, sim.Options{})
	var faults []sim.Fault
	armed := `{"relay": {"effect": "duplicate", "operation": "enqueue", "entity": "writeback-answers"}}`
	if status := call(t, w, "POST", "/api/faults", armed, &faults); status != http.StatusOK {
		t.Fatalf("HTTP %d", status)
	}
	last := faults[len(faults)-1]
	if last.Name != "relay.f1" || !last.Armed || last.Relay == nil || last.Relay.Effect != fakerelay.EffectDuplicate {
		t.Errorf("armed %+v", last)
	}
	var result struct{ Outcome, TrackingID string }
	call(t, w, "POST", "/api/ask", `{"way": "portalReset", "user": "alice@corp.example", "new": "Nine-Green-Kites-41"}`, &result)
	if result.Outcome != "success" {
		t.Errorf("told %+v", result)
	}
	awaitDisarmed(t, w)
	struck := slices.ContainsFunc(w.Trace.Of(result.TrackingID), func(h trace.Hop) bool { return h.What == "fault duplicate" && h.Detail == "enqueue writeback-answers" })
	if !struck {
		t.Errorf("the fault is not in the trace: %+v", w.Trace.Of(result.TrackingID))
	}
	if status := call(t, w, "POST", "/api/faults", `{"relay": {"effect": "explode"}}`, &map[string]any{}); status != http.StatusBadRequest {
		t.Errorf("an unknown effect: HTTP %d", status)
	}
}

// awaitDisarmed waits until no fault is armed: a settlement comes after the answer, so that whoever asked is told first.
func awaitDisarmed(t *testing.T, w *sim.World) {
	t.Helper()
	patience, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for slices.ContainsFunc(w.Faults(), func(f sim.Fault) bool { return f.Armed }) {
		if err := clock.Sleep(patience, clock.Real(), 10*time.Millisecond); err != nil {
			t.Fatalf("a fault is armed still: %+v", w.Faults())
		}
	}
}

func TestAPINeedsItsToken(t *testing.T) {
	w := sim.RunT(t, sim.Options{WithoutAgent: true})
	for _, path := range []string{"/api/clock", "/api/users", "/api/world/reset", "/api/nothing"} {
		response, err := http.Get(w.WebURL() + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: HTTP %d without a token", path, response.StatusCode)
		}
	}
}

// The ready file names what is there.
func TestReadyFile(t *testing.T) {
	w := sim.RunT(t)
	text, err := json.Marshal(w.ReadyFile())
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Web, Graph  string
		APIToken    string `json:"api_token"`
		CAFile      string `json:"ca_file"`
		AgentConfig string `json:"agent_config"`
		Directory   map[string]string
		Relay       map[string]string
		Enrol       map[string]string
		Users       []map[string]string
		Tokens      map[string]string
	}
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"ldap", "ldaps", "base_dn", "dns", "netbios", "admin_dn", "admin_password"} {
		if f.Directory[key] == "" {
			t.Errorf("directory.%s is missing", key)
		}
	}
	for _, key := range []string{"amqp", "amqps", "websocket"} {
		if f.Relay[key] == "" {
			t.Errorf("relay.%s is missing", key)
		}
	}
	first := f.Users[0]
	if first["upn"] != "alice@corp.example" || first["id"] == "" || first["dn"] == "" || f.Tokens["admin"] == "" || f.Tokens[first["upn"]] == "" {
		t.Errorf("users[0] is %v", first["upn"])
	}
	if err := bind(t, w, first["dn"], first["password"]); err != nil {
		t.Errorf("users[0] does not bind: %v", err)
	}
	for _, path := range []string{f.CAFile, f.AgentConfig} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
	if !strings.HasPrefix(f.Enrol["url"], "https://") || f.Enrol["token"] == "" || f.Graph != f.Web+"/graph" || f.APIToken == "" {
		t.Errorf("enrol at %s, graph at %s", f.Enrol["url"], f.Graph)
	}
}

func TestRelayKeysAreReplacedByTheAPI(t *testing.T) {
	w := sim.RunT(t)
	type keys struct {
		Rule, Agent string
		Since       time.Time
		Rotating    bool
	}
	var before, after []keys
	call(t, w, "GET", "/api/relay-keys", "", &before)
	if status := call(t, w, "POST", "/api/relay-keys", `{"immediate": true}`, &after); status != http.StatusOK {
		t.Fatalf("HTTP %d", status)
	}
	if len(before) != 2 || len(after) != 2 {
		t.Fatalf("of one agent and the cloud: %+v, then %+v", before, after)
	}
	for i := range after {
		if after[i].Rule != before[i].Rule || !after[i].Since.After(before[i].Since) || after[i].Rotating {
			t.Errorf("%+v, then %+v", before[i], after[i])
		}
	}
	for body, want := range map[string]int{`{"agent": "nobody"}`: http.StatusConflict, `{"when": "now"}`: http.StatusBadRequest} {
		var problem struct{ Error string }
		if status := call(t, w, "POST", "/api/relay-keys", body, &problem); status != want || problem.Error == "" {
			t.Errorf("%s: HTTP %d %q", body, status, problem.Error)
		}
	}
}

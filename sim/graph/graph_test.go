package graph_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"passback/sim"
	"passback/sim/graph"
)

// A client of Graph, as any program is one.
type client struct {
	t     *testing.T
	root  string
	token string
}

func newClient(t *testing.T, w *sim.World, who string) client {
	return client{t, w.WebURL() + "/graph", w.Token(who)}
}

type reply struct {
	status int
	header http.Header
	body   map[string]any
}

func (c client) do(method, path, body string) reply {
	c.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = c.root + path
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		c.t.Fatal(err)
	}
	answer := reply{status: response.StatusCode, header: response.Header}
	if response.StatusCode == http.StatusNoContent {
		return answer
	}
	if err := json.Unmarshal(text.Bytes(), &answer.body); err != nil {
		c.t.Fatalf("%s %s answers what is not JSON: %q", method, path, text.String())
	}
	return answer
}

// finish polls an operation until it has ended, as the documentation tells clients to.
func (c client) finish(location string) map[string]any {
	c.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		operation := c.do(http.MethodGet, location, "")
		if operation.status != http.StatusOK {
			c.t.Fatalf("the operation answers %d: %v", operation.status, operation.body)
		}
		switch operation.body["status"] {
		case "notStarted", "running":
		default:
			return operation.body
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("the operation does not end: %v", operation.body)
		}
	}
}

const methodPath = "/authentication/methods/" + graph.PasswordMethodID + "/resetPassword"

func TestResetPasswordIsAnOperation(t *testing.T) {
	w := sim.RunT(t)
	admin := newClient(t, w, "admin")
	alice := w.People()[0]
	user := admin.do(http.MethodGet, "/v1.0/users/"+alice.UPN, "")
	id := user.body["id"].(string)
	for version, path := range map[string]string{
		"v1.0": methodPath,
		"beta": "/authentication/passwordMethods/" + graph.PasswordMethodID + "/resetPassword",
	} {
		fresh := "Nine-Green-Kites-" + version
		accepted := admin.do(http.MethodPost, "/"+version+"/users/"+alice.UPN+path, `{"newPassword": "`+fresh+`"}`)
		if accepted.status != http.StatusAccepted || accepted.header.Get("Retry-After") == "" {
			t.Fatalf("%s: %d %v", version, accepted.status, accepted.body)
		}
		location := accepted.header.Get("Location")
		if !strings.HasPrefix(location, admin.root+"/"+version+"/users/"+id+"/authentication/operations/") {
			t.Errorf("%s: Location is %q", version, location)
		}
		if ended := admin.finish(location); ended["status"] != "succeeded" {
			t.Errorf("%s: ended as %v", version, ended)
		}
		if state, err := w.Directory.User(alice.UPN); err != nil || !state.PasswordIs(fresh) || !state.MustChange {
			t.Errorf("%s: the directory holds it: %t, must change: %t (%v)", version, state.PasswordIs(fresh), state.MustChange, err)
		}
	}
}

func TestRefusedOperationSaysWhy(t *testing.T) {
	w := sim.RunT(t)
	admin := newClient(t, w, "admin")
	for name, detail := range map[string]string{"grace": "protectedAccount", "ivan": "minimumAge"} {
		accepted := admin.do(http.MethodPost, "/v1.0/users/"+name+"@corp.example"+methodPath, `{"newPassword": "Nine-Green-Kites-41"}`)
		ended := admin.finish(accepted.header.Get("Location"))
		if told, _ := ended["statusDetail"].(string); ended["status"] != "failed" || !strings.Contains(told, detail) {
			t.Errorf("%s ended as %v", name, ended)
		}
	}
}

func TestUnknownOutcomeIsNoFailure(t *testing.T) {
	w := sim.RunT(t)
	admin := newClient(t, w, "admin")
	s := w.Cloud.Settings()
	s.Deadline = 200 * time.Millisecond
	if err := w.Cloud.SetSettings(s); err != nil {
		t.Fatal(err)
	}
	if err := w.ArmFault("relay.lose-request"); err != nil {
		t.Fatal(err)
	}
	accepted := admin.do(http.MethodPost, "/v1.0/users/alice@corp.example"+methodPath, `{"newPassword": "Nine-Green-Kites-41"}`)
	ended := admin.finish(accepted.header.Get("Location"))
	if told, _ := ended["statusDetail"].(string); ended["status"] != "unknownFutureValue" || !strings.HasPrefix(told, "unknown: ") {
		t.Errorf("ended as %v", ended)
	}
}

func TestChangePasswordIsNotWrittenBack(t *testing.T) {
	w := sim.RunT(t)
	alice := w.People()[0]
	me := newClient(t, w, alice.UPN)
	changed := me.do(http.MethodPost, "/v1.0/me/changePassword", `{"currentPassword": "`+alice.Password+`", "newPassword": "Nine-Green-Kites-41"}`)
	if changed.status != http.StatusNoContent {
		t.Fatalf("%d %v", changed.status, changed.body)
	}
	if state, err := w.Directory.User(alice.UPN); err != nil || !state.PasswordIs(alice.Password) {
		t.Errorf("the directory was changed (%v)", err)
	}
	wrong := me.do(http.MethodPost, "/v1.0/me/changePassword", `{"currentPassword": "Not-The-One-17", "newPassword": "Nine-Green-Kites-42"}`)
	if wrong.status != http.StatusBadRequest {
		t.Errorf("a wrong current password: %d %v", wrong.status, wrong.body)
	}
}

func TestUsers(t *testing.T) {
	w := sim.RunT(t, sim.Options{WithoutAgent: true})
	alice := newClient(t, w, "alice@corp.example")
	me := alice.do(http.MethodGet, "/v1.0/me", "").body
	if me["userPrincipalName"] != "alice@corp.example" || me["onPremisesSyncEnabled"] != true || me["onPremisesImmutableId"] == nil {
		t.Errorf("me: %v", me)
	}
	byID := alice.do(http.MethodGet, "/beta/users/"+me["id"].(string)+"?$select=displayName", "").body
	if byID["displayName"] != "Alice Adams" || byID["id"] != nil {
		t.Errorf("selected: %v", byID)
	}
	all := alice.do(http.MethodGet, "/v1.0/users", "").body["value"].([]any)
	if len(all) != len(w.People()) {
		t.Errorf("%d users, want %d", len(all), len(w.People()))
	}
}

// Every refusal is JSON of Graph's shape.
func TestRefusals(t *testing.T) {
	w := sim.RunT(t, sim.Options{WithoutAgent: true})
	admin, alice, nobody := newClient(t, w, "admin"), newClient(t, w, "alice@corp.example"), newClient(t, w, "")
	reset := "/v1.0/users/alice@corp.example" + methodPath
	for _, c := range []struct {
		name         string
		as           client
		method, path string
		body         string
		status       int
		code         string
	}{
		{"no token", nobody, "GET", "/v1.0/me", "", 401, "InvalidAuthenticationToken"},
		{"another's token", client{t, nobody.root, "eyJ0eXAi"}, "GET", "/v1.0/me", "", 401, "InvalidAuthenticationToken"},
		{"no administrator", alice, "POST", "/v1.0/users/bob@corp.example" + methodPath, `{"newPassword": "Nine-Green-Kites-41"}`, 403, "Authorization_RequestDenied"},
		{"own account", admin, "POST", "/v1.0/users/admin@corp.example" + methodPath, `{"newPassword": "Nine-Green-Kites-41"}`, 403, "accessDenied"},
		{"no such user", admin, "POST", "/v1.0/users/nobody@corp.example" + methodPath, `{"newPassword": "Nine-Green-Kites-41"}`, 404, "Request_ResourceNotFound"},
		{"no such method", admin, "POST", "/v1.0/users/alice@corp.example/authentication/methods/1/resetPassword", `{"newPassword": "x"}`, 404, "resourceNotFound"},
		{"no such operation", admin, "GET", "/v1.0/users/alice@corp.example/authentication/operations/1", "", 404, "resourceNotFound"},
		{"no password", admin, "POST", reset, `{}`, 400, "Request_BadRequest"},
		{"banned", admin, "POST", reset, `{"newPassword": "P@ssw0rd1"}`, 400, "badRequest"},
		{"unknown property", admin, "POST", reset, `{"newPassword": "Nine-Green-Kites-41", "force": true}`, 400, "Request_BadRequest"},
		{"not JSON", admin, "POST", reset, `newPassword=x`, 400, "Request_BadRequest"},
		{"two objects", admin, "POST", reset, `{"newPassword": "Nine-Green-Kites-41"}{}`, 400, "Request_BadRequest"},
		{"too large", admin, "POST", reset, `{"newPassword": "` + strings.Repeat("x", 70<<10) + `"}`, 413, "Request_BadRequest"},
		{"no such resource", admin, "GET", "/v1.0/groups", "", 404, "ResourceNotFound"},
		{"wrong method", admin, "DELETE", "/v1.0/me", "", 405, "Request_BadRequest"},
		{"query", admin, "GET", "/v1.0/users?$filter=startswith(displayName,'A')", "", 400, "Request_UnsupportedQuery"},
	} {
		answer := c.as.do(c.method, c.path, c.body)
		problem, _ := answer.body["error"].(map[string]any)
		if answer.status != c.status || problem["code"] != c.code || problem["message"] == "" {
			t.Errorf("%s: %d %v, want %d %s", c.name, answer.status, answer.body, c.status, c.code)
		}
	}
}

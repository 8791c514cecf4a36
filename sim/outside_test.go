package sim_test

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"passback/fakead"
	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback"
	"passback/writeback/protocol"
)

// An agent that knows nothing but the files of the world, as one of a process of its own.
func TestAgentFromTheFilesAlone(t *testing.T) {
	w := sim.RunT(t, sim.Options{WithoutAgent: true})
	config, err := writeback.LoadConfig(w.AgentConfig())
	if err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile(filepath.Join(filepath.Dir(w.AgentConfig()), "enrol.token"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(token)); got != w.ReadyFile().Enrol.Token {
		t.Error("the token's file and the ready file differ")
	}
	if err := writeback.Enroll(t.Context(), config, protocol.NewSecret(strings.TrimSpace(string(token)))); err != nil {
		t.Fatal(err)
	}
	agent, err := writeback.New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- agent.Run(ctx) }()
	if err := w.Cloud.AwaitAlive(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	<-agent.Ready()
	result := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.PortalReset, User: w.People()[0].UPN, New: protocol.NewSecret("Nine-Green-Kites-41")})
	if result.Outcome != protocol.Success {
		t.Errorf("told %s (%s)", result.Outcome, result.Detail)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the agent ended with %v", err)
	}
}

// A directory that somebody else runs.
func TestExternalDirectory(t *testing.T) {
	ad := fakead.RunT(t, fakead.Options{Domain: "fabrikam.test"})
	service, password := "svc@fabrikam.test", protocol.NewSecret("Service-Kites-41")
	for _, u := range []fakead.User{{SAM: "svc", Password: password.Reveal()}, {SAM: "nina", Password: "Old-Boats-17", PasswordSet: ad.Clock().Now().AddDate(0, 0, -5)}} {
		if err := ad.AddUser(u); err != nil {
			t.Fatal(err)
		}
	}
	rights := fakead.Rights{ResetPassword: true, WritePwdLastSet: true, WriteLockoutTime: true, Unexpire: true, WriteMarker: "extensionName"}
	if err := ad.Delegate("svc", rights); err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "dc.pem")
	if err := os.WriteFile(ca, ad.CA().PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	w := sim.RunT(t, sim.Options{External: &sim.ExternalDirectory{
		URL: ad.LDAPSURL(), Domain: "fabrikam.test", CAFile: ca, BindUser: service, Password: password,
	}})
	if _, known := w.Cloud.User(service); known {
		t.Error("the account that reads became a user of the tenant")
	}
	result := w.Cloud.Perform(t.Context(), cloud.Ask{Way: cloud.PortalReset, User: "nina@fabrikam.test", New: protocol.NewSecret("Nine-Green-Kites-41")})
	if state, err := ad.User("nina"); err != nil || result.Outcome != protocol.Success || !state.PasswordIs("Nine-Green-Kites-41") {
		t.Errorf("told %s (%s), %v", result.Outcome, result.Detail, err)
	}
	if err := w.Advance(t.Context(), 1); err == nil {
		t.Error("the clock of somebody else's directory was advanced")
	}
	if err := w.Reset(t.Context()); err == nil {
		t.Error("somebody else's directory was reset")
	}
}

func TestOnePortTakesHTTPAndHTTPS(t *testing.T) {
	w := sim.RunT(t, sim.Options{WithoutAgent: true})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.CA.Pool()}}}
	for _, url := range []string{w.WebURL() + "/readyz", strings.Replace(w.WebURL(), "http:", "https:", 1) + "/readyz", w.WebURL() + "/livez", w.WebURL() + "/version"} {
		response, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK || !strings.HasPrefix(string(text), "{") {
			t.Errorf("%s: HTTP %d %s", url, response.StatusCode, text)
		}
	}
}

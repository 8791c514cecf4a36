package sim_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// everything collects what is logged, at every level.
type everything struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (e *everything) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.text.Write(b)
}

func (e *everything) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.text.String()
}

func TestSecretsAreInNoLogTraceOrAudit(t *testing.T) {
	var logged everything
	w := sim.RunT(t, sim.Options{Logger: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	fresh, wrong := protocol.NewSecret("Nine-Green-Kites-41"), protocol.NewSecret("Not-The-One-17")
	var secrets []string
	for _, name := range []string{"alice", "carol", "dave", "grace", "heidi", "ivan", "judy", "walter"} {
		p := person(t, w, name)
		old := protocol.NewSecret(p.Password)
		secrets = append(secrets, p.Password, w.Token(p.UPN))
		w.Cloud.SignIn(t.Context(), p.UPN, wrong)
		for _, ask := range []cloud.Ask{
			{Way: cloud.AccessPanel, Old: wrong, New: fresh},
			{Way: cloud.ForcedChange, Old: old, New: fresh},
			{Way: cloud.AccessPanel, Old: old, New: protocol.NewSecret("short-Kite")},
			{Way: cloud.PortalReset, New: fresh},
			{Way: cloud.AdminReset, Actor: w.AdminUPN(), New: fresh},
			{Way: cloud.AdminCenterReset, Actor: w.AdminUPN(), New: fresh},
		} {
			ask.User = p.UPN
			w.Cloud.Perform(t.Context(), ask)
		}
	}
	f := w.ReadyFile()
	secrets = append(secrets, fresh.Reveal(), wrong.Reveal(), "short-Kite", f.APIToken, f.Enrol.Token, f.Tokens["admin"], f.Directory.AdminPassword)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{"log": logged.String()}
	for name, v := range map[string]any{"audit": w.Cloud.Audit(), "users": w.Cloud.Users(), "agents": w.Cloud.Agents(), "trace": traces(w)} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		seen[name] = string(text)
	}
	for where, text := range seen {
		if !strings.Contains(text, "a") {
			t.Errorf("the %s is empty", where)
		}
		for i, secret := range secrets {
			if secret == "" || strings.Contains(text, secret) {
				t.Errorf("secret %d of %d can be read in the %s", i, len(secrets), where)
			}
		}
	}
}

func traces(w *sim.World) []any {
	var all []any
	for _, id := range w.Trace.IDs() {
		all = append(all, w.Trace.Of(id))
	}
	return all
}
